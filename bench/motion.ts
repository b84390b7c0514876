import type { Random } from '../src/core/clock.ts';
import { BUTTON, type EventColumns, KIND } from '../src/core/events.ts';
import { MASKED_TIME_QUANTUM_MS } from '../src/core/masking.ts';
import { columnsFrom, type EventRow } from './format-encoding.ts';

/** How a person works and what the mouse reports of it. */
export interface WorkStyle {
  /** From one report of the mouse to the next, and how far a report may be off. */
  readonly periodMs: number;
  readonly jitterMs: number;
  /** How old a position may be when it is reported: sensor, bus and clock tick are not in step. */
  readonly lagMs: number;
  /** The device also reports while the pixel stays the same (finer sensors on macOS). */
  readonly isReportingStillness: boolean;
  /** Middle of the log-normal pauses for reading and thinking. */
  readonly pauseMs: number;
  /** Length and duration of a stroke of the hand, least and most. */
  readonly strokePx: readonly [number, number];
  readonly strokeMs: readonly [number, number];
  /** Share of reaches that end in a click. */
  readonly clicks: number;
  /** What is done next, as weights. */
  readonly habits: Readonly<Record<Habit, number>>;
}

type Habit = 'point' | 'drag' | 'scroll' | 'type' | 'pause';

/**
 * Four kinds of days: an office desk where the system's clock ticks 64 times a second, a 125 Hz mouse in steady use, a
 * game on a 1000 Hz mouse (which reports only when a pixel changes), and a hand that does not stop, seen at 400 Hz.
 */
export const WORK_STYLES = {
  desk: {
    periodMs: 15.625,
    jitterMs: 0,
    lagMs: 8,
    isReportingStillness: false,
    pauseMs: 2700,
    strokePx: [15, 1400],
    strokeMs: [220, 900],
    clicks: 0.4,
    habits: { point: 7, drag: 0.5, scroll: 2, type: 0.7, pause: 6 },
  },
  steady: {
    periodMs: 8,
    jitterMs: 1.2,
    lagMs: 3,
    isReportingStillness: false,
    pauseMs: 400,
    strokePx: [10, 1200],
    strokeMs: [220, 900],
    clicks: 0.4,
    habits: { point: 8, drag: 1, scroll: 2, type: 0.5, pause: 4 },
  },
  game: {
    periodMs: 1,
    jitterMs: 0,
    lagMs: 0,
    isReportingStillness: false,
    pauseMs: 120,
    strokePx: [10, 420],
    strokeMs: [160, 900],
    clicks: 0.45,
    habits: { point: 14, drag: 3, scroll: 0.2, type: 0.8, pause: 3 },
  },
  hand: {
    periodMs: 2.5,
    jitterMs: 0.8,
    lagMs: 1,
    isReportingStillness: true,
    pauseMs: 20,
    strokePx: [20, 900],
    strokeMs: [350, 1300],
    clicks: 0.1,
    habits: { point: 30, drag: 1, scroll: 0.3, type: 0, pause: 1 },
  },
} as const satisfies Record<string, WorkStyle>;

/** `durationMs` of a person's work in columns as the capture process makes them; the same for the same numbers. */
export function motion(style: WorkStyle, random: Random, durationMs: number): EventColumns {
  const hand = new Hand(style, random);
  while (hand.nowMs < durationMs) work(hand, style, random);
  return hand.columns(durationMs);
}

/** Numbers from 0 up to 1 that follow from the seed alone (mulberry32, public domain, Tommy Ettinger). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const SCREEN = { width: 1920, height: 1080 };

function work(hand: Hand, style: WorkStyle, random: Random): void {
  const between = ([least, most]: readonly [number, number]): number => least + (most - least) * random();
  switch (choose(style.habits, random)) {
    case 'point':
    case 'drag': {
      const isDragging = random() * (style.habits.point + style.habits.drag) < style.habits.drag;
      if (isDragging) hand.button(true);
      // Long strokes are rarer than short ones, and a stroke that missed is corrected by a short one.
      const lengthPx = between(style.strokePx) * random();
      const angle = random() * 2 * Math.PI;
      const stretch = 0.6 + 0.4 * (lengthPx / style.strokePx[1]);
      hand.stroke(
        lengthPx * Math.cos(angle),
        lengthPx * Math.sin(angle) * 0.6,
        between(style.strokeMs) * stretch,
      );
      if (random() < 0.5) {
        const missPx = 0.08 * lengthPx;
        hand.stroke(missPx * (random() - 0.5), missPx * (random() - 0.5), between(style.strokeMs) * 0.4);
      }
      if (isDragging) hand.button(false);
      else if (random() < style.clicks) {
        hand.wait(60 + 180 * random());
        hand.button(true);
        hand.wait(60 + 60 * random());
        hand.button(false);
      }
      return;
    }
    case 'scroll': {
      const direction = random() < 0.75 ? 1 : -1;
      for (let left = 2 + 9 * random(); left > 0; left--) {
        hand.wheel(direction);
        hand.wait(25 + 130 * random() ** 2);
      }
      return;
    }
    case 'type':
      for (let left = 3 + 30 * random(); left > 0; left--) {
        hand.maskedKey();
        hand.wait(90 + 220 * random() ** 2);
      }
      return;
    case 'pause':
      hand.wait(style.pauseMs * Math.exp(1.1 * normal(random)));
  }
}

function choose(habits: Readonly<Record<Habit, number>>, random: Random): Habit {
  const entries = Object.entries(habits) as [Habit, number][];
  let left = random() * entries.reduce((sum, [, weight]) => sum + weight, 0);
  return entries.find(([, weight]) => (left -= weight) < 0)?.[0] ?? 'pause';
}

/** Box and Muller's: mean 0, deviation 1. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

const NOTHING: EventRow = [0, 0, 0, 0, 0, 0];

/** A hand on a mouse: where it is between pixels, and what the mouse said of it. */
class Hand {
  nowMs = 0;
  readonly #style: WorkStyle;
  readonly #random: Random;
  readonly #events: EventRow[] = [];
  #x = SCREEN.width / 2;
  #y = SCREEN.height / 2;
  #shownX = SCREEN.width / 2;
  #shownY = SCREEN.height / 2;
  #report = 0;
  /** Noise of the muscles, as strong as the movement is fast: it wanders rather than jumps. */
  #drift = { x: 0, y: 0 };

  constructor(style: WorkStyle, random: Random) {
    this.#style = style;
    this.#random = random;
  }

  /**
   * A reach as people make it: speed rises and falls smoothly (least jerk: Flash and Hogan, 1985), the path bends a
   * little, and a tremor of 8 to 12 Hz lies over it.
   */
  stroke(dx: number, dy: number, durationMs: number): void {
    const random = this.#random;
    const from = { x: this.#x, y: this.#y, ms: this.nowMs };
    const to = { x: bounce(from.x + dx, SCREEN.width), y: bounce(from.y + dy, SCREEN.height) };
    this.#drift = { x: 0, y: 0 };
    const bow = 0.12 * normal(random);
    const tremor = { hz: 8 + 4 * random(), px: 0.15 + 0.35 * random(), phase: 2 * Math.PI * random() };
    const endMs = from.ms + durationMs;
    while (this.#nextReportMs() <= endMs) {
      const ms = Math.max(this.#nextReportMs(), from.ms);
      this.#report++;
      const part = Math.max(0, ms - this.#style.lagMs * random() - from.ms) / durationMs;
      const way = part ** 3 * (10 + part * (6 * part - 15));
      const lift = 16 * part ** 2 * (1 - part) ** 2;
      const swing = tremor.px * Math.sqrt(lift);
      const angle = tremor.phase + (2 * Math.PI * tremor.hz * ms) / 1000;
      this.#wander(lift * 0.01 * Math.hypot(dx, dy));
      this.#x =
        from.x +
        (to.x - from.x) * way -
        (to.y - from.y) * bow * lift +
        swing * Math.cos(angle) +
        this.#drift.x;
      this.#y =
        from.y +
        (to.y - from.y) * way +
        (to.x - from.x) * bow * lift +
        swing * Math.sin(angle) +
        this.#drift.y;
      this.#show(ms);
    }
    this.nowMs = endMs;
  }

  wait(ms: number): void {
    this.nowMs += ms;
  }

  button(isDown: boolean): void {
    this.#put(this.nowMs, isDown ? KIND.down : KIND.up, BUTTON.left, 0);
  }

  wheel(notches: number): void {
    this.#put(this.nowMs, KIND.wheel, 0, notches);
  }

  /** A key of which only the class is kept: 100 ms time, and up when it is down. */
  maskedKey(): void {
    const ms = Math.floor(this.nowMs / MASKED_TIME_QUANTUM_MS) * MASKED_TIME_QUANTUM_MS;
    this.#put(ms, KIND.keydown, 0, 0);
    this.#put(ms, KIND.keyup, 0, 0);
  }

  /** What happened before `untilMs`, in the order of time. */
  columns(untilMs: number): EventColumns {
    const events = this.#events.filter(([t]) => t < untilMs).sort(([left], [right]) => left - right);
    return columnsFrom(events.length, (i) => events[i] ?? NOTHING);
  }

  #nextReportMs(): number {
    const { periodMs } = this.#style;
    this.#report = Math.max(this.#report, Math.ceil(this.nowMs / periodMs));
    return this.#report * periodMs;
  }

  #wander(deviationPx: number): void {
    const share = Math.exp(-this.#style.periodMs / 60);
    const fresh = Math.sqrt(1 - share ** 2) * deviationPx;
    this.#drift = {
      x: share * this.#drift.x + fresh * normal(this.#random),
      y: share * this.#drift.y + fresh * normal(this.#random),
    };
  }

  #show(ms: number): void {
    const x = Math.round(Math.min(Math.max(this.#x, 0), SCREEN.width - 1));
    const y = Math.round(Math.min(Math.max(this.#y, 0), SCREEN.height - 1));
    const isStill = x === this.#shownX && y === this.#shownY;
    if (isStill && !this.#style.isReportingStillness) return;
    this.#shownX = x;
    this.#shownY = y;
    this.#put(ms + this.#style.jitterMs * this.#random(), KIND.move, 0, 0);
  }

  #put(ms: number, kind: number, a: number, b: number): void {
    this.#events.push([Math.floor(ms), kind, this.#shownX, this.#shownY, a, b]);
  }
}

/** Keeps a target on the screen by turning the way back at its edge. */
function bounce(at: number, size: number): number {
  return Math.abs(at) > size ? 2 * size - Math.abs(at) : Math.abs(at);
}
