import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SystemClock } from '../conditions/clock-node.ts';
import { locations } from '../control/locations.ts';
import { EXIT, TelemetryError } from '../core/errors.ts';
import { forbidDumps } from '../posix/dumpable.ts';
import { openLibc } from '../posix/libc-koffi.ts';
import { tagAsCache } from '../spool/cachedir-tag.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { acquireProcessLock } from '../spool/process-lock.ts';
import type { Daemon } from './daemon.ts';
import { daemonLog } from './log-node.ts';
import { simulatedBy } from './machine-conditions.ts';
import { type PersonDaemon, personDaemon, type Stop } from './person-daemon-node.ts';
import { type RunOptions, usage } from './run-options-node.ts';
import { SeatPersons } from './seat-persons-node.ts';
import { serviceManager } from './service-manager-node.ts';

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
  const log = daemonLog({ level: options.logLevel, env, libc: bridge.libc, stdout: 1 });
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
