import { type ChildProcess, execFile, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { EventRecord } from '../../src/core/events.ts';
import type { StatusReport } from '../../src/core/status.ts';
import { readOwnerIdentities } from '../../src/privacy/owner-identity.ts';
import { openSegment } from '../../src/segment/open-segment.ts';
import { whenManaged } from '../capture/test-window.ts';
import { ownDisplayNumber } from '../display-number.ts';

const run = promisify(execFile);
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE = path.join(ROOT, 'node_modules/.bin/node');

export interface CtlResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Waits until `probe` gives something other than undefined, null or false; fails with `what` after `timeoutMs`. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  timeoutMs = 20_000,
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await sleep(50);
  }
}

/** A process and everything it printed. */
export class Program {
  readonly child: ChildProcess;
  readonly exited: Promise<number>;
  out = '';

  constructor(command: string, args: readonly string[], env: Record<string, string>) {
    this.child = spawn(command, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: 'pipe' });
    this.child.stdout?.on('data', (data: Buffer) => (this.out += data.toString()));
    this.child.stderr?.on('data', (data: Buffer) => (this.out += data.toString()));
    this.exited = new Promise((resolve) => {
      this.child.on('exit', (code, signal) => resolve(code ?? (signal === null ? -1 : 128)));
      this.child.on('error', () => resolve(-1));
    });
  }

  get isRunning(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
    if (this.isRunning) this.child.kill(signal);
    return await this.exited;
  }
}

/** A real X server without a screen. Keeps its number over a restart. */
class Display {
  number = -1;
  server: Program | null = null;
  /** A client that selects motion: without one the server's RECORD holds back some 31 events. */
  #watcher: Program | null = null;
  #manager: Program | null = null;

  get name(): string {
    return `:${this.number}`;
  }

  async start(): Promise<void> {
    const args = ['-screen', '0', '1280x800x24', '-nolisten', 'tcp', '-noreset'];
    if (this.number < 0) this.number = ownDisplayNumber();
    this.server = new Program('Xvfb', [this.name, ...args], {});
    await until('the X server to answer', async () => {
      const result = await run('xdotool', ['getmouselocation'], { env: this.env() }).catch(() => undefined);
      return result !== undefined;
    });
    this.#watcher = new Program('xev', ['-geometry', '1280x800+0+0', '-event', 'mouse'], this.env());
    const watcher = this.#watcher;
    await until('a window that selects motion', () => watcher.out.length > 0 || sleep(500).then(() => true));
  }

  /** Runs a window manager that tells which window is in use. */
  async startManager(): Promise<void> {
    this.#manager = new Program('openbox', ['--sm-disable'], this.env());
    await whenManaged(this.name);
  }

  env(): Record<string, string> {
    return { DISPLAY: this.name, PATH: process.env['PATH'] ?? '' };
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#watcher?.stop('SIGKILL');
    await this.#manager?.stop();
    await this.server?.stop(signal);
  }

  /** Runs xdotool commands, one an entry, in as few processes as may be: `type` takes all that follows it. */
  async input(...commands: readonly string[]): Promise<void> {
    let words: string[] = [];
    const flush = async (): Promise<void> => {
      if (words.length > 0) await run('xdotool', words, { env: this.env(), timeout: 60_000 });
      words = [];
    };
    for (const command of commands) {
      const text = /^type (.*)$/s.exec(command)?.[1];
      if (text === undefined) {
        words.push(...command.split(' '));
        continue;
      }
      await flush();
      await run('xdotool', ['type', '--delay', '15', '--', text], { env: this.env(), timeout: 60_000 });
    }
    await flush();
  }
}

/** The policy most tests want: everything quick, keys recorded though no focus source exists. */
function testPolicy(url: string, overrides: Record<string, Record<string, string>> = {}): string {
  const tables: Record<string, Record<string, string>> = {
    capture: { focus_unknown: '"record"' },
    segment: { roll: '"20s"', flush: '"1s"' },
    upload: { url: `"${url}"`, hold_back: '"0s"', schedule: '"*/2 * * * * *"' },
  };
  for (const [table, fields] of Object.entries(overrides)) tables[table] = { ...tables[table], ...fields };
  return Object.entries(tables)
    .map(([table, fields]) =>
      [`[${table}]`, ...Object.entries(fields).map(([name, value]) => `${name} = ${value}`), ''].join('\n'),
    )
    .join('\n');
}

/** One person's desk: a display, a collector, a daemon, and the command line, all real and all thrown away. */
export class Desk {
  readonly root = mkdtempSync(path.join(os.tmpdir(), 'desk-'));
  readonly display = new Display();
  readonly stateDir = path.join(this.root, 'state');
  readonly dataDir = path.join(this.root, 'collector');
  readonly policyFile = path.join(this.root, 'policy.toml');
  collector: Program | null = null;
  /** Where it keeps things, and what it needs for that. */
  collectorPlace: readonly string[] = ['--data', this.dataDir];
  collectorEnv: Readonly<Record<string, string>> = {};
  collectorPort = 0;
  daemon: Program | null = null;
  /** Added to the daemon's environment. */
  extraEnv: Record<string, string> = {};

  env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: path.join(this.root, 'home'),
      TELEMETRYD_STATE_DIR: this.stateDir,
      TELEMETRYD_POLICY: this.policyFile,
      ...this.extraEnv,
    };
  }

  async startDisplay(): Promise<void> {
    await this.display.start();
  }

  async startCollector(): Promise<void> {
    const collector = new Program(
      NODE,
      [
        path.join(ROOT, 'dist/telemetry-collector.js'),
        'serve',
        ...this.collectorPlace,
        '--listen',
        `127.0.0.1:${this.collectorPort}`,
      ],
      { ...this.env(), ...this.collectorEnv },
    );
    this.collector = collector;
    const line = await until('the collector to listen', () =>
      /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(collector.out),
    );
    this.collectorPort = Number(line[1]);
  }

  get url(): string {
    return `http://127.0.0.1:${this.collectorPort}`;
  }

  writePolicy(overrides: Record<string, Record<string, string>> = {}): void {
    writeFileSync(this.policyFile, testPolicy(this.url, overrides), { mode: 0o600 });
  }

  async startDaemon(args: readonly string[] = []): Promise<void> {
    mkdirSync(path.join(this.root, 'home'), { recursive: true });
    // As it is shipped, with the flags of its own.
    const daemon = new Program(path.join(ROOT, 'bin/telemetryd'), ['run', ...args], {
      ...this.env(),
      ...(this.display.number < 0 ? {} : { DISPLAY: this.display.name }),
    });
    this.daemon = daemon;
    await until('the daemon to answer', async () => {
      if (!daemon.isRunning) throw new Error(`the daemon exited: ${daemon.out}`);
      return (await this.ctl('status', '--json')).code === 0;
    });
  }

  async ctl(...args: string[]): Promise<CtlResult> {
    const program = new Program(
      NODE,
      ['--disable-sigusr1', path.join(ROOT, 'dist/telemetryctl.js'), ...args],
      this.env(),
    );
    let stdout = '';
    let stderr = '';
    program.child.stdout?.on('data', (data: Buffer) => (stdout += data.toString()));
    program.child.stderr?.on('data', (data: Buffer) => (stderr += data.toString()));
    program.child.stdin?.end();
    const code = await program.exited;
    // `exit` may come before the last of the output.
    await new Promise((resolve) => setImmediate(resolve));
    return { code, stdout, stderr };
  }

  /** Runs telemetryctl and fails unless it exits with 0. */
  async ok(...args: string[]): Promise<string> {
    const result = await this.ctl(...args);
    if (result.code !== 0) {
      throw new Error(`telemetryctl ${args.join(' ')}: ${result.code}\n${result.stdout}${result.stderr}`);
    }
    return result.stdout;
  }

  async status(): Promise<StatusReport> {
    const { stdout } = await this.ctl('status', '--json');
    return JSON.parse(stdout) as StatusReport;
  }

  async waitFor(
    what: string,
    probe: (status: StatusReport) => boolean,
    timeoutMs?: number,
    between?: () => Promise<unknown>,
  ): Promise<StatusReport> {
    return await until(
      what,
      async () => {
        const status = await this.status();
        if (probe(status)) return status;
        await between?.();
        return undefined;
      },
      timeoutMs,
    );
  }

  async grant(): Promise<void> {
    await this.ok('consent', 'grant', '--yes');
    await this.waitFor('capture to begin', (status) => status.collection.state === 'capturing');
    // A hook that reports ready still needs a moment before its first event arrives.
    await sleep(300);
  }

  /** Starts a display, a collector and a daemon with this policy, and agrees: from now on the person is recorded. */
  async startRecording(policy: Record<string, Record<string, string>>): Promise<void> {
    await this.startDisplay();
    await this.startCollector();
    this.writePolicy(policy);
    await this.startDaemon();
    await this.grant();
  }

  /** The person's own keys, which open all that is recorded of them. */
  identities(): string[] {
    return readOwnerIdentities(path.join(this.root, 'home/.config/telemetryd/identity.txt')) ?? [];
  }

  /** Every event in the collector's files, in order of time. */
  async stored(): Promise<EventRecord[]> {
    return await eventsBelow(this.dataDir, this.identities());
  }

  /** Every event anywhere: state folder and collector. */
  async everything(): Promise<EventRecord[]> {
    const identities = this.identities();
    const sent = await eventsBelow(this.dataDir, identities);
    return [...sent, ...(await eventsBelow(this.stateDir, identities))].sort((a, b) => a.t - b.t);
  }

  /** Waits for the open segment to be rolled, then has everything sent. */
  async sendAll(): Promise<void> {
    await this.waitFor(
      'all to be sealed and sent',
      ({ spool, upload }) => {
        const waiting = spool.segments - upload.sent.totalSegments;
        return waiting <= 0 && upload.queued.segments === 0 && !upload.isSending;
      },
      60_000,
      () => this.ctl('upload', 'now', '--json'),
    );
  }

  /** Does something that is recorded, waits until it is in the journal, and kills the daemon in mid-segment. */
  async drawAndKill(draw: () => Promise<void>, events: number): Promise<void> {
    await this.waitFor('capture', ({ collection }) => collection.state === 'capturing');
    await sleep(300);
    const before = (await this.status()).capture.events.recorded;
    await draw();
    // All of it: a batch may end in the middle, and the child's next one is a second away.
    await this.waitFor('it to arrive', ({ capture }) => capture.events.recorded >= before + events);
    // One flush more.
    await sleep(1300);
    await this.daemon?.stop('SIGKILL');
  }

  /** Files in the collector's store. */
  storedFiles(): string[] {
    return segmentFiles(this.dataDir);
  }

  async close(): Promise<void> {
    await this.daemon?.stop();
    await this.collector?.stop();
    await this.display.stop();
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Every segment file below a folder, journals included. */
export function segmentFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tlm(\.age)?$/.test(entry.name))
    .map((entry) => path.join(entry.parentPath, entry.name));
}

async function eventsBelow(folder: string, identities: readonly string[]): Promise<EventRecord[]> {
  const events: EventRecord[] = [];
  for (const file of segmentFiles(folder)) {
    const bytes = readIfThere(file);
    if (bytes === undefined || bytes.length === 0) continue;
    events.push(...(await openSegment(bytes, { identities })).events());
  }
  return events.sort((a, b) => a.t - b.t);
}

/** The daemon may have moved a file on since it was listed. */
export function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
