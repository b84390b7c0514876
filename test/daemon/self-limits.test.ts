import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { ChildCommand } from '../../src/core/capture.ts';
import type { Log } from '../../src/core/clock.ts';
import type { Session, SessionSource } from '../../src/core/conditions.ts';
import { NODE_FLAGS } from '../../src/core/node-flags.ts';
import type { CaptureProcess } from '../../src/daemon/collection-driver.ts';
import { Daemon } from '../../src/daemon/daemon.ts';
import { ReplayClock } from '../../src/daemon/replay-clock-node.ts';
import { SelfLimits } from '../../src/daemon/self-limits.ts';
import { NodeTimers } from '../../src/daemon/timers-node.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { ROOT, until } from '../e2e/desk.ts';
import { HandClock } from './hand-clock.ts';
import { AC, HandSource, WIFI } from './hand-sources.ts';
import { loadedFrom } from './policies.ts';

const SILENT_DESKTOP = { notify: () => undefined, withdraw: () => undefined };
const SILENT: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
const HEARTBEAT_MS = 250;
/** Positions a second in the recording. */
const RECORDED_HZ = 500;

/** A session that is never locked, on a machine that never sleeps. */
class UnlockedSession extends HandSource<Session> implements SessionSource {
  onSleep(): void {
    // Never.
  }
}

/** A daemon in this process with a real capture process, which plays a fast mouse in real time. */
async function playing(limits: string): Promise<Daemon> {
  const folder = mkdtempSync(path.join(tmpdir(), 'limits-'));
  const recording = path.join(folder, 'fast.csv');
  const moves = Array.from(
    { length: 60 * RECORDED_HZ },
    (_, i) => `${(i * 1e6) / RECORDED_HZ},0,${i},${(i * 7) % 900},0,0`,
  );
  writeFileSync(recording, ['t_us,kind,x,y,a,b', ...moves, ''].join('\n'));
  const stateDir = path.join(folder, 'state');
  mkdirSync(stateDir, { mode: 0o700 });
  const clock = new ReplayClock(1);
  const daemon = new Daemon(
    {
      version: '0',
      mode: 'foreground',
      stateDir,
      socketPath: path.join(stateDir, 'run', 'control.sock'),
      isSimulated: false,
      backend: null,
      replay: { file: recording, speed: 1 },
      uid: process.getuid?.() ?? 0,
      serviceUid: process.getuid?.() ?? 0,
      revocationPath: null,
      notes: [],
    },
    {
      clock,
      timers: new NodeTimers(clock),
      log: SILENT,
      random: Math.random,
      randomBytes,
      power: new HandSource(AC),
      network: new HandSource(WIFI),
      session: new UnlockedSession({ lock: 'unlocked', sources: [] }),
      notifiers: { recording: SILENT_DESKTOP, exemptions: SILENT_DESKTOP },
      peerUid: null,
      loadPolicy: () => Promise.resolve(loadedFrom(`capture.mouse_hz = 500\n${limits}`)),
      captureProgram: {
        execPath: process.execPath,
        flags: NODE_FLAGS,
        entryFile: path.join(ROOT, 'dist/capture-child.js'),
        env: { PATH: process.env['PATH'] ?? '' },
      },
      startUploader: () => {
        throw new Error('nothing is to be sent');
      },
      keyFolder: null,
      seal: () => Promise.reject(new Error('nothing is to be encrypted')),
      replayEnded: () => undefined,
      advanceTo: (recordedMs) => clock.advanceTo(recordedMs),
      heartbeatMs: HEARTBEAT_MS,
      manager: { alive: () => undefined, collectionIs: () => undefined },
    },
  );
  onTestFinished(async () => {
    await daemon.stop('the test is over');
    rmSync(folder, { recursive: true, force: true });
  });
  await daemon.start();
  await until('capture', () => daemon.recorder.recordedEvents > 0);
  return daemon;
}

function reason(daemon: Daemon, code: string): string | undefined {
  return daemon.status().collection.reasons.find((one) => one.code === code)?.text;
}

it('keeps fewer positions over the limit, says why, and goes on', async () => {
  const daemon = await playing('limits.cpu = "0.1%"\nlimits.memory = "4GB"');
  await until('the last step', () =>
    /read every 250 ms, and at most 30 positions/.test(reason(daemon, 'over-cpu-limit') ?? ''),
  );
  // What was on its way before arrives first.
  const before = await until('the child to obey', () => {
    const { recorded, thinned } = daemon.status().capture.events;
    return thinned > 0 ? { recorded, thinned } : undefined;
  });
  const after = await until('more of it', () => {
    const { recorded, thinned } = daemon.status().capture.events;
    return thinned >= before.thinned + 2 * RECORDED_HZ ? { recorded, thinned } : undefined;
  });
  // Of two seconds or more 30 a second are kept, where the policy alone would keep all.
  expect(after.recorded - before.recorded).toBeLessThan(0.2 * (after.thinned - before.thinned));
  expect(daemon.status().collection.state).toBe('capturing');
  const [own, capture] = daemon.status().cost.processes;
  expect([own?.pid, capture?.pid]).toEqual([process.pid, daemon.collection.childPid]);
  expect(capture?.cpuSeconds).toBeGreaterThan(0);
});

it('starts the capture process anew over the memory limit, and not again for ten minutes', () => {
  const clock = new HandClock();
  const commands: ChildCommand[] = [];
  let restarts = 0;
  let rssBytes = 170_000_000;
  const child: CaptureProcess = {
    pid: 1,
    send: (command) => commands.push(command),
    kill: () => undefined,
    stop: () => Promise.resolve(),
  };
  const limits = new SelfLimits({
    clock,
    log: SILENT,
    policy: () => DEFAULT_POLICY,
    reading: () => ({ cpuFraction: 0, rssBytes }),
    child: () => child,
    restartChild: () => restarts++,
  });
  const codes = (): string[] => limits.notes.map(({ code }) => code);
  limits.beat();
  expect([restarts, codes()]).toEqual([1, ['over-memory-limit']]);
  for (let minute = 1; minute <= 9; minute++) {
    clock.advance(60_000);
    limits.beat();
  }
  expect(restarts).toBe(1);
  clock.advance(60_000);
  limits.beat();
  expect(restarts).toBe(2);
  rssBytes = 100_000_000;
  limits.beat();
  expect([restarts, codes(), commands]).toEqual([2, [], []]);
});

it('tells a new capture process what the one before it was told, and takes it back when the cost falls', () => {
  const commands: ChildCommand[] = [];
  let cpuFraction = 0.05;
  const child: CaptureProcess = {
    pid: 1,
    send: (command) => commands.push(command),
    kill: () => undefined,
    stop: () => Promise.resolve(),
  };
  const limits = new SelfLimits({
    clock: new HandClock(),
    log: SILENT,
    policy: () => DEFAULT_POLICY,
    reading: () => ({ cpuFraction, rssBytes: 0 }),
    child: () => child,
    restartChild: null,
  });
  limits.childReady();
  limits.beat();
  limits.childReady();
  expect(commands).toEqual(Array.from({ length: 2 }, () => ({ type: 'tune', burstMs: 250, mouseHz: 125 })));
  cpuFraction = 0;
  for (let i = 0; i < 3; i++) limits.beat();
  expect(commands.at(-1)).toEqual({ type: 'tune', burstMs: 100, mouseHz: 125 });
  expect(limits.notes).toEqual([]);
});

it('says and does nothing within the limits', async () => {
  const daemon = await playing('limits.cpu = "100%"\nlimits.memory = "4GB"');
  await new Promise((resolve) => setTimeout(resolve, 4 * HEARTBEAT_MS));
  expect([reason(daemon, 'over-cpu-limit'), reason(daemon, 'over-memory-limit')]).toEqual([
    undefined,
    undefined,
  ]);
  expect(daemon.status().capture.events.thinned).toBe(0);
});
