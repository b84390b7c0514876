import type { Clock, Log, Timers } from '../core/clock.ts';
import type { PowerState } from '../core/conditions.ts';
import { messageOf } from '../core/errors.ts';
import type { Policy } from '../core/policy.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { SealEffort } from '../segment/seal.ts';
import { DiskError } from '../spool/disk-error.ts';
import type { SealedFacts } from '../spool/sealed-file.ts';
import type { SealResult } from '../spool/sealing.ts';
import type { DroppedFile, Spool } from '../spool/spool.ts';

export interface SealerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly spool: Spool;
  readonly power: () => PowerState;
  /** Seals an encrypted journal in a process that gets its key, or keeps it as it is when the key is gone. */
  readonly sealEncrypted: (id: string, effort: SealEffort) => Promise<SealResult>;
  readonly limits: () => Policy['spool'];
  readonly record: (facts: readonly LedgerFact[]) => void;
  /** Something was sealed or dropped. */
  readonly changed: () => void;
  /** What the disk refuses while it is being written or freed; `null`: it works again. */
  readonly storage: (user: 'sealing' | 'deleting', problem: string | null) => void;
}

/** Sealing costs no battery unless mains power stays away for longer than a person would want to wait. */
const LONGEST_WAIT_MS = 2 * 3_600_000;
/** From this share of the quota on, sealing (which halves what a journal takes) does not wait. */
const PRESSURE = 0.8;

/** Seals closed journals when it costs no battery, and keeps the spool within its limits. */
export class Sealer {
  readonly #ports: SealerPorts;
  readonly #closedAtBootMs = new Map<string, number>();
  readonly #underway = new Set<string>();
  /** Journals that the disk did not let us seal, and what it said. They are tried again at every occasion. */
  readonly #refused = new Map<string, string>();
  #queue: Promise<void> = Promise.resolve();
  #isHeld = false;
  /** Size of all that was sealed in this run. */
  sealedBytes = 0;

  constructor(ports: SealerPorts) {
    this.#ports = ports;
  }

  /** A journal was closed, power changed, or time has passed: seals what may be sealed now. */
  work(): void {
    if (this.#isHeld) return;
    const { spool, clock, timers, limits } = this.#ports;
    const { bootMs } = clock.now();
    const waiting = spool.waiting();
    for (const id of this.#refused.keys()) if (!waiting.includes(id)) this.#refused.delete(id);
    for (const id of waiting) if (!this.#closedAtBootMs.has(id)) this.#closedAtBootMs.set(id, bootMs);
    const isPressed = spool.stats().bytes > limits().limitBytes * PRESSURE;
    const isMains = this.#ports.power() === 'ac';
    const isFree = isMains || isPressed;
    const due = waiting.filter(
      (id) =>
        isFree ||
        this.#refused.has(id) ||
        bootMs - (this.#closedAtBootMs.get(id) ?? bootMs) >= LONGEST_WAIT_MS,
    );
    this.#seal(due, isMains ? 'smallest' : 'quick');
    const [oldest] = waiting
      .filter((id) => !due.includes(id))
      .map((id) => this.#closedAtBootMs.get(id) ?? bootMs);
    if (oldest === undefined) timers.clear('seal');
    else timers.set('seal', oldest + LONGEST_WAIT_MS, () => this.work());
  }

  /** Seals whatever waits, quickly, and what is on its way: the daemon is stopping. */
  async sealAll(): Promise<void> {
    this.#seal(this.#ports.spool.waiting(), 'quick');
    await this.#queue;
  }

  /** Whether a process is at a journal right now. */
  isUnderway(id: string): boolean {
    return this.#underway.has(id);
  }

  /** Seals nothing until {@link release}; resolves when nothing is on its way. */
  async hold(): Promise<void> {
    this.#isHeld = true;
    await this.#queue;
  }

  release(): void {
    this.#isHeld = false;
    this.work();
  }

  /** Deletes what the limits want gone, and writes it down. */
  enforceLimits(): void {
    const { spool, clock, log, limits, record, changed, storage } = this.#ports;
    try {
      const dropped = spool.enforceLimits(limits(), clock.now().wallMs);
      storage('deleting', null);
      if (dropped.length === 0) return;
      record(dropped.map(droppedFact));
      changed();
    } catch (error) {
      // A file that cannot be deleted stays; the next occasion tries again.
      log.error(
        { event: 'limits-not-applied', err: messageOf(error) },
        'could not delete what the limits want gone',
      );
      storage('deleting', messageOf(error));
    }
  }

  #seal(ids: readonly string[], effort: SealEffort): void {
    const { spool, sealEncrypted } = this.#ports;
    for (const id of ids) {
      // Sealing one may end capture, which may close and seal others meanwhile.
      if (this.#underway.has(id) || !spool.waiting().includes(id)) continue;
      if (spool.encryptedJournal(id) === null) {
        this.#attempt(id, () => this.#sealed(id, spool.seal(id, effort)));
        continue;
      }
      this.#underway.add(id);
      // One after the other: each is a process, and there is no hurry.
      this.#queue = this.#queue.then(async () => {
        const sealed = await sealEncrypted(id, effort).catch((error: unknown) => this.#failed(id, error));
        // Whoever hears of it finds the process gone.
        this.#underway.delete(id);
        if (sealed !== undefined) this.#attempt(id, () => this.#sealed(id, sealed));
      });
    }
  }

  #attempt(id: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#failed(id, error);
    }
  }

  /** The journal stays as it is; the next occasion tries again. */
  #failed(id: string, error: unknown): void {
    this.#ports.log.error(
      { event: 'segment-not-sealed', segment: id, err: messageOf(error) },
      'could not seal a segment',
    );
    if (error instanceof DiskError) this.#refused.set(id, messageOf(error));
    this.#tellRefusal();
  }

  #tellRefusal(): void {
    const [first] = this.#refused.values();
    this.#ports.storage('sealing', first ?? null);
  }

  #sealed(id: string, result: SealResult): void {
    const { record, changed } = this.#ports;
    if (result.kind === 'sealed') {
      this.sealedBytes += result.facts.sizeBytes;
      record([capturedFact(result.facts)]);
    }
    if (result.kind === 'quarantined') record([{ type: 'quarantined', segment: id, why: result.why }]);
    this.#closedAtBootMs.delete(id);
    this.#refused.delete(id);
    this.enforceLimits();
    changed();
    this.#tellRefusal();
  }
}

/** The ledger's entry for a sealed segment. */
export function capturedFact(facts: SealedFacts): LedgerFact {
  const { id, sequence, events, sizeBytes } = facts;
  return { type: 'captured', segment: id, sequence, events, bytes: sizeBytes };
}

/** The ledger's entry for a file that was deleted. */
export function droppedFact(file: DroppedFile): LedgerFact {
  return { type: 'dropped', segment: file.id, bytes: file.sizeBytes, events: file.events, cause: file.cause };
}
