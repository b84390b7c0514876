import type { PeerUid } from '../control/peer.ts';
import type { CaptureConfig } from '../core/capture.ts';
import type { Clock, Log, Random, Timers } from '../core/clock.ts';
import type { CollectionName, Reason } from '../core/collection.ts';
import type { NetworkSource, PowerSource, SessionSource } from '../core/conditions.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import type { StatusReport } from '../core/status.ts';
import type { Refused } from '../policy/policy-outcome.ts';
import type { RandomBytes } from '../spool/identifiers.ts';
import type { AnnouncerPorts } from './announcer.ts';
import type { EncryptionPorts } from './segment-encryption.ts';
import type { UploaderProcess } from './upload-driver.ts';

/** What a daemon is told at its start and for good. */
export interface DaemonSettings {
  readonly version: string;
  readonly mode: StatusReport['daemon']['mode'];
  readonly stateDir: string;
  readonly socketPath: string;
  /** Conditions are not this machine's own. */
  readonly isSimulated: boolean;
  /** Overrides the policy's back end; `null` for the policy's. */
  readonly backend: string | null;
  readonly replay: CaptureConfig['replay'];
  /** The person whose input it is. */
  readonly uid: number;
  /** Where their revocation outlasts the state folder; `null` where no one is captured. */
  readonly revocationPath: string | null;
  /** The account that the daemon and the uploader run as. */
  readonly serviceUid: number;
  /** What the person should know of this daemon although it works. */
  readonly notes: readonly Reason[];
}

/** What a daemon needs of the outside. */
export interface DaemonPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
  readonly power: PowerSource;
  readonly network: NetworkSource;
  readonly session: SessionSource;
  readonly notifiers: AnnouncerPorts['notifiers'];
  readonly loadPolicy: () => Promise<LoadedPolicy | Refused>;
  /** How a capture process is started. */
  readonly captureProgram: {
    readonly execPath: string;
    readonly flags: readonly string[];
    readonly entryFile: string;
    readonly env: Readonly<Record<string, string>>;
  };
  readonly startUploader: () => UploaderProcess;
  /** Who is at the other end of a control connection; `null` where the system does not tell. */
  readonly peerUid: PeerUid | null;
  /** Where keys of journals lie; see `findKeyFolder`. */
  readonly keyFolder: string | null;
  /** Has an order carried out by the sealing program. */
  readonly seal: EncryptionPorts['seal'];
  /** A replay is over (`null`) or failed (a message); only with `settings.replay`. */
  readonly replayEnded: (problem: string | null) => void;
  /** Moves the clock of a replay; timers are looked at afterwards. */
  readonly advanceTo: (recordedMs: number) => void;
  /** One wakeup at a time for all that must not be forgotten: cost, limits, liveness, overdue timers, pauses on disk. */
  readonly heartbeatMs: number;
  /** Who keeps this service running, where somebody does. */
  readonly manager: {
    /** A heartbeat went through: we are alive. */
    alive(): void;
    collectionIs(state: CollectionName): void;
  };
}
