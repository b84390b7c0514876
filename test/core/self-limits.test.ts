import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isRestartDue,
  NO_THRIFT,
  stepThrift,
  type ThriftState,
  tuningOf,
} from '../../src/core/self-limits.ts';

const LIMIT = 0.01;

/** Levels after each reading, given as parts of the limit. */
function levels(...used: readonly number[]): number[] {
  let state: ThriftState = NO_THRIFT;
  return used.map((part) => {
    state = stepThrift(state, part * LIMIT, LIMIT);
    return state.level;
  });
}

describe('the processor’s time', () => {
  const cases: [string, number[], number[]][] = [
    ['within the limit nothing changes', [1, 0.5, 1, 0], [0, 0, 0, 0]],
    ['over it each reading is a step, to the last', [2, 2, 2, 2], [1, 2, 3, 3]],
    [
      'three calm readings take a step back, down to nothing',
      [2, 2, 0, 0, 0, 0, 0, 0, 0],
      [1, 2, 2, 2, 1, 1, 1, 0, 0],
    ],
    ['just under the limit it stays as it is', [2, 0.9, 0.9, 0.9, 0.9], [1, 1, 1, 1, 1]],
    ['what is not calm starts the count anew', [2, 0, 0, 0.8, 0, 0, 0], [1, 1, 1, 1, 1, 1, 0]],
  ];
  it.each(cases)('%s', (_, used, expected) => {
    expect(levels(...used)).toEqual(expected);
  });

  const readings = fc.array(fc.double({ min: 0, max: 3, noNaN: true }), { minLength: 1, maxLength: 60 });

  it('who uses more is never allowed more', () => {
    fc.assert(
      fc.property(readings, fc.double({ min: 0, max: 2, noNaN: true }), (used, extra) => {
        const more = levels(...used.map((part) => part + extra));
        levels(...used).forEach((level, i) => expect(more[i]).toBeGreaterThanOrEqual(level));
      }),
    );
  });

  it('changes by one step at a time, and calm restores everything', () => {
    fc.assert(
      fc.property(readings, (used) => {
        const all = [0, ...levels(...used, ...Array.from({ length: 9 }, () => 0))];
        for (let i = 1; i < all.length; i++)
          expect(Math.abs((all[i] ?? 0) - (all[i - 1] ?? 0))).toBeLessThanOrEqual(1);
        expect(all.at(-1)).toBe(0);
      }),
    );
  });

  it('first makes bursts longer, then keeps fewer positions, and never more than the policy', () => {
    const told = ([0, 1, 2, 3] as const).map((level) => tuningOf(level, 125));
    expect(told.map(({ burstMs }) => burstMs)).toEqual([100, 250, 250, 250]);
    expect(told.map(({ mouseHz }) => mouseHz)).toEqual([125, 125, 60, 30]);
    expect(tuningOf(2, 40).mouseHz).toBe(40);
  });
});

describe('memory', () => {
  it('over the limit asks for a new process, and not again for ten minutes', () => {
    expect(isRestartDue(100, 100, null, 5)).toBe(false);
    expect(isRestartDue(101, 100, null, 5)).toBe(true);
    expect(isRestartDue(101, 100, 5, 599_000)).toBe(false);
    expect(isRestartDue(101, 100, 5, 600_005)).toBe(true);
  });
});
