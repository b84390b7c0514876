/**
 * One moment on the three clocks that matter. All in milliseconds.
 *
 * `wallMs`: since the Unix epoch; people set it. `bootMs`: since boot, sleep included (`CLOCK_BOOTTIME`); deadlines
 * within one boot run on it. `monoMs`: since boot, sleep excluded (`CLOCK_MONOTONIC`); events are stamped with it,
 * as the X server and the kernel's input layer stamp them.
 */
export interface Instant {
  readonly wallMs: number;
  readonly bootMs: number;
  readonly monoMs: number;
}

/** The time, passed in wherever it is needed. */
export interface Clock {
  now(): Instant;
  /** Differs after every boot of the machine (Linux: `/proc/sys/kernel/random/boot_id`). */
  readonly bootId: string;
}

/**
 * Named timers on the boot-time clock. A name has at most one timer; setting it again replaces it.
 * After sleep the adapter fires what is overdue (see `recheck`).
 */
export interface Timers {
  set(name: string, atBootMs: number, fire: () => void): void;
  clear(name: string): void;
  /** Fires whatever is overdue by the clock; called on every heartbeat and on resume from sleep. */
  recheck(): void;
  /** What is armed, for diagnostics. */
  list(): readonly { readonly name: string; readonly atBootMs: number }[];
  /** Clears all. */
  stop(): void;
}

/** A number in [0, 1). */
export type Random = () => number;

/** Structured logging as pino has it; event content never goes in. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
