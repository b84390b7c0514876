import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { StatusReport } from '../../src/core/status.ts';
import { ROOT, until } from '../e2e/desk.ts';

const IS_ROOT = process.getuid?.() === 0;
/** An ordinary account: only of such a one can it be seen from outside whether its processes may be looked into. */
const ORDINARY = IS_ROOT ? 65_534 : (process.getuid?.() ?? 0);
const AS_ORDINARY = IS_ROOT ? { uid: ORDINARY, gid: ORDINARY } : {};

/**
 * Files below /proc/<pid> belong to the process's account unless it forbids to be looked into: then to root (proc(5)).
 * The daemon has the same look at its child, and must measure it none the less.
 */
it.runIf(process.platform === 'linux')(
  'the daemon and its capture process may not be looked into, and their cost is measured all the same',
  async ({ skip }) => {
    skip(!isReadableByAll(), 'dist/ lies where no other account may read it');
    const folder = mkdtempSync(path.join(tmpdir(), 'dumpable-'));
    const recording = path.join(folder, 'slow.csv');
    // A movement every 20 ms for a minute.
    const moves = Array.from({ length: 3000 }, (_, i) => `${i * 20_000},0,${i},${i % 100},0,0`);
    writeFileSync(recording, ['t_us,kind,x,y,a,b', ...moves, ''].join('\n'));
    mkdirSync(path.join(folder, 'home'));
    for (const name of ['', 'slow.csv', 'home']) chownSync(path.join(folder, name), ORDINARY, ORDINARY);
    chmodSync(folder, 0o700);
    const daemon = spawn(
      process.execPath,
      [path.join(ROOT, 'dist/telemetryd.js'), 'run', '--replay', recording],
      {
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: path.join(folder, 'home'),
          TELEMETRYD_STATE_DIR: path.join(folder, 'state'),
        },
        stdio: 'ignore',
        ...AS_ORDINARY,
      },
    );
    onTestFinished(async () => {
      const isGone = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill();
      await isGone;
      rmSync(folder, { recursive: true, force: true });
    });
    const socket = path.join(folder, 'state/replay/run/control.sock');
    const report = await until('the recording to play', () => {
      const status = existsSync(socket) ? statusOf(socket) : undefined;
      return status?.capture.alive === true && status.capture.events.recorded > 0 ? status : undefined;
    });
    const { pid } = report.daemon;
    const child = report.capture.pid;
    expect([ownerOf(pid), ownerOf(child)]).toEqual([0, 0]);
    expect([accountOf(pid), accountOf(child)]).toEqual([ORDINARY, ORDINARY]);
    expect(report.collection.reasons.map(({ code }) => code)).not.toContain('memory-readable');
    const daemonOnly = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
    expect(report.cost.rssBytes).toBeGreaterThan(daemonOnly * 1.3);
  },
);

/** The report as the person themself gets it: others, root among them, are told little. */
function statusOf(socket: string): StatusReport | undefined {
  const { status, stdout } = spawnSync(
    process.execPath,
    [path.join(ROOT, 'dist/telemetryctl.js'), 'status', '--json'],
    {
      env: { PATH: process.env['PATH'] ?? '', TELEMETRYD_SOCKET: socket },
      encoding: 'utf8',
      ...AS_ORDINARY,
    },
  );
  return status === 0 ? (JSON.parse(stdout) as StatusReport) : undefined;
}

function ownerOf(pid: number | null): number {
  return statSync(`/proc/${pid}/environ`).uid;
}

function accountOf(pid: number | null): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Another account must be able to run what was built. */
function isReadableByAll(): boolean {
  if (!IS_ROOT) return true;
  for (let folder = path.join(ROOT, 'dist'); folder !== '/'; folder = path.dirname(folder)) {
    if ((statSync(folder).mode & 0o005) !== 0o005) return false;
  }
  return (statSync(path.join(ROOT, 'dist/telemetryd.js')).mode & 0o004) !== 0;
}
