import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { StatusReport } from '../../src/core/status.ts';
import { findProgram } from '../../src/demo/program-node.ts';
import { shellWord } from '../../src/demo/words.ts';
import { isAlive, Watched } from './script.ts';

const REPO = fileURLToPath(new URL('../..', import.meta.url));
const START = [process.execPath, '--disable-sigusr1', join(REPO, 'dist/start.js')];
const PATH = process.env['PATH'] ?? '';
const canRun = ['Xvfb', 'xdotool', 'script', 'setpriv'].every(
  (name) => findProgram(name, PATH) !== undefined,
);

describe.runIf(canRun)('npm start', { timeout: 120_000 }, () => {
  it('waits for consent, records after the one command that gives it, and seals at Ctrl-C', async () => {
    const place = new Place();
    const demo = place.start();
    const [, grant = ''] = await demo.says(/To agree: (.+)\n/, 60_000);
    await demo.says(/^awaiting-consent/m);
    expect(demo.output).not.toContain('\x1b');
    place.moveThePointer(demo);
    expect(place.status().capture).toMatchObject({ alive: false, events: { recorded: 0 } });

    const granted = spawnSync('sh', ['-c', grant], { cwd: REPO, env: place.env, encoding: 'utf8' });
    expect(granted).toMatchObject({ status: 0 });
    await demo.says(/^capturing/m, 30_000);
    await expect
      .poll(() => place.moveThePointer(demo).status().capture.events.recorded, { timeout: 30_000 })
      .toBeGreaterThan(5);

    demo.child.kill('SIGINT');
    demo.child.kill('SIGINT');
    expect(await demo.ends()).toBe(0);
    const [, events] = await demo.says(/Stopped\. (\d+) events recorded/);
    expect(Number(events)).toBeGreaterThan(5);
    expect(
      readdirSync(join(place.stateDir, 'sealed')).filter((name) => name.endsWith('.tlm.age')),
    ).toHaveLength(1);
    expect(readdirSync(join(place.stateDir, 'journal'))).toEqual([]);
  });

  it('shows the notice and asks on a terminal', async () => {
    const place = new Place();
    const demo = new Watched(
      'script',
      ['-qefc', `exec ${START.map(shellWord).join(' ')}`, '/dev/null'],
      place.env,
    );
    await demo.says(/Record on these terms\? \[y\/N\] /, 60_000);
    expect(place.status().consent.state).toBe('missing');
    demo.child.stdin.write('y\n');
    await demo.says(/\x1b\[Kcapturing/, 30_000);
    expect(place.status().consent.state).toBe('granted');
    demo.child.stdin.write('\x03');
    await demo.says(/Stopped\./);
    expect(await demo.ends()).toBe(0);
  });

  it('takes everything with it when it is killed', async () => {
    const place = new Place();
    const demo = place.start();
    await demo.says(/^awaiting-consent/m, 60_000);
    const { pid } = place.status().daemon;
    const processes = [pid ?? 0, ...place.processes()];
    expect(processes.length).toBeGreaterThanOrEqual(2);
    demo.child.kill('SIGKILL');
    await expect.poll(() => processes.filter(isAlive), { timeout: 10_000 }).toEqual([]);
  });

  it('says which program died, and stops the others', async () => {
    const place = new Place();
    const demo = place.start();
    await demo.says(/^awaiting-consent/m, 60_000);
    process.kill(place.status().daemon.pid ?? Number.NaN, 'SIGKILL');
    expect(await demo.ends()).toBe(1);
    expect(demo.output).toMatch(/telemetryd: telemetryd ended: killed by SIGKILL\.\nTry: tail /);
    expect(place.processes().filter(isAlive)).toEqual([]);
  });

  it('leaves a daemon that is already running there alone', async () => {
    const place = new Place();
    const first = place.start();
    await first.says(/^awaiting-consent/m, 60_000);
    const second = place.start();
    expect(await second.ends()).toBe(1);
    expect(second.output).toMatch(/A daemon is already running here .*\nTry: /);
    expect(place.status().daemon.pid).not.toBeNull();
    first.child.kill('SIGTERM');
    expect(await first.ends()).toBe(0);
  });
});

/** A home of its own for one demonstration, on a machine without a display. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'telemetryd-start-'));
  readonly stateDir = join(this.folder, 'state');
  readonly env = {
    PATH,
    HOME: this.folder,
    XDG_DATA_HOME: join(this.folder, 'data'),
    TELEMETRYD_STATE_DIR: this.stateDir,
  };

  constructor() {
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true, maxRetries: 10 }));
  }

  start(): Watched {
    const [node = '', ...args] = START;
    const demo = new Watched(node, args, this.env);
    onTestFinished(async () => {
      demo.child.kill('SIGTERM');
      await demo.ends();
    });
    return demo;
  }

  status(): StatusReport {
    const args = ['--disable-sigusr1', join(REPO, 'dist/telemetryctl.js'), 'status', '--json'];
    const { stdout } = spawnSync(process.execPath, args, { env: this.env, encoding: 'utf8' });
    return JSON.parse(stdout) as StatusReport;
  }

  /** Types the command that the demonstration names for a hidden display, with a move there and back. */
  moveThePointer(demo: Watched): this {
    const [, display = ''] = /^ {2}(DISPLAY=\S+ XAUTHORITY=\S+) xdotool/m.exec(demo.output) ?? [];
    const moves = 'xdotool mousemove 10 10 sleep 0.05 mousemove 300 200 click 1';
    spawnSync('sh', ['-c', `${display} ${moves}`], { env: this.env });
    return this;
  }

  /** Processes with this place in their environment: the display's server, the daemon and all it starts. */
  processes(): number[] {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.map(Number).filter((pid) => environmentOf(pid).includes(this.stateDir));
  }
}

/** Empty when the process is gone or does not let itself be read. */
function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
