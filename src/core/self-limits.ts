/** How much less is done than the policy allows, because it cost more than the policy allows. 0: nothing less. */
export type ThriftLevel = 0 | 1 | 2 | 3;

/** What a level means for the capture process. */
export interface Tuning {
  readonly burstMs: number;
  readonly mouseHz: number;
}

/** Events are read this often; DESIGN's measurement: at 100 ms a burst costs 3.7 µs an event, at every event 16. */
const BURST_MS = 100;
/** Longer bursts first: they lose nothing but freshness. Then fewer positions. */
const LEVELS: readonly { readonly burstMs: number; readonly maxHz: number }[] = [
  { burstMs: BURST_MS, maxHz: Infinity },
  { burstMs: 250, maxHz: Infinity },
  { burstMs: 250, maxHz: 60 },
  { burstMs: 250, maxHz: 30 },
];

/** Under this part of the limit a level is taken back; just below the limit it would come and go. */
const CALM = 0.7;
/** So many calm readings in a row: a pause for thought is not a calm hour. */
const CALM_READINGS = 3;

export interface ThriftState {
  readonly level: ThriftLevel;
  /** Calm readings in a row. */
  readonly calm: number;
}

export const NO_THRIFT: ThriftState = { level: 0, calm: 0 };

/** One reading of the processor's time, each the share of one core since the reading before: one level up or down. */
export function stepThrift(state: ThriftState, used: number, limit: number): ThriftState {
  if (used > limit) return { level: up(state.level), calm: 0 };
  if (used > CALM * limit || state.level === 0) return { level: state.level, calm: 0 };
  const calm = state.calm + 1;
  return calm < CALM_READINGS ? { level: state.level, calm } : { level: down(state.level), calm: 0 };
}

/** What the capture process is told at a level; never more than the policy's own rate. */
export function tuningOf(level: ThriftLevel, policyHz: number): Tuning {
  const { burstMs, maxHz } = LEVELS[level] ?? { burstMs: BURST_MS, maxHz: Infinity };
  return { burstMs, mouseHz: Math.min(policyHz, maxHz) };
}

/** A process that was just started anew is not at fault again at once. */
const RESTART_EVERY_MS = 600_000;

/** Whether the capture process is to be started anew, because all processes together hold too much memory. */
export function isRestartDue(
  usedBytes: number,
  limitBytes: number,
  lastRestartBootMs: number | null,
  nowBootMs: number,
): boolean {
  if (usedBytes <= limitBytes) return false;
  return lastRestartBootMs === null || nowBootMs - lastRestartBootMs >= RESTART_EVERY_MS;
}

function up(level: ThriftLevel): ThriftLevel {
  return level === 0 ? 1 : level === 1 ? 2 : 3;
}

function down(level: ThriftLevel): ThriftLevel {
  return level === 3 ? 2 : level === 2 ? 1 : 0;
}
