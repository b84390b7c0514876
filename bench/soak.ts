import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Desk, Program } from '../test/e2e/desk.ts';
import { FaultyCollector } from '../test/upload/faulty-collector.ts';
import { Line } from './soak-line.ts';
import { judge, type Verdict } from './soak-verdict.ts';

const DEFAULT_MINUTES = 2;
/** Small enough to be filled at once; a segment of two seconds has a few KB. */
const DISK = '32m';
/** Capture that was killed begins again after a backoff of its own. */
const RECOVERY_MS = 60_000;

/**
 * A real desk (X server, daemon, uploader, collector) to which everything happens that may, at random moments: kills of
 * each process, connections cut, both disks full. In the end every captured segment must be stored exactly once. Then
 * the line is led to a collector that gives receipts and keeps nothing, and the same verdict must find that out.
 */
export async function run(args: readonly string[]): Promise<void> {
  const minutes = Number(args[args.indexOf('--minutes') + 1] ?? DEFAULT_MINUTES);
  const lengthMs = (args.includes('--minutes') ? minutes : DEFAULT_MINUTES) * 60_000;
  if (!(lengthMs > 0)) throw new Error('--minutes needs a number\nTry: npm run bench soak -- --minutes 10');
  const soak = new Soak();
  try {
    await soak.start();
    await soak.harm(lengthMs);
    const verdict = await soak.settle();
    print('every captured segment is stored exactly once', verdict, verdict.problems.length === 0);
    await soak.lie();
    const control = await soak.settle();
    const isFound = control.problems.some((problem) => problem.endsWith('is not stored'));
    print('a collector that gives receipts and keeps nothing is found out', control, isFound);
    if (verdict.problems.length > 0 || !isFound) process.exitCode = 1;
  } finally {
    await soak.stop();
  }
}

function print(claim: string, { captured, stored, events, problems }: Verdict, holds: boolean): void {
  console.log(`${holds ? 'holds' : 'FAILS'}: ${claim}`);
  console.log(`  ${captured} segments captured, ${stored} stored with ${events} events`);
  for (const problem of problems) console.log(`  ${problem}`);
}

class Soak {
  readonly #desk = new Desk();
  readonly #line = new Line(() => this.#desk.collectorPort);
  readonly #liar = new FaultyCollector(['good']);
  readonly #mounts: string[] = [];
  readonly #done = new Map<string, number>();
  #isMoving = true;
  #moving: Promise<void> = Promise.resolve();

  async start(): Promise<void> {
    for (const folder of [this.#desk.stateDir, this.#desk.dataDir]) this.#mount(folder);
    await this.#liar.start();
    await this.#line.start();
    await this.#desk.startDisplay();
    await this.#desk.startCollector();
    this.#desk.writePolicy({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"2s"', flush: '"1s"' },
      upload: { url: `"http://127.0.0.1:${this.#line.port}"`, hold_back: '"0s"', schedule: '"* * * * * *"' },
    });
    await this.#desk.startDaemon();
    await this.#desk.grant();
    this.#moving = this.#move();
  }

  /** Whatever is harmed is mended before the next: two disasters at once prove no more. */
  async harm(lengthMs: number): Promise<void> {
    const desk = this.#desk;
    const harms: Record<string, () => Promise<void>> = {
      'uploader killed': () => this.#killUploader(),
      'collector killed': async () => {
        await desk.collector?.stop('SIGKILL');
        await sleep(Math.random() * 1000);
        await desk.startCollector();
      },
      'connections cut': async () => {
        this.#line.cutAfter(Math.floor(Math.random() * 4000));
        await desk.ctl('upload', 'now');
        await sleep(1500);
        this.#line.cutAfter(Infinity);
      },
      'daemon killed': async () => {
        await desk.daemon?.stop('SIGKILL');
        await desk.startDaemon();
      },
      'capture killed': async () => {
        const { pid } = (await desk.status()).capture;
        if (pid !== null) process.kill(pid, 'SIGKILL');
      },
      ...(this.#mounts.length === 0
        ? {}
        : {
            'disk of the laptop full': () => this.#fill(desk.stateDir),
            'disk of the collector full': () => this.#fill(desk.dataDir),
          }),
    };
    const endMs = performance.now() + lengthMs;
    while (performance.now() < endMs) {
      for (const [name, harm] of shuffled(Object.entries(harms))) {
        if (performance.now() >= endMs) break;
        await sleep(Math.random() * 2000);
        await desk.ctl('upload', 'now');
        await harm();
        this.#done.set(name, (this.#done.get(name) ?? 0) + 1);
        await desk.waitFor('capture', ({ collection }) => collection.state === 'capturing', RECOVERY_MS);
      }
    }
    console.log([...this.#done].map(([name, times]) => `${times} × ${name}`).join(', '));
    if (this.#mounts.length === 0) console.log('not root: the disks were not filled');
  }

  /** From here on the collector that is asked keeps nothing. */
  async lie(): Promise<void> {
    this.#line.leadTo(this.#liar.port);
    this.#isMoving = true;
    this.#moving = this.#move();
    await sleep(3000);
  }

  async settle(): Promise<Verdict> {
    this.#isMoving = false;
    await this.#moving;
    await this.#forgetWait();
    await this.#desk.sendAll();
    return await judge(this.#desk);
  }

  async stop(): Promise<void> {
    this.#isMoving = false;
    await this.#moving;
    await this.#desk.daemon?.stop();
    await this.#desk.collector?.stop();
    await Promise.all([this.#line.stop(), this.#liar.stop()]);
    for (const mount of this.#mounts) execFileSync('umount', ['-l', mount]);
    await this.#desk.close();
  }

  /** Never twice to the same place, so that an event that is recorded twice shows. */
  #next = 0;
  async #move(): Promise<void> {
    while (this.#isMoving) {
      const moves = Array.from({ length: 20 }, () => {
        const n = this.#next++;
        return `mousemove ${n % 1280} ${Math.floor(n / 1280) % 800} sleep 0.01`;
      });
      await this.#desk.display.input(...moves);
    }
  }

  #mount(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (process.getuid?.() !== 0) return;
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK},mode=0700`, 'soak', folder]);
    this.#mounts.push(folder);
  }

  /** Not a byte is left for two seconds. */
  async #fill(folder: string): Promise<void> {
    const ballast = join(folder, 'ballast');
    const { bavail, bsize } = statfsSync(folder);
    try {
      writeFileSync(ballast, Buffer.alloc(bavail * bsize));
    } catch {
      // Someone else took the last of it.
    }
    await sleep(2000);
    rmSync(ballast, { force: true });
  }

  async #killUploader(): Promise<void> {
    const found = new Program(
      'pgrep',
      ['-P', String(this.#desk.daemon?.child.pid ?? 0), '-f', 'telemetry-uploader'],
      {},
    );
    await found.exited;
    for (const pid of found.out.trim().split('\n').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
  }

  /** The wait after the failures may be an hour by now; nobody watches a soak that long. */
  async #forgetWait(): Promise<void> {
    await this.#desk.daemon?.stop();
    rmSync(join(this.#desk.stateDir, 'upload.json'), { force: true });
    await this.#desk.startDaemon();
  }
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}
