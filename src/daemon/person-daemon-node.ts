import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Locations } from '../control/locations.ts';
import type { PeerUid } from '../control/peer.ts';
import type { Clock, Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { NODE_FLAGS } from '../core/node-flags.ts';
import { VERSION } from '../core/version.ts';
import { loadPolicy } from '../policy/policy-process.ts';
import { dumpNotes } from '../posix/dumpable.ts';
import type { OpenedLibc } from '../posix/libc-koffi.ts';
import { peerOf } from '../posix/peer-credentials.ts';
import { revocationPathOf } from '../privacy/consent-file.ts';
import { findKeyFolder } from '../spool/key-folder.ts';
import { runSealerProcess } from '../spool/sealer-process.ts';
import { Daemon } from './daemon.ts';
import { machineConditions, simulatedBy } from './machine-conditions.ts';
import { PolicyWatch } from './policy-watch-node.ts';
import { CAPTURE_FLAGS, captureEnvironment, helperEnvironment, programPath } from './programs.ts';
import { ReplayClock } from './replay-clock-node.ts';
import type { RunOptions } from './run-options-node.ts';
import type { SeatPersons } from './seat-persons-node.ts';
import type { ServiceManager } from './service-manager-node.ts';
import { NodeTimers } from './timers-node.ts';
import { startUploader } from './uploader-process-node.ts';
import { UploaderService } from './uploader-service-node.ts';

/** A dead capture process is found out within a minute: 45 s, 5 s of grace for young events, 10 s for an answer. */
const HEARTBEAT_MS = 45_000;

/** Why a daemon ends, and what went wrong. */
export interface Stop {
  readonly cause: string;
  readonly problem: string | null;
}

/** What the daemons of one process have in common, and whose this one is. */
export interface PersonDaemonParts {
  readonly options: RunOptions;
  readonly place: Locations;
  readonly stateDir: string;
  /** The account whose input it is. */
  readonly person: number;
  /** Set in the system service: everyone has a folder of their own below the state folder. */
  readonly persons: SeatPersons | null;
  readonly serviceUid: number;
  readonly env: NodeJS.ProcessEnv;
  readonly bridge: OpenedLibc;
  readonly dumpProblem: string | null;
  readonly machineClock: Clock;
  readonly log: Log;
  readonly manager: ServiceManager;
  /** A replay is over. */
  readonly ended: (stop: Stop) => void;
}

/** A daemon with all that the machine gives it. */
export interface PersonDaemon {
  readonly daemon: Daemon;
  /** It has started. */
  started(): void;
  /** The files of the policy may have changed. */
  reload(): void;
  /** Resolves when everything is on disk and let go of. */
  stop(cause: string): Promise<void>;
}

/** The daemon for one person, not yet started. */
export function personDaemon(parts: PersonDaemonParts): PersonDaemon {
  const { options, place, person, persons, env, bridge, machineClock, log, manager } = parts;
  const stateDir = persons === null ? parts.stateDir : persons.folderOf(parts.stateDir, person);
  const socketPath = options.replay === null ? place.socketPath : join(stateDir, 'run', 'control.sock');
  const runtimeDir = dirname(socketPath);
  const replayClock = options.replay === null ? null : new ReplayClock(options.replay.speed);
  const clock: Clock = replayClock ?? machineClock;
  const speed = options.replay?.speed ?? 1;
  const timers = new NodeTimers(clock, speed === 'max' ? Infinity : speed);
  const conditions = machineConditions(env, person, process.platform, persons !== null);
  const paths = policyPaths(place, options.mode, person, env);
  const uploaders = new UploaderService({ folder: join(runtimeDir, 'outbox'), clock, timers, log });
  if (options.uploader === 'service') uploaders.prepare();
  const daemon = new Daemon(
    {
      version: VERSION,
      mode: options.mode,
      stateDir,
      socketPath,
      isSimulated: simulatedBy(env) !== null,
      backend: options.backend,
      replay: options.replay,
      uid: person,
      // The system service has no way into anyone's home.
      revocationPath:
        options.replay === null && persons === null ? revocationPathOf(place.identityPath) : null,
      serviceUid: parts.serviceUid,
      notes: dumpNotes('daemon', parts.dumpProblem),
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
      loadPolicy: () => loadPolicy(paths, policyProgram(env)),
      captureProgram: {
        execPath: process.execPath,
        flags: CAPTURE_FLAGS,
        entryFile: programPath('capture-child'),
        env: captureEnvironment(env),
      },
      startUploader: () =>
        options.uploader === 'service'
          ? uploaders.start()
          : startUploader(
              process.execPath,
              [...NODE_FLAGS, programPath('telemetry-uploader'), socketPath],
              helperEnvironment(env),
              log,
            ),
      peerUid: peerUid(bridge),
      keyFolder: findKeyFolder(
        persons === null ? runtimeDir : persons.folderOf(join(runtimeDir, 'keys'), person),
        stateDir,
        parts.serviceUid,
      ),
      seal: (order) => runSealerProcess(order, sealerProgram(env)),
      replayEnded: (problem) => parts.ended({ cause: 'the recording ended', problem }),
      advanceTo: (recordedMs) => replayClock?.advanceTo(recordedMs),
      heartbeatMs: Math.min(HEARTBEAT_MS, manager.aliveEveryMs ?? HEARTBEAT_MS),
      manager,
    },
  );
  const reload = (): void => {
    daemon.reloadPolicy().catch((error: unknown) => {
      log.error({ event: 'policy-not-read', err: messageOf(error) }, 'the policy could not be read again');
    });
  };
  const policyWatch = new PolicyWatch(paths, reload);
  return {
    daemon,
    started: () => policyWatch.start(),
    reload,
    stop: async (cause) => {
      policyWatch.stop();
      try {
        await daemon.stop(cause);
      } finally {
        conditions.stop();
      }
    },
  };
}

/** How connections to the control socket are told apart; `null` where the bridge to the system is missing. */
function peerUid({ libc }: OpenedLibc): PeerUid | null {
  return libc === null ? null : (fd) => peerOf(libc, fd, process.platform)?.uid ?? null;
}

function policyPaths(place: Locations, mode: RunOptions['mode'], uid: number, env: NodeJS.ProcessEnv) {
  const existing = place.policyPaths.find((path) => existsSync(path));
  return {
    policyFile: existing ?? place.policyPaths[0] ?? '/etc/telemetryd/policy.toml',
    preferencesFile: place.preferencesPath,
    isSystem: mode === 'system',
    personUid: uid,
    isPolicyRequired: env['TELEMETRYD_POLICY'] !== undefined,
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
