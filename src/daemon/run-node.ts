import { existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import pino from 'pino';
import { SystemClock } from '../conditions/clock-node.ts';
import { locations } from '../control/locations.ts';
import { EXIT, TelemetryError } from '../core/errors.ts';
import { forbidDumps } from '../posix/dumpable.ts';
import { openLibc } from '../posix/libc-koffi.ts';
import { tagAsCache } from '../spool/cachedir-tag.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { acquireProcessLock } from '../spool/process-lock.ts';
import type { Daemon } from './daemon.ts';
import { simulatedBy } from './machine-conditions.ts';
import { type PersonDaemon, personDaemon, type Stop } from './person-daemon-node.ts';
import { SeatPersons } from './seat-persons-node.ts';
import { serviceManager } from './service-manager-node.ts';

const MODES = ['user', 'system', 'foreground'] as const;
const UPLOADERS = ['child', 'service'] as const;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

export interface RunOptions {
  readonly backend: string | null;
  readonly replay: { readonly file: string; readonly speed: number | 'max' } | null;
  readonly mode: (typeof MODES)[number];
  /** Who starts the uploader: the daemon, or a service manager that watches `outbox` beside the control socket. */
  readonly uploader: (typeof UPLOADERS)[number];
  readonly isUntilStdinCloses: boolean;
  readonly logLevel: (typeof LEVELS)[number];
}

/** The options of `telemetryd run` as commander gives them; throws a usage error for values that are none. */
export function parseRunOptions(options: Record<string, unknown>): RunOptions {
  const { backend, replay, speed, mode, uploader, untilStdinCloses, logLevel } = options;
  if (typeof replay === 'string' && !existsSync(replay)) {
    throw usage(`${replay} does not exist`, 'name a recording with columns t_us,kind,x,y,a,b');
  }
  return {
    backend:
      typeof backend === 'string' ? oneOf('--backend', backend, ['auto', 'x11', 'uiohook', 'evdev']) : null,
    replay: typeof replay === 'string' ? { file: resolve(replay), speed: parseSpeed(String(speed)) } : null,
    mode: oneOf('--mode', String(mode), MODES),
    uploader: oneOf('--uploader', String(uploader), UPLOADERS),
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
 * with the exit code when everything is on disk. The system service does that for one person after the other, as they
 * come to the machine.
 */
export async function runDaemon(options: RunOptions): Promise<number> {
  process.umask(0o077);
  // Before any key is made or read.
  const bridge = openLibc();
  const dumpProblem = forbidDumps(bridge, process.platform);
  const { env } = process;
  const uid = process.getuid?.() ?? 0;
  const isService = options.mode === 'system' && options.replay === null;
  const place = locations({
    env,
    uid,
    platform: process.platform,
    home: homedir(),
    cwd: process.cwd(),
    isSystemService: isService,
  });
  checkSimulation(options, env);
  const stateDir = options.replay === null ? place.stateDir : join(place.stateDir, 'replay');
  mkdirSync(place.stateDir, { recursive: true, mode: 0o700 });
  ensureFolder(stateDir);
  tagAsCache(place.stateDir);
  const clock = new SystemClock();
  const lock = acquireProcessLock(stateDir, clock.bootId);
  const log = pino({ level: options.logLevel, base: { pid: process.pid } });
  const manager = serviceManager(env, bridge, log);
  const stopping = Promise.withResolvers<Stop>();
  const stopFor = (cause: string): void => stopping.resolve({ cause, problem: null });
  process.on('SIGTERM', stopFor).on('SIGINT', stopFor);
  if (options.isUntilStdinCloses)
    process.stdin.resume().once('close', () => stopFor('standard input closed'));
  const persons = isService ? new SeatPersons(stateDir, env) : null;
  let running: PersonDaemon | null = null;
  const reload = (): void => running?.reload();
  process.on('SIGHUP', reload);
  try {
    let person = persons === null ? uid : persons.start();
    for (;;) {
      running = personDaemon({
        options,
        place,
        stateDir,
        person,
        persons,
        serviceUid: uid,
        env,
        bridge,
        dumpProblem,
        machineClock: clock,
        log,
        manager,
        ended: (stop) => stopping.resolve(stop),
      });
      await running.daemon.start();
      running.started();
      manager.ready();
      const next = await Promise.race([
        stopping.promise,
        ...(persons === null ? [] : [persons.otherThan(person)]),
      ]);
      if (typeof next === 'number') {
        await running.stop('somebody else is at this machine');
        person = next;
        continue;
      }
      manager.stopping();
      await running.stop(next.cause);
      if (options.replay !== null) printTotals(running.daemon, stateDir);
      if (next.problem === null) return EXIT.ok;
      throw new TelemetryError('failed', next.problem, {
        op: 'replay',
        hint: 'mend the recording; what came before is sealed',
      });
    }
  } catch (error) {
    await running?.stop('it failed').catch(() => undefined);
    throw error;
  } finally {
    persons?.stop();
    process.stdin.pause();
    lock.release();
  }
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

function usage(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'run', hint });
}
