import type { BackendInfo, Screen } from '../core/capture.ts';
import type { Clock, Instant, Log, Timers } from '../core/clock.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { type EventColumns, type LossCounts, NO_LOSS } from '../core/events.ts';
import type { Policy } from '../core/policy.ts';
import { rollCause } from '../core/roll-policy.ts';
import { sliceColumns } from '../core/slice-columns.ts';
import type { Gap, SegmentHeader } from '../segment/types.ts';
import type { Spool } from '../spool/spool.ts';
import type { KeyOffer } from './journal-keys.ts';
import { PendingEvents } from './pending-events.ts';

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
  /**
   * Called once per segment, when it is about to hold something. Takes a sequence number, unless there is one to spare
   * of a segment that came to nothing.
   */
  readonly nextIdentity: (spareSequence: number | null) => SegmentIdentity;
  /** Hash of the ledger's last entry; see {@link SegmentHeader.ledgerHead}. */
  readonly ledgerHead: () => string;
  /** The key that the journal of a new segment is encrypted with. */
  readonly key: (segmentId: string) => KeyOffer;
  /** A journal was closed and waits for sealing. */
  readonly closed: () => void;
  /** The disk refused; what was to be written is kept in memory and tried again. `null`: it works again. */
  readonly storage: (problem: string | null) => void;
}

interface OpenSegment {
  readonly openedBootMs: number;
  readonly sequence: number;
  readonly zoneOffsetMinutes: number;
  /** Wall minus monotonic time as last written. */
  clockOffsetMs: number;
}

/** How soon a journal that has no key yet is tried again. */
const KEY_WAIT_MS = 250;
/** How soon a refused write is tried again. */
const RETRY_MS = 10_000;

/**
 * From batches to journal blocks: gathers what arrives, writes one block every `flush`, closes the segment by age, size
 * or change. Without input no timer is armed but the one that closes an aging segment.
 */
export class Recorder {
  readonly #ports: RecorderPorts;
  #backend: BackendInfo | null = null;
  /** The last sleep, until an event after it has come. */
  #sleep: { readonly fromMonoMs: number; readonly sleptMs: number } | null = null;
  readonly #pending = new PendingEvents();
  #open: OpenSegment | null = null;
  /** Taken for a segment that could not be opened yet: a number that is never used would read as a loss. */
  #identity: SegmentIdentity | null = null;
  #spareSequence: number | null = null;
  /** What the running child was started under; `null`: to be asked for when a segment is opened. */
  #circumstances: Circumstances | null = null;
  /** The circumstances of the capture process that came last, as JSON: what is pending was recorded under them. */
  #childUnder: string | null = null;
  /** What was last said of the disk. */
  #storageProblem: string | null = null;

  /** Counters of the running child as last reported, of all before it, and of all as last written to a segment. */
  #childLoss: LossCounts = NO_LOSS;
  #pastLoss: LossCounts = NO_LOSS;
  #writtenLoss: LossCounts = NO_LOSS;

  #purgeFromWallMs: number | null = null;
  /** Events that the running purge kept from being written. */
  purgedEvents = 0;
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

  /** Whether nothing waits to be written. */
  get isEmpty(): boolean {
    return this.#pending.isEmpty;
  }

  /** Losses of all children of this run. */
  get loss(): LossCounts {
    return addLoss(this.#pastLoss, this.#childLoss);
  }

  /** A capture process is about to start: what it records is recorded under what holds now, or in a new segment. */
  captureBegins(): void {
    const circumstances = this.#ports.circumstances();
    const under = JSON.stringify(circumstances);
    if (under !== JSON.stringify(this.#circumstances)) this.roll();
    if (this.#childUnder !== null && under !== this.#childUnder) this.#dropUnwritten();
    this.#childUnder = under;
    this.#circumstances = circumstances;
  }

  /** What still waits for a key was recorded under what held before: under another receipt it must not be written. */
  #dropUnwritten(): void {
    const count = this.#pending.forget();
    if (count === 0) return;
    this.recordedEvents -= count;
    this.#pastLoss = addLoss(this.#pastLoss, { ...NO_LOSS, dropped: count });
    this.#ports.log.warn(
      { event: 'events-dropped', events: count },
      'events that waited for a key are dropped: what is in force has changed',
    );
  }

  /** A capture process is ready; other screens or another back end begin a new segment. */
  childReady(info: BackendInfo): void {
    // What the child before it handed over last belongs before the gap, this child's events after it.
    this.flush();
    if (this.#backend !== null && JSON.stringify(this.#backend) !== JSON.stringify(info)) this.roll();
    this.#backend = info;
    this.#pastLoss = this.loss;
    this.#childLoss = NO_LOSS;
  }

  /** The desktop consists of other screens from here on: a new segment says so. */
  screensChanged(screens: readonly Screen[]): void {
    if (this.#backend === null) return;
    this.roll();
    this.#backend = { ...this.#backend, screens };
  }

  /** Takes the first `count` events of a batch, those that the collection state admits. */
  take(columns: EventColumns, count: number, loss: LossCounts): void {
    this.#childLoss = loss;
    const admitted = { ...columns, count: this.#unpurged(columns, count) };
    this.purgedEvents += count - admitted.count;
    if (admitted.count === 0) return;
    this.#keep(admitted);
  }

  #keep(columns: EventColumns): void {
    const { count } = columns;
    const first = columns.t[0] ?? 0;
    const last = columns.t[count - 1] ?? 0;
    this.activeMs += Math.max(0, last - Math.max(first, this.#lastEventMonoMs ?? first));
    this.#lastEventMonoMs = Math.max(this.#lastEventMonoMs ?? last, last);
    const now = this.#now();
    const offsetMs = now.wallMs - now.monoMs;
    this.lastEventWallMs = Math.round(offsetMs + this.#lastEventMonoMs);
    this.recordedEvents += count;
    // A header says which zone its segment was recorded in.
    if (this.#open !== null && this.#open.zoneOffsetMinutes !== zoneOffsetMinutes(now)) this.roll();
    if (this.#pending.isEmpty) {
      this.#ports.timers.set('flush', now.bootMs + this.#ports.limits().flushMs, () => this.flush());
    }
    this.#addAround(columns, offsetMs);
  }

  #addAround(columns: EventColumns, offsetMs: number): void {
    const sleep = this.#sleep;
    const isBefore = (t: number): boolean => sleep !== null && t < sleep.fromMonoMs;
    const before = columns.t.subarray(0, columns.count).findIndex((t) => !isBefore(t));
    const cut = before < 0 ? columns.count : before;
    if (cut > 0) this.#pending.add(sliceColumns(columns, 0, cut), offsetMs - (sleep?.sleptMs ?? 0));
    if (cut === columns.count) return;
    this.#pending.add(sliceColumns(columns, cut, columns.count), offsetMs);
    this.#sleep = null;
  }

  /** Capture has ended for now: a gap begins, and is written when it goes on. */
  captureEnded(kind: Gap['kind']): void {
    this.#pending.beginGap(kind, this.#now().monoMs);
    this.flush();
  }

  /**
   * The machine slept: nothing could be recorded from then until now. What was captured before that is still to come
   * belongs before it, by the clock of that time.
   */
  slept(fromMonoMs: number, sleptMs: number): void {
    this.#pending.beginGap('asleep', fromMonoMs);
    this.#sleep = { fromMonoMs, sleptMs };
  }

  /** What happened from `fromMonoMs` on was left out, until the next event. */
  withheld(fromMonoMs: number): void {
    this.#pending.beginGap('withheld', fromMonoMs);
  }

  /** Writes what is pending, durably; `false` when the disk refused, in which case it is kept and tried again. */
  flush(): boolean {
    const isWritten = this.#write();
    this.#rollIfDue();
    return isWritten;
  }

  #write(): boolean {
    const { first } = this.#pending;
    // A retry that stands keeps its time: it alone may say that the disk works again.
    if (first === null) return this.#storageProblem === null;
    this.#ports.timers.clear('flush');
    const wasOpen = this.#open !== null;
    try {
      const open = this.#ensureOpen(first);
      if (open === null) {
        this.#ports.timers.set('flush', this.#now().bootMs + KEY_WAIT_MS, () => this.flush());
        return false;
      }
      const lost = subtractLoss(this.loss, this.#writtenLoss);
      const { frames, clockOffsetMs } = this.#pending.frames(open.clockOffsetMs, lost);
      this.#ports.spool.append(...frames);
      open.clockOffsetMs = clockOffsetMs;
    } catch (error) {
      // Opened for this and left empty: sealing throws it away.
      if (!wasOpen && this.#open !== null) this.#spareSequence = this.#open.sequence;
      this.#close();
      this.#refused(error);
      return false;
    }
    this.#pending.clear();
    this.#writtenLoss = this.loss;
    if (!this.#sync()) return false;
    this.#setStorageProblem(null);
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
      this.#close();
      this.#refused(error);
      return false;
    }
  }

  /**
   * A purge begins: what is pending is forgotten from a time on (milliseconds since the epoch), and so is what the capture
   * process still hands over, until {@link purgeEnded}.
   */
  purgeBegins(fromWallMs: number): void {
    this.#purgeFromWallMs = fromWallMs;
    const forgotten = this.#pending.forgetFrom(fromWallMs);
    this.purgedEvents += forgotten;
    this.recordedEvents -= forgotten;
    if (this.#pending.isEmpty && this.#storageProblem === null) this.#ports.timers.clear('flush');
    const { wallMs, monoMs } = this.#now();
    const sinceMs = fromWallMs === -Infinity ? 0 : Math.max(0, wallMs - fromWallMs);
    this.#pending.beginGap('withheld', monoMs - sinceMs);
  }

  /** Nothing older can arrive any more. Returns how many events were forgotten in memory. */
  purgeEnded(): number {
    this.roll();
    this.#purgeFromWallMs = null;
    const count = this.purgedEvents;
    this.purgedEvents = 0;
    return count;
  }

  /** How many of the first `count` events of a batch a running purge lets through. */
  #unpurged(columns: EventColumns, count: number): number {
    if (this.#purgeFromWallMs === null) return count;
    const { wallMs, monoMs } = this.#now();
    const fromMonoMs = this.#purgeFromWallMs - (wallMs - monoMs);
    let kept = 0;
    while (kept < count && (columns.t[kept] ?? 0) < fromMonoMs) kept++;
    return kept;
  }

  /** Forgets what is pending and not yet written: consent was revoked. */
  forgetPending(): void {
    this.recordedEvents -= this.#pending.forget();
    if (this.#storageProblem === null) this.#ports.timers.clear('flush');
  }

  /** The least number that a segment begun from now on can have; `next` is the one that was never taken. */
  leastSequence(next: number): number {
    return Math.min(next, this.#identity?.sequence ?? next, this.#spareSequence ?? next);
  }

  /** Writes what is pending and closes the open segment, if there is one. */
  roll(): void {
    this.#write();
    this.#close();
    this.#circumstances = null;
  }

  /** The open segment, which is opened unless it is; `null` while there is no key for it yet. */
  #ensureOpen({ monoMs, offsetMs }: { readonly monoMs: number; readonly offsetMs: number }) {
    if (this.#open !== null) return this.#open;
    if (this.#backend === null) throw new Error('a batch came before its back end was known');
    const now = this.#now();
    this.#circumstances ??= this.#ports.circumstances();
    this.#identity ??= this.#ports.nextIdentity(this.#spareSequence);
    this.#spareSequence = null;
    const offer = this.#ports.key(this.#identity.segmentId);
    if (offer.kind === 'wait') return null;
    if (offer.kind === 'failed')
      throw new TelemetryError('unavailable', offer.why, { op: 'encrypt a segment' });
    // The origin is the first event's time, so that no event lies before its segment.
    const originMonoMs = Math.floor(Math.min(monoMs, now.monoMs));
    const header: SegmentHeader = {
      formatVersion: 1,
      codec: 'raw',
      timeUnitMs: 1,
      schemaVersion: 1,
      startWallMs: Math.round(originMonoMs + offsetMs),
      originMonoMs,
      zoneOffsetMinutes: zoneOffsetMinutes(now),
      backend: this.#backend.backend,
      coordinates: this.#backend.coordinates,
      screens: this.#backend.screens,
      ledgerHead: this.#ports.ledgerHead(),
      ...this.#circumstances,
      ...this.#identity,
    };
    this.#ports.spool.open(header, offer.kind === 'key' ? offer.key : null);
    this.#identity = null;
    this.#open = {
      openedBootMs: now.bootMs,
      sequence: header.sequence,
      zoneOffsetMinutes: header.zoneOffsetMinutes,
      clockOffsetMs: offsetMs,
    };
    this.#ports.timers.set('roll', now.bootMs + this.#ports.limits().rollMs, () => this.roll());
    return this.#open;
  }

  #rollIfDue(): void {
    const size = this.#ports.spool.openSegment?.sizeBytes ?? 0;
    if (this.#open === null) return;
    const facts = { openedBootMs: this.#open.openedBootMs, sizeBytes: size };
    if (rollCause(facts, this.#now().bootMs, this.#ports.limits().rollMs) !== null) this.roll();
  }

  #refused(error: unknown): void {
    this.#ports.log.error(
      { event: 'journal-not-written', err: messageOf(error) },
      'could not write to the journal',
    );
    this.#ports.timers.set('flush', this.#now().bootMs + RETRY_MS, () => {
      if (this.#pending.isEmpty) this.#setStorageProblem(null);
      this.flush();
    });
    this.#setStorageProblem(messageOf(error));
  }

  /** Said last by whoever calls it: who hears it may well end capture, which flushes. */
  #setStorageProblem(problem: string | null): void {
    if (problem === this.#storageProblem) return;
    this.#storageProblem = problem;
    this.#ports.storage(problem);
  }

  #close(): void {
    this.#ports.timers.clear('roll');
    this.#open = null;
    this.closedActiveMs = this.activeMs;
    let isClosed = true;
    try {
      isClosed = this.#ports.spool.close() !== null;
    } catch (error) {
      this.#ports.log.error(
        { event: 'journal-not-durable', err: messageOf(error) },
        'a journal was closed but may not be durable yet',
      );
    }
    if (isClosed) this.#ports.closed();
  }

  #now(): Instant {
    return this.#ports.clock.now();
  }
}

/** Minutes east of UTC, with daylight saving as it is now. */
function zoneOffsetMinutes({ wallMs }: Instant): number {
  return -new Date(wallMs).getTimezoneOffset();
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
