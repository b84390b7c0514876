import type { Clock, Log, Timers } from '../core/clock.ts';
import type { StandingExemption } from '../core/collection.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import {
  canWithdraw,
  closesWindow,
  coversRecording,
  type Exemption,
  type ExemptionEvent,
  type ExemptionRequest,
  exemptApp,
  isForgettable,
  isUndecided,
  type RecordedSpan,
  refreshExemption,
  requestExemption,
  restoreExemption,
  standingExemption,
  stepExemption,
  treatmentOf,
  wakeAtBootMs,
} from '../core/exemption.ts';
import { parseScope } from '../core/exemption-scope.ts';
import type { PersonRequest } from '../core/person-request.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import { readExemptions, writeExemptions } from '../spool/exemptions-file.ts';
import { type RandomBytes, timeOrderedUuid } from '../spool/identifiers.ts';
import { readExemptionAnswer } from './exemption-reply.ts';
import type { PersonRequests, RequestHandler, RequestOutcome } from './person-requests.ts';
import type { TrustedReply } from './reply-trust.ts';

/** What of the recordings an exemption concerns itself with. */
export interface Recordings {
  /** Ends the open segment, so that what follows is in another. */
  roll(): void;
  /** The least number that a segment begun from now on can have. */
  leastSequence(): number;
  /** Forgets what is in memory only. */
  forgetPending(): void;
  /** Deletes what `covers` says; `false` when something of it is still being sealed. */
  delete(covers: (span: RecordedSpan) => boolean): boolean;
}

export interface ExemptionPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly randomBytes: RandomBytes;
  readonly stateDir: string;
  /** The policy's rule for an undecided time. */
  readonly whilePending: () => 'withhold' | 'pause';
  /** Where requests go; `""` for nowhere. */
  readonly destination: () => string;
  readonly requests: () => Pick<PersonRequests, 'add' | 'drop' | 'hurry' | 'pending'>;
  readonly recordings: Recordings;
  readonly record: (facts: readonly LedgerFact[]) => void;
  /** Capture is off for these from now on. */
  readonly standing: (exemptions: readonly StandingExemption[]) => void;
  /** Applications that may not be captured are others than before. */
  readonly appsChanged: () => void;
  /** What may leave, or what status shows, has changed. */
  readonly changed: () => void;
  /** An exemption is in another state, for the person to be told. */
  readonly stateChanged: (state: Exemption['state']) => void;
}

/** A decision takes people hours: so often it is asked for where nothing else of ours is on its way. */
const ASK_AGAIN_MS = 3_600_000;
/** The collector answered what was said before: it is told again at once, but not in a loop. */
const TELL_AGAIN_MS = 1000;
/** Deadlines are written anew this often; after a reboot with a wrong clock they count from there. */
const REFRESH_MS = 3_600_000;
/** More undecided requests than these are a mistake, and each costs a question an hour. */
const MAX_UNDECIDED = 10;

/** The person's exemptions: keeps them over restarts, carries their state machine out, and knows what they forbid. */
export class ExemptionKeeper implements RequestHandler {
  readonly #ports: ExemptionPorts;
  #exemptions: readonly Exemption[] = [];
  #apps = '';
  #savedBootMs = 0;

  constructor(ports: ExemptionPorts) {
    this.#ports = ports;
  }

  /** Reads what was left. In doubt an exemption stands: nothing is captured until the person says so. */
  start(): void {
    const { clock, log, stateDir } = this.#ports;
    const read = readExemptions(stateDir);
    if (read.kind === 'ok') {
      this.#exemptions = read.value.map((saved) => restoreExemption(saved, clock));
    } else if (read.kind === 'corrupt') {
      log.error(
        { event: 'exemptions-damaged', reason: read.reason, keptAs: read.keptAs },
        'the exemptions on disk are damaged; nothing is captured in case one stood',
      );
      this.#exemptions = [this.#inDoubt()];
      this.#trySave();
    }
    this.tick();
  }

  /** After the start of what carries requests: one that was lost on the way to it is asked again. */
  ask(): void {
    const known = new Set(
      this.#ports
        .requests()
        .pending()
        .map(({ request }) => request.id),
    );
    for (const exemption of this.#exemptions) {
      const isOpen = isUndecided(exemption) || exemption.isWithdrawalDue;
      if (isOpen && !known.has(exemption.id)) this.#send(exemption);
    }
  }

  get list(): readonly Exemption[] {
    return this.#exemptions;
  }

  /** Applications that may not be captured. */
  apps(): string[] {
    const now = this.#ports.clock.now();
    return [...new Set(this.#exemptions.flatMap((exemption) => exemptApp(exemption, now) ?? []))].sort();
  }

  /** Whether a segment may not leave because of an exemption, asked for or granted. */
  isWithheld(span: RecordedSpan): boolean {
    const now = this.#ports.clock.now();
    return this.#exemptions.some(
      (exemption) => treatmentOf(exemption, now) !== 'free' && coversRecording(exemption, span),
    );
  }

  /** A new request; durable, and in force as far as it is before it is decided, when this returns. */
  request(asked: Pick<ExemptionRequest, 'scope' | 'durationMs' | 'reason'>): Exemption {
    const { clock, randomBytes, destination, recordings } = this.#ports;
    if (destination() === '') throw nobodyToAsk();
    if (this.#exemptions.filter(isUndecided).length >= MAX_UNDECIDED) throw tooMany();
    recordings.roll();
    const id = timeOrderedUuid(clock.now().wallMs, randomBytes);
    const moment = { clock, nextSequence: recordings.leastSequence() };
    const exemption = requestExemption({ ...asked, id, destination: destination() }, moment);
    const before = this.#exemptions;
    this.#exemptions = [...before, exemption];
    try {
      this.#save();
    } catch (error) {
      this.#exemptions = before;
      throw error;
    }
    this.#note(exemption, 'requested');
    this.#send(exemption);
    this.#apply();
    return exemption;
  }

  /** Its author takes it back; capture goes on, and what was withheld may leave. */
  withdraw(id: string): Exemption {
    const exemption = this.#find(id);
    if (!canWithdraw(exemption)) throw isClosed(exemption);
    this.#step(id, { type: 'withdraw' });
    this.#save();
    if (exemption.destination === '') this.#step(id, { type: 'delivered', what: 'withdrawal' });
    else this.#send(this.#find(id));
    return this.#find(id);
  }

  /** Asks the collector now what became of the requests that are undecided. */
  hurry(): void {
    for (const { id } of this.#exemptions.filter(isUndecided)) this.#ports.requests().hurry(id);
  }

  /** Time has passed, or the policy is another. */
  tick(): void {
    const now = this.#ports.clock.now();
    // Segments end with the hours of an undecided request, too.
    const isByHours = this.#exemptions.some(
      ({ scope, window }) => window.to === null && parseScope(scope)?.kind === 'hours',
    );
    if (isByHours) this.#ports.recordings.roll();
    for (const { id } of this.#exemptions) this.#step(id, { type: 'tick' });
    const kept = this.#exemptions.filter((exemption) => !isForgettable(exemption, now));
    if (kept.length < this.#exemptions.length) {
      this.#exemptions = kept;
      this.#trySave();
    }
    this.#apply();
  }

  /** Once a minute: deadlines on disk follow the clock. */
  beat(): void {
    const isDated = this.#exemptions.some(
      (exemption) => isUndecided(exemption) || exemption.state === 'approved' || exemption.release !== null,
    );
    if (isDated && this.#ports.clock.now().bootMs - this.#savedBootMs >= REFRESH_MS) this.#trySave();
  }

  /** Deletes what was recorded while an approved request was undecided; what is being sealed just now comes later. */
  clear(): void {
    for (const exemption of this.#exemptions) {
      if (!exemption.isClearing) continue;
      const isDone = this.#ports.recordings.delete((span) => coversRecording(exemption, span));
      if (isDone) this.#step(exemption.id, { type: 'cleared' });
    }
  }

  /** The collector answered. A decision counts for a request of ours that is undecided, and for nothing else. */
  answered(request: PersonRequest, reply: TrustedReply): RequestOutcome {
    const { log } = this.#ports;
    const exemption = this.#exemptions.find(({ id }) => id === request.id);
    const answer = readExemptionAnswer(reply);
    if (exemption === undefined) {
      log.warn(
        { event: 'exemption-decision-ignored', exemption: request.id },
        'a decision about an exemption that nobody asked for is ignored',
      );
      return { kind: 'settled' };
    }
    if (exemption.isWithdrawalDue) {
      // What was sent before it was taken back may be answered after.
      if (answer?.kind !== 'withdrawn' && exemption.decision?.verdict !== 'denied' && !isDenial(answer))
        return { kind: 'again', afterMs: TELL_AGAIN_MS };
      this.#step(exemption.id, { type: 'delivered', what: 'withdrawal' });
      return { kind: 'settled' };
    }
    if (!isUndecided(exemption)) {
      log.warn(
        { event: 'exemption-decision-ignored', exemption: exemption.id },
        'a decision about an exemption that is decided is ignored',
      );
      return { kind: 'settled' };
    }
    if (answer?.kind === 'decided') {
      this.#step(exemption.id, { type: 'decided', decision: answer.decision });
      return { kind: 'settled' };
    }
    if (answer?.kind === 'pending') this.#step(exemption.id, { type: 'delivered', what: 'request' });
    else
      log.warn(
        { event: 'exemption-decision-ignored', exemption: exemption.id },
        'an answer about an exemption makes no sense and is ignored',
      );
    return { kind: 'again', afterMs: ASK_AGAIN_MS };
  }

  /** Steps one exemption and does what follows. A disk that refuses does not keep it from holding in this process. */
  #step(id: string, event: ExemptionEvent): void {
    const before = this.#find(id);
    const { clock, recordings, requests, log } = this.#ports;
    if (closesWindow(before, event, clock.now())) recordings.roll();
    const after = stepExemption(before, event, { clock, nextSequence: recordings.leastSequence() });
    if (after === before) return;
    this.#exemptions = this.#exemptions.map((known) => (known.id === id ? after : known));
    this.#trySave();
    if (after.state !== before.state) {
      log.info(
        { event: 'exemption-changed', exemption: after.id, from: before.state, to: after.state },
        'an exemption has changed',
      );
      if (after.state !== 'pending' && after.state !== 'queued') this.#note(after, after.state);
      this.#ports.stateChanged(after.state);
      if (after.state === 'expired' && after.decision === null) requests().drop(after.id);
    }
    this.#apply();
    if (after.isClearing && !before.isClearing) {
      // What could not be written when the segment ended.
      recordings.forgetPending();
      this.clear();
    }
  }

  #find(id: string): Exemption {
    const found = this.#exemptions.find((known) => known.id === id);
    if (found === undefined) throw unknown(id);
    return found;
  }

  /** Tells the rest of the daemon what holds now, and sets the one timer. */
  #apply(): void {
    const { clock, timers, whilePending, standing, appsChanged, changed } = this.#ports;
    const now = clock.now();
    standing(
      this.#exemptions.flatMap((exemption) => standingExemption(exemption, whilePending(), now) ?? []),
    );
    const apps = this.apps().join('\n');
    if (apps !== this.#apps) {
      this.#apps = apps;
      appsChanged();
    }
    const wakes = this.#exemptions.flatMap((exemption) => wakeAtBootMs(exemption, now) ?? []);
    if (wakes.length === 0) timers.clear('exemptions');
    else timers.set('exemptions', Math.min(...wakes), () => this.tick());
    changed();
  }

  #send({ id, scope, destination, askedWallMs, end, reason, state }: Exemption): void {
    if (destination === '') return;
    const isWithdrawn = state === 'withdrawn';
    this.#ports.requests().add({
      id,
      kind: 'exemption',
      destination,
      body: {
        scope,
        askedAt: new Date(askedWallMs).toISOString(),
        until: new Date(end.untilWallMs).toISOString(),
        ...(reason === null ? {} : { reason }),
        ...(isWithdrawn ? { withdrawn: true } : {}),
      },
    });
  }

  /** The ledger knows of it, but neither why nor which application. */
  #note({ id, scope }: Exemption, change: ExemptionChange): void {
    const kind = parseScope(scope)?.kind ?? 'all';
    this.#ports.record([{ type: 'exemption', exemption: id, change, scope: kind }]);
  }

  #inDoubt(): Exemption {
    const { clock, randomBytes, recordings } = this.#ports;
    const id = timeOrderedUuid(clock.now().wallMs, randomBytes);
    const request = { id, scope: 'all', destination: '', durationMs: IN_DOUBT_MS, reason: null };
    const moment = { clock, nextSequence: recordings.leastSequence() };
    const decision = {
      by: 'telemetryd',
      reason: 'the record of exemptions was damaged',
      verdict: 'approved',
    } as const;
    const approved = stepExemption(requestExemption(request, moment), { type: 'decided', decision }, moment);
    return stepExemption(approved, { type: 'cleared' }, moment);
  }

  #trySave(): void {
    try {
      this.#save();
    } catch (error) {
      this.#ports.log.error(
        { event: 'exemptions-not-written', err: messageOf(error) },
        'the exemptions could not be written',
      );
    }
  }

  #save(): void {
    const now = this.#ports.clock.now();
    writeExemptions(
      this.#ports.stateDir,
      this.#exemptions.map((exemption) => refreshExemption(exemption, now)),
    );
    this.#savedBootMs = now.bootMs;
  }
}

/** As long as a request that says nothing else. */
const IN_DOUBT_MS = 7 * 86_400_000;

type ExemptionChange = Extract<LedgerFact, { type: 'exemption' }>['change'];

function isDenial(answer: ReturnType<typeof readExemptionAnswer>): boolean {
  return answer?.kind === 'decided' && answer.decision.verdict === 'denied';
}

function nobodyToAsk(): TelemetryError {
  return new TelemetryError('failed', 'The policy names no collector, so there is nobody who could decide.', {
    op: 'ask for an exemption',
    hint: 'telemetryctl pause, or telemetryctl consent revoke, which nobody must agree to',
  });
}

function tooMany(): TelemetryError {
  return new TelemetryError('limit', `There are ${MAX_UNDECIDED} undecided requests already.`, {
    op: 'ask for an exemption',
    hint: 'telemetryctl exempt list; telemetryctl exempt withdraw ID',
  });
}

function unknown(id: string): TelemetryError {
  return new TelemetryError('failed', `There is no exemption ${id}.`, {
    op: 'find the exemption',
    hint: 'telemetryctl exempt list',
  });
}

function isClosed({ state, id }: Exemption): TelemetryError {
  return new TelemetryError('failed', `The exemption is ${state}: there is nothing to take back.`, {
    op: 'withdraw',
    hint: `telemetryctl exempt show ${id}`,
  });
}
