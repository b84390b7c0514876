import type { MixClock } from './mix-clock.ts';

/** One event, given when encoding and filled in either way. */
export interface MixEvent {
  t: number;
  kind: number;
  x: number;
  y: number;
  a: number;
  b: number;
}

/** What a block says before its events. */
export interface MixHead {
  readonly count: number;
  readonly start: { readonly t: number; readonly x: number; readonly y: number };
  readonly clock: MixClock;
  readonly palette: Uint8Array;
}
