import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MoveThinner, PAUSE_MS } from '../../src/capture/child/thinning.ts';

/** A recording of steps: a move or a click, so many milliseconds after the one before. */
const steps = fc.array(
  fc.record({
    gapMs: fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 400 })),
    isClick: fc.boolean(),
  }),
  { maxLength: 200 },
);

interface Move {
  readonly tMs: number;
  readonly x: number;
}

function thin(mouseHz: number, script: readonly { gapMs: number; isClick: boolean }[]) {
  const kept: Move[] = [];
  const moves: Move[] = [];
  const beforeClicks: Move[] = [];
  const thinner = new MoveThinner(mouseHz, (tMs, x) => kept.push({ tMs, x }));
  let tMs = 1000;
  script.forEach(({ gapMs, isClick }, x) => {
    tMs += gapMs;
    if (isClick) {
      thinner.settle();
      const last = moves.at(-1);
      if (last !== undefined) beforeClicks.push(last);
    } else {
      thinner.move(tMs, x, 0);
      moves.push({ tMs, x });
    }
  });
  thinner.settle();
  return { moves, kept, beforeClicks, thinned: thinner.thinned };
}

describe('thinning of moves', () => {
  test('every move is kept or counted, and none is changed or reordered', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), steps, (mouseHz, script) => {
        const { moves, kept, thinned } = thin(mouseHz, script);
        expect(kept.length + thinned).toBe(moves.length);
        const places = kept.map((move) =>
          moves.findIndex((other) => other.x === move.x && other.tMs === move.tMs),
        );
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        expect(places).not.toContain(-1);
      }),
    );
  });

  test('the first and the last of every movement are kept', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1000 }), steps, (mouseHz, script) => {
        const { moves, kept } = thin(mouseHz, script);
        moves.forEach((move, index) => {
          const isFirst = move.tMs - (moves[index - 1]?.tMs ?? Number.NEGATIVE_INFINITY) >= PAUSE_MS;
          const isLast = (moves[index + 1]?.tMs ?? Number.POSITIVE_INFINITY) - move.tMs >= PAUSE_MS;
          if (isFirst || isLast) expect(kept).toContainEqual(move);
        });
      }),
    );
  });

  test('the position before a click is kept', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), steps, (mouseHz, script) => {
        const { kept, beforeClicks } = thin(mouseHz, script);
        for (const move of beforeClicks) expect(kept).toContainEqual(move);
      }),
    );
  });

  test('the rest comes at most at the rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1000 }), steps, (mouseHz, script) => {
        const { moves, kept, beforeClicks } = thin(mouseHz, script);
        kept.forEach((move, index) => {
          const previous = kept[index - 1];
          if (previous === undefined || move.tMs - previous.tMs >= 1000 / mouseHz) return;
          const next = moves.find((other) => other.x > move.x);
          const isLast = next === undefined || next.tMs - move.tMs >= PAUSE_MS;
          expect(isLast || beforeClicks.some((other) => other.x === move.x)).toBe(true);
        });
      }),
    );
  });

  test('a thousand moves a second become the rate, a slow mouse loses nothing', () => {
    const fast = thin(
      125,
      Array.from({ length: 1000 }, () => ({ gapMs: 1, isClick: false })),
    );
    expect(fast.kept.length).toBeLessThanOrEqual(127);
    expect(fast.kept.length).toBeGreaterThanOrEqual(125);
    const slow = thin(
      125,
      Array.from({ length: 100 }, () => ({ gapMs: 8, isClick: false })),
    );
    expect(slow.thinned).toBe(0);
  });
});
