/**
 * The layout of a block's columns, shared by its encoder and decoder; `docs/SEGMENT.md` explains it.
 *
 * Every event is a pair of half bytes. For a move they hold how far x and y are from where the last move would carry
 * them; for the rest the first is {@link HALF.other} and the second says what it is. Half bytes, because at brotli's
 * lower qualities a byte costs at least one bit: two likely values share it.
 */
export const HALF = {
  /** 0 to 13: the value; 14: `wide` has the value less 14. */
  escape: 14,
  /** In the first half only: not a plain move; the second half is one of {@link CODE}. */
  other: 15,
  /** In `times`: not in the palette; `wideTimes` has it. */
  wideTime: 15,
} as const;

/** What the second half byte says when the first is {@link HALF.other}; 14 and 15 are not used. */
export const CODE = {
  leftDown: 0,
  leftUp: 1,
  /** One notch, straight. */
  wheelDown: 2,
  wheelUp: 3,
  /** Columns `a` and `b` follow in `details`. */
  keydown: 4,
  keyup: 5,
  /** Kind, `a` and `b` follow in `details`. */
  pointer: 6,
  /** As the codes 0, 1 and 6, with motion of its own, in `x` and `y`. */
  leftDownMoved: 7,
  leftUpMoved: 8,
  pointerMoved: 9,
  /** A key of which nothing is kept: `a` and `b` are 0. */
  maskedDown: 10,
  maskedUp: 11,
  /** `a` and `b` as in the last `keydown`. */
  sameUp: 12,
  /** `a` as in the last `keydown`, `b` likewise with the bit of auto-repeat set. */
  sameRepeat: 13,
} as const;

/** Bit of auto-repeat in column `b` of a key event (`packKeyDetail`). */
export const REPEAT_BIT = 8;

/** How the half bytes are paired: x with y of the same event, or x with the next x and y with the next y. */
export const PAIRING = { together: 0, along: 1 } as const;

/** The length-prefixed streams, in their order in the file. */
export const STREAMS = ['steps', 'times', 'wideTimes', 'x', 'y', 'keyTimes', 'details', 'lows'] as const;
export type StreamName = (typeof STREAMS)[number];

/**
 * A pointer that rested longer, milliseconds, moves anew: prediction starts from rest. Measured: 40 to 250 differ by 1 %,
 * longer is worse on slow desk work, shorter on games.
 */
export const REST_MS = 150;

/** Time steps, 0 to 255 ms, that have a half byte of their own. */
export const PALETTE_SIZE = 15;

/** Wide numbers: under 240 in one byte; 240 to 254 with a second byte in `lows`; 255 with a varint there. */
export const WIDE = { two: 240, varint: 255, limit: 240 + 15 * 256 } as const;
