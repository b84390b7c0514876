import type { RequestReply, Round } from '../control/protocol.ts';
import type { Clock, Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { type Health, healthOf, healthPath, type ToldHealth } from '../core/health.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import { readToldHealth, writeToldHealth } from '../spool/health-file.ts';

export interface HealthPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly stateDir: string;
  readonly version: string;
  /** The way of capture; `null` while none has started. */
  readonly backend: () => string | null;
  /** Codes of what is wrong now; those that may not be told are left out here. */
  readonly faults: () => readonly string[];
  readonly record: (facts: readonly LedgerFact[]) => void;
}

/**
 * What the collector is told of the program here: when a round of uploads runs anyway, once a day or when there is a new
 * fault. Faults are gathered from one telling to the next. One that went away is not taken back before the next day, so
 * that neither a fault nor its end tells when something happened here.
 */
export class HealthKeeper {
  readonly #ports: HealthPorts;
  readonly #seen = new Set<string>();
  #told: ToldHealth | null = null;

  constructor(ports: HealthPorts) {
    this.#ports = ports;
  }

  start(): void {
    this.#told = readToldHealth(this.#ports.stateDir);
  }

  /** What the collector was told last; `null`: nothing. */
  get told(): ToldHealth | null {
    return this.#told;
  }

  /** What it would be told now. */
  get health(): Health {
    const { version, backend, faults } = this.#ports;
    // Before the first capture after a start: that there was none yet is nobody's business.
    return healthOf(version, backend() ?? this.#told?.backend ?? null, [...this.#seen, ...faults()]);
  }

  /** Keeps the faults of this moment in mind. */
  notice(): void {
    for (const code of this.#ports.faults()) this.#seen.add(code);
  }

  /** What a round to that collector has to tell; `null`: nothing new. */
  due(destination: string): Health | null {
    const told = this.#told;
    const { health } = this;
    if (told?.destination !== destination || told.day !== this.#today()) return health;
    const isNew = health.codes.some((code) => !told.codes.includes(code));
    return isNew || told.version !== health.version || told.backend !== health.backend ? health : null;
  }

  /** The collector answered, whatever it said: one that does not want to know is not asked before tomorrow. */
  answered(round: Round, reply: RequestReply): void {
    const { stateDir, record, log } = this.#ports;
    if (round.health === undefined || !isAnswer(reply)) return;
    const { health } = round.health;
    this.#told = { ...health, destination: round.url, day: this.#today() };
    this.#seen.clear();
    record([{ type: 'health', ...health, destination: round.url }]);
    try {
      writeToldHealth(stateDir, this.#told);
    } catch (error) {
      log.warn(
        { event: 'health-not-written', err: messageOf(error) },
        'what the collector was told could not be written down',
      );
    }
  }

  #today(): string {
    return new Date(this.#ports.clock.now().wallMs).toISOString().slice(0, 10);
  }
}

/** The part of a round that tells it. */
export function healthMessage(device: string, health: Health): NonNullable<Round['health']> {
  return { health, path: healthPath(device), body: JSON.stringify(health) };
}

/** An overloaded collector has not listened. */
function isAnswer({ status }: RequestReply): boolean {
  return status !== 0 && status !== 429 && status < 500;
}
