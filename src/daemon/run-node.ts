import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SystemClock } from '../conditions/clock-node.ts';
import { type Locations, locations } from '../control/locations.ts';
import type { PeerUid } from '../control/peer.ts';
import type { Clock } from '../core/clock.ts';
import { EXIT, messageOf, TelemetryError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import { loadPolicy } from '../policy/policy-process.ts';
import { dumpNotes, forbidDumps } from '../posix/dumpable.ts';
import { type OpenedLibc, openLibc } from '../posix/libc-koffi.ts';
import { peerOf } from '../posix/peer-credentials.ts';
import { revocationPathOf } from '../privacy/consent-file.ts';
import { tagAsCache } from '../spool/cachedir-tag.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { findKeyFolder } from '../spool/key-folder.ts';
import { acquireProcessLock } from '../spool/process-lock.ts';
import { runSealerProcess } from '../spool/sealer-process.ts';
import { Daemon } from './daemon.ts';
import { daemonLog } from './log-node.ts';
import { machineConditions, simulatedBy } from './machine-conditions.ts';
import { PolicyWatch } from './policy-watch-node.ts';
import { CAPTURE_FLAGS, captureEnvironment, helperEnvironment, NODE_FLAGS, programPath } from './programs.ts';
import { ReplayClock } from './replay-clock-node.ts';
import { NodeTimers } from './timers-node.ts';
import { startUploader } from './uploader-process-node.ts';

/** A dead capture process is found out within a minute: 45 s, 5 s of grace for young events, 10 s for an answer. */
const HEARTBEAT_MS = 45_000;
const MODES = ['user', 'system', 'foreground'] as const;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export interface RunOptions {
  readonly backend: string | null;
  readonly replay: { readonly file: string; readonly speed: number | 'max' } | null;
  readonly mode: (typeof MODES)[number];
  readonly isUntilStdinCloses: boolean;
  readonly logLevel: (typeof LEVELS)[number];
}

/** The options of `telemetryd run` as commander gives them; throws a usage error for values that are none. */
export function parseRunOptions(options: Record<string, unknown>): RunOptions {
  const { backend, replay, speed, mode, untilStdinCloses, logLevel } = options;
  if (typeof replay === 'string' && !existsSync(replay)) {
    throw usage(`${replay} does not exist`, 'name a recording with columns t_us,kind,x,y,a,b');
  }
  return {
    backend:
      typeof backend === 'string' ? oneOf('--backend', backend, ['auto', 'x11', 'uiohook', 'evdev']) : null,
    replay: typeof replay === 'string' ? { file: resolve(replay), speed: parseSpeed(String(speed)) } : null,
    mode: oneOf('--mode', String(mode), MODES),
    isUntilStdinCloses: untilStdinCloses === true,
    logLevel: oneOf('--log-level', String(logLevel), LEVELS),
  };
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (text.trim() !== '' && speed > 0 && speed <= 1000) return speed;
  throw usage(`--speed ${text} is not a speed`, 'a number above 0 and up to 1000, or max');
}

function oneOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw usage(`${option} ${text} is not known`, `one of ${words.join(', ')}`);
}

/**
 * Runs the daemon until a signal, the end of standard input where that was asked for, or the end of a replay. Resolves
 * with the exit code when everything is on disk.
 */
export async function runDaemon(options: RunOptions): Promise<number> {
  process.umask(0o077);
  // Before any key is made or read.
  const bridge = openLibc();
  const notes = dumpNotes('daemon', forbidDumps(bridge, process.platform));
  const { env } = process;
  const around = {
    env,
    uid: process.getuid?.() ?? 0,
    platform: process.platform,
    home: homedir(),
    cwd: process.cwd(),
  };
  const place = locations(around);
  checkSimulation(options, env);
  const stateDir = options.replay === null ? place.stateDir : join(place.stateDir, 'replay');
  const socketPath = options.replay === null ? place.socketPath : join(stateDir, 'run', 'control.sock');
  mkdirSync(place.stateDir, { recursive: true, mode: 0o700 });
  ensureFolder(stateDir);
  tagAsCache(place.stateDir);
  const machineClock = new SystemClock();
  const lock = acquireProcessLock(stateDir, machineClock.bootId);
  const log = daemonLog({ level: options.logLevel, env, libc: bridge.libc, stdout: 1 });
  const replayClock = options.replay === null ? null : new ReplayClock(options.replay.speed);
  const clock: Clock = replayClock ?? machineClock;
  const speed = options.replay?.speed ?? 1;
  const timers = new NodeTimers(clock, speed === 'max' ? Infinity : speed);
  const conditions = machineConditions(env, around.uid, around.platform);
  const stopping = Promise.withResolvers<{ cause: string; problem: string | null }>();
  const daemon = new Daemon(
    {
      version: VERSION,
      mode: options.mode,
      stateDir,
      socketPath,
      isSimulated: simulatedBy(env) !== null,
      backend: options.backend,
      replay: options.replay,
      uid: around.uid,
      revocationPath: options.replay === null ? revocationPathOf(place.identityPath) : null,
      serviceUid: around.uid,
      notes,
    },
    {
      clock,
      timers,
      log,
      random: Math.random,
      randomBytes,
      power: conditions.power,
      network: conditions.network,
      session: conditions.session,
      notifiers: conditions.notifiers,
      loadPolicy: () => loadPolicy(policyPaths(place, options.mode, around.uid), policyProgram(env)),
      captureProgram: {
        execPath: process.execPath,
        flags: CAPTURE_FLAGS,
        entryFile: programPath('capture-child'),
        env: captureEnvironment(env),
      },
      startUploader: () =>
        startUploader(
          process.execPath,
          [...NODE_FLAGS, programPath('telemetry-uploader'), socketPath],
          helperEnvironment(env),
          log,
        ),
      peerUid: peerUid(bridge),
      keyFolder: findKeyFolder(dirname(socketPath), stateDir, around.uid),
      seal: (order) => runSealerProcess(order, sealerProgram(env)),
      replayEnded: (problem) => stopping.resolve({ cause: 'the recording ended', problem }),
      advanceTo: (recordedMs) => replayClock?.advanceTo(recordedMs),
      heartbeatMs: HEARTBEAT_MS,
    },
  );
  const onSignal = (signal: NodeJS.Signals): void => stopping.resolve({ cause: signal, problem: null });
  process.on('SIGTERM', onSignal).on('SIGINT', onSignal);
  const reload = (): void => {
    daemon.reloadPolicy().catch((error: unknown) => {
      log.error({ event: 'policy-not-read', err: messageOf(error) }, 'the policy could not be read again');
    });
  };
  process.on('SIGHUP', reload);
  const policyWatch = new PolicyWatch(policyPaths(place, options.mode, around.uid), reload);
  if (options.isUntilStdinCloses) {
    process.stdin
      .resume()
      .once('close', () => stopping.resolve({ cause: 'standard input closed', problem: null }));
  }
  try {
    await daemon.start();
    policyWatch.start();
    const { cause, problem } = await stopping.promise;
    await daemon.stop(cause);
    if (options.replay !== null) printTotals(daemon, stateDir);
    if (problem === null) return EXIT.ok;
    throw new TelemetryError('failed', problem, {
      op: 'replay',
      hint: 'mend the recording; what came before is sealed',
    });
  } catch (error) {
    await daemon.stop('it failed').catch(() => undefined);
    throw error;
  } finally {
    policyWatch.stop();
    process.stdin.pause();
    conditions.stop();
    lock.release();
  }
}

/** How connections to the control socket are told apart; `null` where the bridge to the system is missing. */
function peerUid({ libc }: OpenedLibc): PeerUid | null {
  return libc === null ? null : (fd) => peerOf(libc, fd, process.platform)?.uid ?? null;
}

/** What a replay made of its recording. */
function printTotals(daemon: Daemon, stateDir: string): void {
  const { recordedEvents, loss } = daemon.recorder;
  const { bytes, segments } = daemon.spool.stats();
  const perEvent = recordedEvents === 0 ? 0 : daemon.sealer.sealedBytes / recordedEvents;
  process.stdout.write(
    `Replayed ${recordedEvents} events (${loss.thinned} thinned, ${loss.redacted} redacted, ${loss.dropped} dropped)` +
      ` into ${daemon.sealer.sealedBytes} bytes, ${perEvent.toFixed(2)} bytes an event.\n` +
      `${stateDir} holds ${segments} segments, ${bytes} bytes.\n`,
  );
}

/** A simulated machine is for tests and containers: a service must not be told by its environment that it is on Wi-Fi. */
function checkSimulation(options: RunOptions, env: NodeJS.ProcessEnv): void {
  const variable = simulatedBy(env);
  if (options.mode === 'foreground' || variable === null) return;
  throw usage(
    `${variable} works in the foreground mode only`,
    'unset it, or start telemetryd run without --mode',
  );
}

function policyPaths(place: Locations, mode: RunOptions['mode'], uid: number) {
  const existing = place.policyPaths.find((path) => existsSync(path));
  return {
    policyFile: existing ?? place.policyPaths[0] ?? '/etc/telemetryd/policy.toml',
    preferencesFile: place.preferencesPath,
    isSystem: mode === 'system',
    personUid: uid,
    isPolicyRequired: process.env['TELEMETRYD_POLICY'] !== undefined,
  };
}

function policyProgram(env: NodeJS.ProcessEnv) {
  return {
    execPath: process.execPath,
    execArgv: NODE_FLAGS,
    entry: programPath('policy-loader'),
    env: helperEnvironment(env),
    timeoutMs: 10_000,
  };
}

function sealerProgram(env: NodeJS.ProcessEnv) {
  return {
    execPath: process.execPath,
    args: [...NODE_FLAGS, programPath('segment-sealer')],
    env: helperEnvironment(env),
    timeoutMs: 60_000,
  };
}

function usage(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'run', hint });
}
