import type { Random } from '../src/core/clock.ts';
import type { EventColumns } from '../src/core/events.ts';
import { type Device, Hand, normal } from './motion-hand.ts';

/** How a person works, and with what. */
export interface WorkStyle extends Device {
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
