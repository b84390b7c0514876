import type { BackendInfo } from '../core/capture.ts';
import type { Clock, Instant, Log, Timers } from '../core/clock.ts';
import { concatColumns } from '../core/concat-columns.ts';
import { messageOf } from '../core/errors.ts';
import { type EventColumns, type LossCounts, NO_LOSS } from '../core/events.ts';
import type { Policy } from '../core/policy.ts';
import { rollCause } from '../core/roll-policy.ts';
import { encodeBlock } from '../segment/block.ts';
import { encodeClockSync, encodeGap, encodeLoss } from '../segment/marks.ts';
import type { Gap, SegmentHeader } from '../segment/types.ts';
import type { Spool } from '../spool/spool.ts';

/** What a segment's header says of the circumstances, beside what the recorder knows by itself. */
export type Circumstances = Pick<
  SegmentHeader,
  'platform' | 'redaction' | 'policyId' | 'receiptId' | 'simulated'
>;

/** What tells one segment from another. */
export type SegmentIdentity = Pick<SegmentHeader, 'segmentId' | 'device' | 'sequence'>;

export interface RecorderPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly spool: Spool;
  readonly limits: () => Policy['segment'];
  readonly circumstances: () => Circumstances;
  /** Takes a sequence number: called once per segment, when it is about to hold something. */
  readonly nextIdentity: () => SegmentIdentity;
  /** A journal was closed and waits for sealing. */
  readonly closed: () => void;
  /** The disk refused; what was to be written is kept in memory and tried again. `null`: it works again. */
  readonly storage: (problem: string | null) => void;
}

/** A difference of the clocks beyond this is a step (or sleep), which readers must know of; below it is drift. */
const CLOCK_STEP_MS = 100;
/** How soon a refused write is tried again. */
const RETRY_MS = 10_000;

/**
 * From batches to journal blocks: gathers what arrives, writes one block every `flush`, closes the segment by age, size
 * or change. Without input no timer is armed but the one that closes an aging segment.
 */
export class Recorder {
  readonly #ports: RecorderPorts;
  #backend: BackendInfo | null = null;
  #pending: EventColumns[] = [];
  #open: { readonly openedBootMs: number; clockOffsetMs: number } | null = null;
  #gap: { readonly kind: Gap['kind']; readonly startMonoMs: number } | null = null;
  /** Taken for a segment that could not be opened yet: a number that is never used would read as a loss. */
  #identity: SegmentIdentity | null = null;
  #hasStorageProblem = false;

  /** Counters of the running child as last reported, and as last written to a segment. */
  #childLoss: LossCounts = NO_LOSS;
  #writtenLoss: LossCounts = NO_LOSS;
  #pastLoss: LossCounts = NO_LOSS;

  recordedEvents = 0;
  /** When the last event happened, milliseconds since the epoch. */
  lastEventWallMs: number | null = null;
  #lastEventMonoMs: number | null = null;
  /** Time with input, summed: the "active" in bytes per active hour; of all segments, and of the closed ones. */
  activeMs = 0;
  closedActiveMs = 0;

  constructor(ports: RecorderPorts) {
    this.#ports = ports;
  }

  get backend(): BackendInfo | null {
    return this.#backend;
  }

  /** Losses of all children of this run. */
  get loss(): LossCounts {
    return addLoss(this.#pastLoss, this.#childLoss);
  }

  /** A capture process is ready; other screens or another back end begin a new segment. */
  childReady(info: BackendInfo): void {
    // What the child before it handed over last belongs before the gap, this child's events after it.
    this.flush();
    if (this.#backend !== null && JSON.stringify(this.#backend) !== JSON.stringify(info)) this.roll();
    this.#backend = info;
    this.#pastLoss = this.loss;
    this.#writtenLoss = NO_LOSS;
    this.#childLoss = NO_LOSS;
  }

  /** Takes the first `count` events of a batch, those that the collection state admits. */
  take(columns: EventColumns, count: number, loss: LossCounts): void {
    this.#childLoss = loss;
    if (count === 0) return;
    const admitted = { ...columns, count };
    const first = columns.t[0] ?? 0;
    const last = columns.t[count - 1] ?? 0;
    this.activeMs += Math.max(0, last - Math.max(first, this.#lastEventMonoMs ?? first));
    this.#lastEventMonoMs = Math.max(this.#lastEventMonoMs ?? last, last);
    const now = this.#now();
    this.lastEventWallMs = Math.round(now.wallMs - now.monoMs + this.#lastEventMonoMs);
    this.recordedEvents += count;
    this.#pending.push(admitted);
    if (this.#pending.length === 1) {
      this.#ports.timers.set('flush', this.#now().bootMs + this.#ports.limits().flushMs, () => this.flush());
    }
  }

  /** Capture has ended for now: a gap begins, and is written when it goes on. */
  captureEnded(kind: Gap['kind']): void {
    this.#gap ??= { kind, startMonoMs: this.#now().monoMs };
    this.flush();
  }

  /** Writes what is pending, durably; `false` when the disk refused, in which case it is kept and tried again. */
  flush(): boolean {
    const isWritten = this.#write();
    this.#rollIfDue();
    return isWritten;
  }

  #write(): boolean {
    this.#ports.timers.clear('flush');
    if (this.#pending.length > 0) {
      const columns = concatColumns(this.#pending);
      try {
        this.#ensureOpen(columns.t[0] ?? 0);
        this.#ports.spool.append(...this.#marks(columns), encodeBlock(columns, 0, columns.count));
      } catch (error) {
        this.#refused(error);
        this.#ports.timers.set('flush', this.#now().bootMs + RETRY_MS, () => this.flush());
        return false;
      }
      this.#pending = [];
      this.#writtenLoss = this.#childLoss;
      if (this.#gap !== null && this.#gap.startMonoMs <= (columns.t[0] ?? 0)) this.#gap = null;
      if (!this.#sync()) return false;
    }
    if (this.#hasStorageProblem) {
      this.#hasStorageProblem = false;
      this.#ports.storage(null);
    }
    return true;
  }

  /**
   * Makes the journal durable. One that cannot be synced is closed, but what it holds was taken: sealing reads it from
   * the kernel's memory and writes it anew. Writing it twice would count it twice.
   */
  #sync(): boolean {
    try {
      this.#ports.spool.sync();
      return true;
    } catch (error) {
      this.#refused(error);
      this.#ports.timers.set('flush', this.#now().bootMs + RETRY_MS, () => this.flush());
      return false;
    }
  }

  /** Forgets what is pending and not yet written: consent was revoked. */
  forgetPending(): void {
    this.recordedEvents -= this.#pending.reduce((sum, part) => sum + part.count, 0);
    this.#pending = [];
  }

  /** Writes what is pending and closes the open segment, if there is one. */
  roll(): void {
    this.#write();
    this.#close();
  }

  #ensureOpen(firstMonoMs: number): void {
    if (this.#open !== null) return;
    if (this.#backend === null) throw new Error('a batch came before its back end was known');
    const now = this.#now();
    const clockOffsetMs = now.wallMs - now.monoMs;
    this.#identity ??= this.#ports.nextIdentity();
    // The origin is the first event's time, so that no event lies before its segment.
    const originMonoMs = Math.floor(Math.min(firstMonoMs, now.monoMs));
    this.#ports.spool.open({
      formatVersion: 1,
      codec: 'raw',
      timeUnitMs: 1,
      schemaVersion: 1,
      startWallMs: Math.round(originMonoMs + clockOffsetMs),
      originMonoMs,
      zoneOffsetMinutes: -new Date(now.wallMs).getTimezoneOffset(),
      backend: this.#backend.backend,
      coordinates: this.#backend.coordinates,
      screens: this.#backend.screens,
      ...this.#ports.circumstances(),
      ...this.#identity,
    });
    this.#identity = null;
    this.#open = { openedBootMs: now.bootMs, clockOffsetMs };
    this.#ports.timers.set('roll', now.bootMs + this.#ports.limits().rollMs, () => this.roll());
  }

  /** Frames that go before the next block: a gap that has ended, a step of the wall clock, what was lost. */
  #marks(columns: EventColumns): Uint8Array[] {
    const marks: Uint8Array[] = [];
    const now = this.#now();
    const firstMonoMs = columns.t[0] ?? now.monoMs;
    if (this.#gap !== null && this.#gap.startMonoMs <= firstMonoMs) {
      marks.push(encodeGap({ ...this.#gap, endMonoMs: firstMonoMs }));
    }
    const clockOffsetMs = now.wallMs - now.monoMs;
    if (this.#open !== null && Math.abs(clockOffsetMs - this.#open.clockOffsetMs) > CLOCK_STEP_MS) {
      this.#open.clockOffsetMs = clockOffsetMs;
      marks.push(encodeClockSync({ monoMs: firstMonoMs, wallMs: firstMonoMs + clockOffsetMs }));
    }
    const lost = subtractLoss(this.#childLoss, this.#writtenLoss);
    if (lost.thinned + lost.redacted + lost.dropped > 0) marks.push(encodeLoss(lost));
    return marks;
  }

  #rollIfDue(): void {
    const size = this.#ports.spool.openSegment?.sizeBytes ?? 0;
    if (this.#open === null) return;
    const facts = { openedBootMs: this.#open.openedBootMs, sizeBytes: size };
    if (rollCause(facts, this.#now().bootMs, this.#ports.limits().rollMs) !== null) this.roll();
  }

  #refused(error: unknown): void {
    this.#hasStorageProblem = true;
    this.#ports.log.error({ err: messageOf(error) }, 'could not write to the journal');
    this.#close();
    this.#ports.storage(messageOf(error));
  }

  #close(): void {
    this.#ports.timers.clear('roll');
    this.#open = null;
    this.closedActiveMs = this.activeMs;
    try {
      if (this.#ports.spool.close() !== null) this.#ports.closed();
    } catch (error) {
      this.#ports.log.error({ err: messageOf(error) }, 'a journal was closed but may not be durable yet');
      this.#ports.closed();
    }
  }

  #now(): Instant {
    return this.#ports.clock.now();
  }
}

function addLoss(a: LossCounts, b: LossCounts): LossCounts {
  return {
    thinned: a.thinned + b.thinned,
    redacted: a.redacted + b.redacted,
    dropped: a.dropped + b.dropped,
  };
}

function subtractLoss(a: LossCounts, b: LossCounts): LossCounts {
  return {
    thinned: a.thinned - b.thinned,
    redacted: a.redacted - b.redacted,
    dropped: a.dropped - b.dropped,
  };
}
