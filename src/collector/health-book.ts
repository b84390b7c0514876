import type { Health } from '../core/health.ts';

/** The last word of one device on the program that runs there. */
export interface HealthRecord extends Health {
  readonly device: string;
  /** UTC day of that word, `2026-03-31`; the time of day is not kept. */
  readonly day: string;
}

/** Devices that said nothing for so long are forgotten: they are gone, or were given away. */
export const HEALTH_RETENTION_DAYS = 90;

/** What devices last said of the program on them: no history, so that nobody's days can be read from it. */
export interface HealthBook {
  start(): Promise<void>;
  /** Idempotent. */
  stop(): Promise<void>;
  /** Replaces what that device said before; durable when it resolves. */
  put(record: HealthRecord): Promise<void>;
  /** In no order that tells anything. */
  list(): Promise<readonly HealthRecord[]>;
  /** Forgets devices whose last word is of before that day; how many. */
  forgetBefore(day: string): Promise<number>;
}
