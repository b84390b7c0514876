import type { RequestReply, Round, RoundMessage } from '../control/protocol.ts';
import { fullJitterMs } from '../core/backoff.ts';
import type { Clock, Log, Random, Timers } from '../core/clock.ts';
import type { NetworkKind } from '../core/conditions.ts';
import { isLoopbackUrl } from '../core/gate.ts';
import { type PersonRequest, type RequestKind, requestBody, requestPath } from '../core/person-request.ts';
import { type RandomBytes, timeOrderedUuid } from '../spool/identifiers.ts';
import { readRequests, removeRequest, tidyRequests, writeRequest } from '../spool/request-files.ts';
import { estimateCharge } from '../upload/charge.ts';
import { deviceKeyOf, type Pinned } from './enrolment-keeper.ts';
import { type TrustedReply, trustReply } from './reply-trust.ts';
import type { UploaderProcess } from './upload-driver.ts';

/**
 * What a handler makes of a reply: `settled` forgets the request, `again` sends it once more later, which is also how
 * something that somebody must decide is asked after.
 */
export type RequestOutcome =
  | { readonly kind: 'settled' }
  | { readonly kind: 'again'; readonly afterMs: number };

/** What a kind of request means to the daemon. */
export interface RequestHandler {
  /** The collector answered. Whatever follows from it is durable when this returns. */
  answered(request: PersonRequest, reply: TrustedReply): RequestOutcome;
}

export interface RequestPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly random: Random;
  readonly randomBytes: RandomBytes;
  readonly stateDir: string;
  readonly device: string;
  readonly handlers: Readonly<Partial<Record<RequestKind, RequestHandler>>>;
  /** The enrolment with the collector at that address; `null` without one. */
  readonly enrolledAt: (destination: string) => Pinned | null;
  /** Whether requests may go to that address at all. */
  readonly mayGo: (destination: string) => boolean;
  readonly network: () => NetworkKind;
  readonly startUploader: () => UploaderProcess;
  /** Bytes that were sent and received; they count, but no budget holds a person's request back. */
  readonly charge: (bytes: number) => void;
  /** Something that status shows has changed. */
  readonly changed: () => void;
}

/** A request that is not settled yet, and how it fares. */
export interface PendingRequest {
  readonly request: PersonRequest;
  readonly attempts: number;
  /** `null`: as soon as there is a network, or it is on its way. */
  readonly nextAttemptWallMs: number | null;
  /** Why the last try failed; `""` when none did. */
  readonly problem: string;
}

/** As for segments: short enough to ride out a restart of the collector, an hour at most. */
const RETRY = { baseMs: 30_000, capMs: 3_600_000 };
const RETRY_FLOOR_MS = 1000;
/** An uploader that has not come for its round, or not ended it, by then never will. */
const ROUND_MS = 60_000;
/** One round of a few hundred small requests. */
const ROUND_REQUESTS = 50;
/** Requests are some kilobytes and have no haste to spread: this only keeps one from filling the line. */
const RATE_BYTES_PER_SECOND = 256 * 1024;
const BUDGET_BYTES = 4 * 1024 * 1024;

/** A request of a kilobyte or two with its reply, over a connection of its own. */
const REQUEST_CHARGE = estimateCharge(4096, { isConnected: false, isSecure: true });

interface Fate {
  readonly attempts: number;
  readonly dueBootMs: number;
  readonly dueWallMs: number;
  readonly problem: string;
}

interface ActiveRound {
  readonly round: Round;
  readonly process: UploaderProcess;
  readonly answered: Set<string>;
  isServed: boolean;
}

/**
 * Carries what a person asks to the collector, again and again until it is settled. It has rounds of its own, with no
 * segment in them, so that neither power, Wi-Fi, budgets nor a long upload keep a request waiting; any network will do.
 */
export class PersonRequests {
  readonly #ports: RequestPorts;
  readonly #requests = new Map<string, PersonRequest>();
  readonly #fates = new Map<string, Fate>();
  #round: ActiveRound | null = null;
  #isStopping = false;

  constructor(ports: RequestPorts) {
    this.#ports = ports;
  }

  /** Reads what was left, and goes on with it. */
  start(): void {
    tidyRequests(this.#ports.stateDir);
    for (const request of readRequests(this.#ports.stateDir)) this.#requests.set(request.id, request);
    this.evaluate();
  }

  /** Ends a running round; what it did not settle is tried again after the next start. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#ports.timers.clear('requests');
    this.#round?.process.kill();
    await this.#round?.process.exited;
  }

  /** Asks something of the collector; durable when this returns. With an `id` that exists already it replaces that. */
  add(asked: Pick<PersonRequest, 'kind' | 'destination' | 'body'> & { readonly id?: string }): PersonRequest {
    const { clock, randomBytes, stateDir, device, changed } = this.#ports;
    const { wallMs } = clock.now();
    const request = {
      device,
      createdAt: new Date(wallMs).toISOString(),
      id: timeOrderedUuid(wallMs, randomBytes),
      ...asked,
    };
    writeRequest(stateDir, request);
    this.#requests.set(request.id, request);
    this.#fates.delete(request.id);
    changed();
    this.evaluate();
    return request;
  }

  /** Whether what is asked of that address can go there at all: otherwise it would wait for ever. */
  mayGo(destination: string): boolean {
    return this.#ports.mayGo(destination);
  }

  /** Asks no more; nothing happens when there is no such request. */
  drop(id: string): void {
    removeRequest(this.#ports.stateDir, id);
    this.#requests.delete(id);
    this.#fates.delete(id);
    this.#ports.changed();
  }

  /** Sends a request again now rather than later; without an id all of them. */
  hurry(id?: string): void {
    for (const [known, fate] of this.#fates) {
      if (id === undefined || id === known)
        this.#fates.set(known, { ...fate, dueBootMs: this.#ports.clock.now().bootMs });
    }
    this.evaluate();
  }

  /** Resolves when nothing is on its way. */
  async whenIdle(): Promise<void> {
    await this.#round?.process.exited;
  }

  /** What is not settled yet, oldest first. */
  pending(): PendingRequest[] {
    return [...this.#requests.values()]
      .sort((a, b) => (a.id < b.id ? -1 : 1))
      .map((request) => {
        const fate = this.#fates.get(request.id);
        return {
          request,
          attempts: fate?.attempts ?? 0,
          nextAttemptWallMs: fate?.dueWallMs ?? null,
          problem: fate?.problem ?? '',
        };
      });
  }

  /** The network may have changed, or time has passed: starts a round when one is due, and sets the one timer. */
  evaluate(): void {
    const { clock, timers } = this.#ports;
    if (this.#isStopping || this.#round !== null) return;
    const { bootMs } = clock.now();
    const sendable = [...this.#requests.values()].filter((request) => this.#canGo(request));
    const due = sendable.filter(({ id }) => (this.#fates.get(id)?.dueBootMs ?? 0) <= bootMs);
    const [first] = due;
    if (first !== undefined) {
      this.#begin(first.destination, due);
      return;
    }
    const next = Math.min(...sendable.map(({ id }) => this.#fates.get(id)?.dueBootMs ?? bootMs));
    if (next === Infinity) timers.clear('requests');
    else timers.set('requests', next, () => this.evaluate());
  }

  /** Whether an uploader that comes now is to have a round of these. */
  get hasRound(): boolean {
    return this.#round?.isServed === false;
  }

  /** The uploader has come for the round. */
  async serveRound(emit: (message: RoundMessage) => void, signal: AbortSignal): Promise<void> {
    const active = this.#round;
    if (active === null || active.isServed) {
      emit({ type: 'none' });
      return;
    }
    active.isServed = true;
    active.process.attended(signal);
    const { promise, resolve } = Promise.withResolvers<undefined>();
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    void active.process.exited.then(() => resolve(undefined));
    emit({ type: 'round', round: active.round });
    await promise;
  }

  /** The uploader is through with the round. */
  async endRound(): Promise<void> {
    await this.#round?.process.accounted();
  }

  /** What the collector said to one request, or that it said nothing. */
  takeReply(reply: RequestReply): void {
    const { charge, enrolledAt, handlers, clock, random, log, changed } = this.#ports;
    charge(reply.chargedBytes);
    const request = this.#requests.get(reply.id);
    this.#round?.answered.add(reply.id);
    if (request === undefined) return;
    const trusted = trustReply(request, reply, enrolledAt(request.destination));
    const outcome = trusted === null ? null : (handlers[request.kind]?.answered(request, trusted) ?? null);
    // A handler may have dropped or replaced it.
    if (this.#requests.get(reply.id) !== request) return;
    if (outcome?.kind === 'settled') {
      this.drop(reply.id);
      return;
    }
    const attempts = outcome === null ? (this.#fates.get(reply.id)?.attempts ?? 0) + 1 : 0;
    const ownMs = fullJitterMs(attempts, RETRY, random, RETRY_FLOOR_MS);
    const afterMs = outcome === null ? Math.max(ownMs, reply.retryAfterMs ?? 0) : outcome.afterMs;
    const { bootMs, wallMs } = clock.now();
    const problem =
      outcome !== null ? '' : reply.status === 200 ? 'the reply cannot be trusted' : reply.detail;
    if (problem !== '')
      log.warn(
        { event: 'person-request-waits', kind: request.kind, status: reply.status, problem },
        'a request waits',
      );
    this.#fates.set(reply.id, {
      attempts,
      dueBootMs: bootMs + afterMs,
      dueWallMs: wallMs + afterMs,
      problem,
    });
    changed();
  }

  #canGo({ destination, kind }: PersonRequest): boolean {
    const { mayGo, network, handlers } = this.#ports;
    if (handlers[kind] === undefined || !mayGo(destination)) return false;
    return isLoopbackUrl(destination) || network() !== 'none';
  }

  #begin(destination: string, due: readonly PersonRequest[]): void {
    const { startUploader, timers, clock, log, device, stateDir, enrolledAt } = this.#ports;
    const requests = due.filter((request) => request.destination === destination).slice(0, ROUND_REQUESTS);
    const uploader = startUploader();
    this.#round = {
      process: uploader,
      answered: new Set(),
      isServed: false,
      round: {
        url: destination,
        device,
        outboxDir: stateDir,
        rateBytesPerSecond: RATE_BYTES_PER_SECOND,
        budgetBytes: BUDGET_BYTES,
        ledgerHead: '',
        segments: [],
        ...deviceKeyOf(enrolledAt(destination)),
        requests: requests.map((request) => ({
          id: request.id,
          path: requestPath(request),
          body: requestBody(request),
        })),
      },
    };
    log.info({ event: 'person-requests-sent', requests: requests.length }, 'sending what the person asks');
    timers.set('requests', clock.now().bootMs + ROUND_MS, () => uploader.kill());
    void uploader.exited.then((isAccounted) => this.#ended(requests, isAccounted));
  }

  /** The uploader is gone: what it said nothing of counts as failed. */
  #ended(requests: readonly PersonRequest[], isAccounted: boolean): void {
    const answered = this.#round?.answered ?? new Set();
    // What it was about to tell of when it died.
    let lostBytes = isAccounted || this.#round?.isServed !== true ? 0 : REQUEST_CHARGE;
    this.#ports.timers.clear('requests');
    for (const { id } of requests) {
      if (answered.has(id)) continue;
      const detail = 'the uploader did not get to it';
      this.takeReply({ id, status: 0, body: '', detail, chargedBytes: lostBytes, retryAfterMs: null });
      lostBytes = 0;
    }
    this.#round = null;
    this.evaluate();
  }
}
