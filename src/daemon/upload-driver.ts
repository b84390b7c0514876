import type {
  RequestReply,
  Round,
  RoundMessage,
  RoundSegment,
  SegmentResult,
  UploadNowReply,
} from '../control/protocol.ts';
import type { Clock, Log, Random, Timers } from '../core/clock.ts';
import type { ConsentStanding } from '../core/collection.ts';
import type { NetworkSource, PowerSource } from '../core/conditions.ts';
import { messageOf } from '../core/errors.ts';
import {
  type Blocker,
  gateBlockers,
  isLoopbackUrl,
  type StandingBlocker,
  trackBlockers,
} from '../core/gate.ts';
import { isWithinHours, msToNextEdge, parseHours } from '../core/hours.ts';
import type { Policy } from '../core/policy.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { SealedFacts } from '../spool/sealed-file.ts';
import type { RoundFile, Spool } from '../spool/spool.ts';
import { estimateCharge } from '../upload/charge.ts';
import { charge, chargeReserved, reserve, spentAt } from '../upload/spending.ts';
import { startSmearMs } from '../upload/start-smear.ts';
import { backoffUntil, NO_BACKOFF, nextBackoff } from '../upload/upload-policy.ts';
import { deviceKeyOf, type Pinned } from './enrolment-keeper.ts';
import { type HealthKeeper, healthMessage } from './health-keeper.ts';
import { isSegmentReplyTrusted } from './reply-trust.ts';
import { droppedFact } from './sealer.ts';
import type { UploadState } from './upload-state.ts';

/** A running uploader process. */
export interface UploaderProcess {
  /** Resolves with whether it gave account of all that it sent. */
  readonly exited: Promise<boolean>;
  /** Ends it at once. */
  kill(): void;
  /** It has come for its round; `gone` is aborted with its connection. */
  attended(gone: AbortSignal): void;
  /** It says that it gave account of all that it sent. Resolves with when it may go. */
  accounted(): Promise<void>;
}

export interface UploadPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly random: Random;
  readonly spool: Spool;
  readonly power: PowerSource;
  readonly network: NetworkSource;
  readonly device: string;
  readonly outboxDir: string;
  readonly policy: () => Policy['upload'] | null;
  /** See `missingForUpload`. */
  readonly missing: () => readonly string[];
  /** The enrolment with the collector at that address; `null` without one. */
  readonly enrolledAt: (url: string) => Pinned | null;
  readonly consent: () => ConsentStanding;
  /** Whether a segment captured under this receipt may go to `url`: the receipt stands and names it. */
  readonly mayLeave: (receiptId: string, url: string) => boolean;
  /** How long the person of a receipt was told that a collector keeps it; `null`: they were told nothing. */
  readonly promisedMs: (receiptId: string) => number | null;
  /** Hash of the ledger's last entry, for the collector to keep. */
  readonly ledgerHead: () => string;
  /** Whether a segment is kept back because of an exemption that was asked for. */
  readonly isWithheld: (segment: SealedFacts) => boolean;
  /** A segment is deleted; nothing that could open it is needed any more. */
  readonly forget: (segmentId: string) => void;
  /** What the collector is told of the program; `null` where nothing is told, as by a replay. */
  readonly health: Pick<HealthKeeper, 'due' | 'answered'> | null;
  readonly record: (facts: readonly LedgerFact[]) => void;
  readonly saveState: (state: UploadState) => void;
  readonly startUploader: () => UploaderProcess;
  /** Power or network changed; called before the gate is looked at. */
  readonly conditionsChanged: () => void;
  /** The disk refused to move a file of a round or to record it; `null`: it works again. */
  readonly storage: (problem: string | null) => void;
  /** Something that status shows has changed. */
  readonly changed: () => void;
}

/** While a transfer runs without an event source for power and network, they are read this often. */
const WATCH_MS = 1000;
/** An uploader that has not come for its round by then will not come. */
const CONNECT_MS = 15_000;
/** An uploader told to stop destroys its connection within 100 ms; one that has not exited by then never will. */
const ABORT_MS = 1000;
/** Erased there, or its consent is withdrawn. */
const GONE = 410;
/** A round takes at most this many files; the rest goes in the next one, which starts at once. */
const ROUND_SEGMENTS = 100;
/** Away from this machine a new connection costs 2 to 4 KB: it must be worth it, or an hour old. */
const WORTHWHILE = { bytes: 64 * 1024, afterMs: 3_600_000 };

interface ActiveRound {
  readonly round: Round;
  readonly process: UploaderProcess;
  /** Set once the uploader has come for it. */
  emit: ((message: RoundMessage) => void) | null;
  end: (() => void) | null;
  isAborted: boolean;
  isServed: boolean;
}

/**
 * Decides when a round of uploads runs, hands it to the uploader process and keeps account of what it reports. A round
 * that was due while the gate was closed runs as soon as it opens.
 */
export class UploadDriver {
  readonly #ports: UploadPorts;
  #state: UploadState;
  #blockers: readonly StandingBlocker[] = [];
  #round: ActiveRound | null = null;
  #isDue = false;
  #isStopping = false;
  #isHeld = false;
  #lastRoundWallMs = 0;
  #isDiskRefusing = false;
  /** The gate is open, and a round that is due waits for its turn among the fleet; see `startSmearMs`. */
  #startsAtBootMs = 0;

  constructor(ports: UploadPorts, state: UploadState) {
    this.#ports = ports;
    this.#state = state;
  }

  get state(): UploadState {
    return this.#state;
  }

  get blockers(): readonly StandingBlocker[] {
    return this.#blockers;
  }

  /** When a round that is due begins, if the gate stays open; `null`: nothing is put off. */
  get startsAtWallMs(): number | null {
    const { wallMs, bootMs } = this.#ports.clock.now();
    if (!this.#isDue || this.#startsAtBootMs <= bootMs || this.#blockers.length > 0) return null;
    return wallMs + this.#startsAtBootMs - bootMs;
  }

  get isSending(): boolean {
    return this.#round !== null;
  }

  async start(): Promise<void> {
    // The daemon before this one died in the middle of a transfer.
    this.#closeAccount(false);
    const { power, network, conditionsChanged } = this.#ports;
    const changed = (): void => {
      conditionsChanged();
      this.evaluate();
    };
    await Promise.all([power.start(changed), network.start(changed)]);
    this.evaluate();
  }

  /** Aborts a running round and resolves when its uploader is gone and its files are back. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#abort('the daemon is stopping');
    // `upload-connect` stays: it kills an uploader that does not obey.
    for (const name of ['upload-watch', 'upload-wake']) this.#ports.timers.clear(name);
    await this.#round?.process.exited;
    await Promise.all([this.#ports.power.stop(), this.#ports.network.stop()]);
  }

  /** The schedule, or the person, wants a round. */
  due(): void {
    this.#isDue = true;
    this.refresh();
  }

  /** Reads power and network again, then decides. Called on the heartbeat while something waits. */
  refresh(): void {
    this.#ports.power.refresh();
    this.#ports.network.refresh();
    this.evaluate();
  }

  /** Decides anew, from what is known: closes or opens the gate, starts or aborts a round, sets the one timer. */
  evaluate(): void {
    const policy = this.#ports.policy();
    const { wallMs, bootMs } = this.#ports.clock.now();
    const mayLeave = policy === null ? [] : this.#mayLeave(policy);
    const eligible = mayLeave.filter((found) => !this.#ports.isWithheld(found));
    const isWithheld = mayLeave.length > 0 && eligible.length === 0;
    const ripe =
      policy === null ? [] : eligible.filter((found) => found.lastEventWallMs + policy.holdBackMs <= wallMs);
    const heldUntil =
      policy !== null && ripe.length === 0 && eligible.length > 0
        ? Math.min(...eligible.map((found) => found.lastEventWallMs + policy.holdBackMs))
        : null;
    const [next] = this.#round === null ? ripe : [];
    const found = this.#findBlockers(policy, {
      heldUntil,
      isWithheld,
      nextSizeBytes: next?.sizeBytes ?? null,
    });
    const before = this.#blockers.map((blocker) => blocker.code);
    this.#blockers = trackBlockers(this.#blockers, found, wallMs);
    if (policy !== null && before.length > 0 && found.length === 0)
      this.#startsAtBootMs = bootMs + startSmearMs(before, policy.url, this.#ports.random);
    if (before.join() !== found.map((blocker) => blocker.code).join()) this.#ports.changed();

    const closing = found.find(({ code }) => code !== 'hold-back' && code !== 'exemption-pending');
    if (closing !== undefined) this.#abort(closing.code);
    const wakeWallMs = this.#nextWake(policy, heldUntil);
    if (wakeWallMs === null || this.#isStopping) this.#ports.timers.clear('upload-wake');
    else
      this.#ports.timers.set('upload-wake', bootMs + Math.max(0, wakeWallMs - wallMs), () => this.refresh());

    const isFree = this.#round === null && !this.#isStopping && !this.#isHeld;
    const isReady = found.length === 0 && isFree && this.#isDue && this.startsAtWallMs === null;
    if (policy !== null && isReady && this.#isWorthwhile(policy, ripe)) this.#begin(policy, ripe);
    else if (this.#isDiskRefusing && this.#round === null && this.#giveBack() !== null) this.#diskWorks();
  }

  /** Another policy is in force: what the collector refused under the one before is tried anew. */
  policyChanged(): void {
    this.#state = { ...this.#state, backoff: NO_BACKOFF };
    this.#ports.saveState(this.#state);
    // Its rate, what it may spend and where it goes were the ones of the policy before.
    this.#abort('the policy changed');
    this.evaluate();
  }

  uploadNow(): UploadNowReply {
    this.refresh();
    // One person is no fleet.
    this.#startsAtBootMs = 0;
    this.due();
    return {
      started: this.#round !== null,
      blockers: this.#blockers.map(({ code, text }) => ({ code, text })),
    };
  }

  /** The uploader has come for its round: it gets the round, and later perhaps word to stop. */
  async serveRound(emit: (message: RoundMessage) => void, signal: AbortSignal): Promise<void> {
    const round = this.#round;
    if (round === null || round.isServed || round.isAborted) {
      emit({ type: 'none' });
      return;
    }
    this.#ports.timers.clear('upload-connect');
    round.isServed = true;
    round.process.attended(signal);
    this.#reserveFor(round.round.segments[0], round.round.url);
    this.#ports.saveState(this.#state);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    round.emit = emit;
    round.end = () => resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    emit({ type: 'round', round: round.round });
    await promise;
    round.emit = null;
    round.end = null;
    const active = this.#round;
    if (active !== round || active.isAborted) return;
    // Its connection is gone, so it cannot be told to stop any more; by then it has exited by itself.
    const { timers, clock } = this.#ports;
    timers.set('upload-connect', clock.now().bootMs + CONNECT_MS, () => round.process.kill());
  }

  /** The uploader is through with its round; resolves when what it did not send is back. */
  async endRound(): Promise<void> {
    await this.#round?.process.accounted();
  }

  /** What became of one segment. Counts, moves the file, sets the backoff; durable when it returns. */
  takeResult(said: SegmentResult): void {
    const round = this.#round;
    const sent = round?.round.segments.find((segment) => segment.id === said.id);
    const { wallMs } = this.#ports.clock.now();
    this.#state = { ...this.#state, spending: charge(this.#state.spending, said.chargedBytes, wallMs) };
    if (round !== null && sent !== undefined) {
      const { segments, url } = round.round;
      const result = this.#believed(said, round.round);
      const goesOn = result.outcome === 'stored' || result.outcome === 'refused';
      const next = segments[segments.indexOf(sent) + 1] ?? healthPart(round.round);
      this.#reserveFor(goesOn ? next : undefined, url);
      try {
        this.#settle(result, round.round, sent, wallMs);
      } catch (error) {
        // The collector has it: sent again, it is told so, and recorded then.
        this.#diskRefuses(error);
      }
    }
    this.#ports.saveState(this.#state);
    this.#ports.changed();
    this.evaluate();
  }

  /** What became of the round's word on the program here. */
  takeHealthReply(reply: RequestReply): void {
    const { spending } = this.#state;
    const { wallMs } = this.#ports.clock.now();
    this.#state = { ...this.#state, spending: reserve(charge(spending, reply.chargedBytes, wallMs), 0) };
    this.#ports.saveState(this.#state);
    if (this.#round !== null) this.#ports.health?.answered(this.#round.round, reply);
    this.#ports.changed();
  }

  /** Ends a running round and begins none until {@link release}; resolves when all files are back in `sealed/`. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    this.#abort('a purge');
    await this.#round?.process.exited;
  }

  release(): void {
    this.#isHeld = false;
    if (!this.#isStopping) this.evaluate();
  }

  /** Bytes that something else of ours sent or received. */
  chargeAlso(bytes: number): void {
    const { wallMs } = this.#ports.clock.now();
    this.#state = { ...this.#state, spending: charge(this.#state.spending, bytes, wallMs) };
    this.#ports.saveState(this.#state);
  }

  /** Written down before the transfer begins: whatever ends it, it is charged. */
  #reserveFor(segment: { readonly sizeBytes: number } | undefined, url: string): void {
    const bytes = segment === undefined ? 0 : firstCharge(segment.sizeBytes, url);
    this.#state = { ...this.#state, spending: reserve(this.#state.spending, bytes) };
  }

  /** No transfer is under way any more. One that nobody gave account of is charged as if it had gone through. */
  #closeAccount(isAccounted: boolean): void {
    const { spending } = this.#state;
    if (spending.reservedBytes === 0) return;
    const { wallMs } = this.#ports.clock.now();
    this.#state = {
      ...this.#state,
      spending: isAccounted ? reserve(spending, 0) : chargeReserved(spending, wallMs),
    };
    this.#ports.saveState(this.#state);
  }

  /** After enrolment a receipt that the collector did not sign is none: the copy here may be the only one. */
  #believed(result: SegmentResult, round: Round): SegmentResult {
    const isEnrolled = this.#ports.enrolledAt(round.url) !== null;
    if (result.outcome !== 'stored' || !isEnrolled || this.#isTrusted(result, round)) return result;
    return { ...result, outcome: 'retry', detail: 'the receipt is not signed by the collector' };
  }

  #isTrusted(result: SegmentResult, round: Round): boolean {
    const pinned = this.#ports.enrolledAt(round.url);
    return pinned !== null && isSegmentReplyTrusted(result, round, pinned);
  }

  #settle(result: SegmentResult, round: Round, sent: RoundSegment, wallMs: number): void {
    const { url: destination } = round;
    const { id, sha256, chargedBytes } = result;
    const { sizeBytes: bytes, about } = sent;
    const { spool, record, random, log } = this.#ports;
    const backoff = nextBackoff(this.#state.backoff, result, wallMs, random, about?.retentionMs ?? null);
    this.#state = { ...this.#state, backoff };
    if (backoff.isKeptTooLong)
      log.error({ event: 'kept-too-long', keptForMs: result.keptForMs }, backoff.detail);
    if (result.outcome === 'stored') {
      this.#state = { ...this.#state, lastSuccessWallMs: wallMs };
      const isNew = spool.markSent(id, { sha256, bytes, chargedBytes, destination, atWallMs: wallMs });
      if (isNew) record([{ type: 'sent', segment: id, bytes, sha256, destination }]);
      log.info({ event: 'segment-sent', segment: id, bytes }, 'segment sent');
    } else if (result.status === GONE && this.#isTrusted(result, round)) {
      this.#deleteErased(id);
    } else if (result.outcome === 'refused') {
      if (spool.quarantine(id)) record([{ type: 'quarantined', segment: id, why: result.detail }]);
      log.warn(
        { event: 'segment-refused', segment: id, status: result.status, detail: result.detail },
        'the collector refused a segment',
      );
    } else {
      log.warn(
        { event: 'segment-not-sent', segment: id, status: result.status, detail: result.detail },
        'a segment was not sent',
      );
    }
  }

  /** The collector's own word: this was erased there, or its consent is withdrawn. */
  #deleteErased(id: string): void {
    const { spool, forget, record, log } = this.#ports;
    const dropped = spool.deleteErased(id);
    if (dropped === null) return;
    forget(id);
    record([droppedFact(dropped)]);
    log.warn(
      { event: 'segment-withdrawn', segment: id },
      'the collector says that a segment is to be gone; it was deleted',
    );
  }

  #mayLeave(policy: Policy['upload']): SealedFacts[] {
    return this.#ports.spool
      .sealedSegments()
      .filter((found) => this.#ports.mayLeave(found.receiptId, policy.url));
  }

  #findBlockers(
    policy: Policy['upload'] | null,
    waiting: { heldUntil: number | null; isWithheld: boolean; nextSizeBytes: number | null },
  ): Blocker[] {
    if (policy === null)
      return [{ code: 'no-destination', text: 'There is no valid policy: nothing is ever sent.' }];
    const { wallMs } = this.#ports.clock.now();
    const spent = spentAt(this.#state.spending, wallMs);
    return gateBlockers({
      upload: policy,
      power: this.#ports.power.current(),
      network: this.#ports.network.current(),
      consent: this.#ports.consent(),
      missing: this.#ports.missing(),
      isEnrolled: this.#ports.enrolledAt(policy.url) !== null,
      spentTodayBytes: spent.todayBytes,
      spentMonthBytes: spent.monthBytes,
      backoffUntilWallMs: backoffUntil(this.#state.backoff, wallMs),
      isUnauthorised: this.#state.backoff.isUnauthorised,
      isKeptTooLong: this.#state.backoff.isKeptTooLong,
      wallMs,
      nextChargeBytes: waiting.nextSizeBytes === null ? 0 : firstCharge(waiting.nextSizeBytes, policy.url),
      heldBackUntilWallMs: waiting.heldUntil,
      isWithheld: waiting.isWithheld,
    });
  }

  /** The next moment at which the gate may open by itself. */
  #nextWake(policy: Policy['upload'] | null, heldUntil: number | null): number | null {
    if (policy === null) return null;
    const { wallMs } = this.#ports.clock.now();
    const edge = msToNextEdge(parseHours(policy.hours) ?? null, wallMs);
    const candidates = [
      heldUntil,
      this.startsAtWallMs,
      backoffUntil(this.#state.backoff, wallMs),
      edge === null || isWithinHours(parseHours(policy.hours) ?? null, wallMs) ? null : wallMs + edge,
    ].filter((at): at is number => at !== null && at > wallMs);
    return candidates.length === 0 ? null : Math.min(...candidates);
  }

  #isWorthwhile(policy: Policy['upload'], ripe: readonly SealedFacts[]): boolean {
    if (ripe.length === 0) return false;
    if (isLoopbackUrl(policy.url)) return true;
    const bytes = ripe.reduce((sum, found) => sum + found.sizeBytes, 0);
    return (
      bytes >= WORTHWHILE.bytes ||
      this.#ports.clock.now().wallMs - this.#lastRoundWallMs >= WORTHWHILE.afterMs
    );
  }

  #begin(policy: Policy['upload'], ripe: readonly SealedFacts[]): void {
    const { spool, clock, timers, log } = this.#ports;
    const { wallMs, bootMs } = clock.now();
    const spent = spentAt(this.#state.spending, wallMs);
    let files: RoundFile[];
    try {
      files = spool.takeForRound(
        ripe.slice(0, ROUND_SEGMENTS).map((found) => found.id),
        policy.url,
      );
    } catch (error) {
      this.#diskRefuses(error);
      this.#giveBack();
      return;
    }
    this.#diskWorks();
    if (files.length === 0) return;
    this.#isDue = false;
    this.#lastRoundWallMs = wallMs;
    const health = this.#ports.health?.due(policy.url) ?? null;
    const round: Round = {
      url: policy.url,
      device: this.#ports.device,
      outboxDir: this.#ports.outboxDir,
      ...deviceKeyOf(this.#ports.enrolledAt(policy.url)),
      ledgerHead: this.#ports.ledgerHead(),
      rateBytesPerSecond: policy.rateBytesPerSecond,
      budgetBytes: Math.min(
        policy.dailyBudgetBytes - spent.todayBytes,
        policy.monthlyBudgetBytes - spent.monthBytes,
      ),
      segments: files.map((file) => this.#roundSegment(file, ripe)),
      requests: [],
      ...(health === null ? {} : { health: healthMessage(this.#ports.device, health) }),
    };
    log.info({ event: 'upload-began', segments: files.length }, 'upload round begins');
    const uploader = this.#ports.startUploader();
    this.#round = { round, process: uploader, emit: null, end: null, isAborted: false, isServed: false };
    timers.set('upload-connect', bootMs + CONNECT_MS, () => uploader.kill());
    this.#watch();
    this.#ports.changed();
    void uploader.exited.then((isAccounted) => this.#ended(isAccounted, ripe.length > files.length));
  }

  #roundSegment({ id, path, sizeBytes }: RoundFile, ripe: readonly SealedFacts[]): RoundSegment {
    const file = path.slice(path.lastIndexOf('/') + 1);
    const facts = ripe.find((found) => found.id === id);
    if (facts === undefined) return { id, file, sizeBytes };
    const { sequence, receiptId } = facts;
    const retentionMs = this.#ports.promisedMs(receiptId);
    return { id, file, sizeBytes, about: { sequence, receiptId, retentionMs } };
  }

  #watch(): void {
    this.#ports.timers.set('upload-watch', this.#ports.clock.now().bootMs + WATCH_MS, () => {
      if (this.#round === null) return;
      this.refresh();
      this.#watch();
    });
  }

  /** The uploader is gone, in whatever way: what it did not send goes back. */
  #ended(isAccounted: boolean, isMoreWaiting: boolean): void {
    this.#closeAccount(isAccounted);
    const wasAborted = this.#round?.isAborted ?? false;
    this.#round?.end?.();
    this.#round = null;
    for (const name of ['upload-watch', 'upload-connect']) this.#ports.timers.clear(name);
    const returned = this.#giveBack() ?? [];
    // What an abort cut short, or did not fit in a round that went well, goes on as soon as the gate allows.
    if (returned.length === 0 ? isMoreWaiting : wasAborted) this.#isDue = true;
    this.#ports.changed();
    if (!this.#isStopping) this.evaluate();
  }

  /** What is left in the outbox goes back; `null` when the disk does not let it. */
  #giveBack(): readonly string[] | null {
    try {
      return this.#ports.spool.returnFromOutbox();
    } catch (error) {
      this.#diskRefuses(error);
      return null;
    }
  }

  /** Every later look at the gate tries again. */
  #diskRefuses(error: unknown): void {
    this.#ports.log.error(
      { event: 'segment-not-moved', err: messageOf(error) },
      'the disk refused to move or record a segment',
    );
    this.#isDiskRefusing = true;
    this.#ports.storage(messageOf(error));
  }

  #diskWorks(): void {
    if (!this.#isDiskRefusing) return;
    this.#isDiskRefusing = false;
    this.#ports.storage(null);
  }

  #abort(reason: string): void {
    const round = this.#round;
    if (round === null || round.isAborted) return;
    round.isAborted = true;
    this.#ports.log.info({ event: 'upload-aborted', reason }, 'upload round aborted');
    if (round.emit === null) {
      round.process.kill();
      return;
    }
    round.emit({ type: 'abort', reason });
    round.end?.();
    this.#ports.timers.set('upload-connect', this.#ports.clock.now().bootMs + ABORT_MS, () =>
      round.process.kill(),
    );
  }
}

/** The size of what is told of the program, as that of a file is reserved for. */
function healthPart({ health }: Round): { readonly sizeBytes: number } | undefined {
  return health === undefined ? undefined : { sizeBytes: Buffer.byteLength(health.body) };
}

/** What the first file of a round costs at most. */
function firstCharge(sizeBytes: number, url: string): number {
  return estimateCharge(sizeBytes, { isConnected: false, isSecure: url.startsWith('https:') });
}
