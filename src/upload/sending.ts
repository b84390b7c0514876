import type { Round } from '../control/protocol.ts';
import type { Destination } from '../core/destination.ts';
import type { RequestSigner } from '../signing/request-signer.ts';
import type { CollectorLink } from './collector-link-node.ts';
import type { Pace } from './pace.ts';

/** What sending needs of the process it runs in. */
export interface SendPorts {
  readonly monoMs: () => number;
  readonly wallMs: () => number;
  /** Resolves after `ms`, or at once when `signal` is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** One round's means of sending. */
export interface Sending {
  readonly round: Round;
  readonly destination: Destination;
  readonly link: CollectorLink;
  readonly pace: Pace;
  /** `null` where this device is not enrolled. */
  readonly signer: RequestSigner | null;
  readonly ports: SendPorts;
  /** The gate is closed, or we were told to stop. */
  readonly aborted: AbortSignal;
  /** The round takes too long. */
  readonly overdue: AbortSignal;
}
