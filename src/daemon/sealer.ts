import type { Clock, Log, Timers } from '../core/clock.ts';
import type { PowerState } from '../core/conditions.ts';
import { messageOf } from '../core/errors.ts';
import type { Policy } from '../core/policy.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { SealedFacts } from '../spool/sealed-file.ts';
import type { DroppedFile, Spool } from '../spool/spool.ts';

export interface SealerPorts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly spool: Spool;
  readonly power: () => PowerState;
  readonly limits: () => Policy['spool'];
  readonly record: (facts: readonly LedgerFact[]) => void;
  /** Something was sealed or dropped. */
  readonly changed: () => void;
}

/** Sealing costs no battery unless mains power stays away for longer than a person would want to wait. */
const LONGEST_WAIT_MS = 2 * 3_600_000;
/** From this share of the quota on, sealing (which halves what a journal takes) does not wait. */
const PRESSURE = 0.8;

/** Seals closed journals when it costs no battery, and keeps the spool within its limits. */
export class Sealer {
  readonly #ports: SealerPorts;
  readonly #closedAtBootMs = new Map<string, number>();
  /** Size of all that was sealed in this run. */
  sealedBytes = 0;

  constructor(ports: SealerPorts) {
    this.#ports = ports;
  }

  /** A journal was closed, power changed, or time has passed: seals what may be sealed now. */
  work(): void {
    const { spool, clock, timers, limits } = this.#ports;
    const { bootMs } = clock.now();
    const waiting = spool.waiting();
    for (const id of waiting) if (!this.#closedAtBootMs.has(id)) this.#closedAtBootMs.set(id, bootMs);
    const isPressed = spool.stats().bytes > limits().limitBytes * PRESSURE;
    const isFree = this.#ports.power() === 'ac' || isPressed;
    const due = waiting.filter(
      (id) => isFree || bootMs - (this.#closedAtBootMs.get(id) ?? bootMs) >= LONGEST_WAIT_MS,
    );
    this.#seal(due);
    const [oldest] = waiting
      .filter((id) => !due.includes(id))
      .map((id) => this.#closedAtBootMs.get(id) ?? bootMs);
    if (oldest === undefined) timers.clear('seal');
    else timers.set('seal', oldest + LONGEST_WAIT_MS, () => this.work());
  }

  /** Seals whatever waits: the daemon is stopping. */
  sealAll(): void {
    this.#seal(this.#ports.spool.waiting());
  }

  /** Deletes what the limits want gone, and writes it down. */
  enforceLimits(): void {
    const { spool, clock, limits, record, changed } = this.#ports;
    const dropped = spool.enforceLimits(limits(), clock.now().wallMs);
    if (dropped.length === 0) return;
    record(dropped.map(droppedFact));
    changed();
  }

  #seal(ids: readonly string[]): void {
    const { spool, log, record, changed } = this.#ports;
    for (const id of ids) {
      try {
        const result = spool.seal(id);
        if (result.kind === 'sealed') {
          this.sealedBytes += result.facts.sizeBytes;
          record([capturedFact(result.facts)]);
        }
        if (result.kind === 'quarantined') record([{ type: 'quarantined', segment: id, why: result.why }]);
        this.#closedAtBootMs.delete(id);
      } catch (error) {
        // The journal stays as it is; the next occasion tries again.
        log.error({ segment: id, err: messageOf(error) }, 'could not seal a segment');
      }
    }
    if (ids.length === 0) return;
    this.enforceLimits();
    changed();
  }
}

/** The ledger's entry for a sealed segment. */
export function capturedFact(facts: SealedFacts): LedgerFact {
  const { id, sequence, events, sizeBytes } = facts;
  return { type: 'captured', segment: id, sequence, events, bytes: sizeBytes };
}

function droppedFact(file: DroppedFile): LedgerFact {
  return { type: 'dropped', segment: file.id, bytes: file.sizeBytes, events: file.events, cause: file.cause };
}
