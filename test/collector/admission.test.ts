import { describe, expect, it } from 'vitest';
import { Admission } from '../../src/collector/admission.ts';
import { EventRate } from '../../src/collector/event-rate.ts';
import { RequestLimiter, requestLimits } from '../../src/collector/request-limiter.ts';
import { RetryLine } from '../../src/collector/retry-line.ts';
import { TokenBuckets } from '../../src/collector/token-buckets.ts';

describe('places for bodies', () => {
  it('are all there for devices in the middle of their round, and three of four for others', () => {
    let nowMs = 0;
    const admission = new Admission(8, () => nowMs);
    expect(admission.enter('first')).toBe('in');
    admission.leave('first');
    for (let n = 0; n < 6; n++) expect(admission.enter(`new ${n}`)).toBe('in');
    expect(admission.enter('another')).toBeTypeOf('number');
    expect(admission.enter('first')).toBe('in');
    admission.leave('first');
    nowMs += 6000;
    expect(admission.enter('first')).toBeTypeOf('number');
    expect([admission.active, admission.waiting]).toEqual([6, 2]);
    admission.leave('new 0');
    expect(admission.enter('first')).toBe('in');
    expect(admission.waiting).toBe(1);
  });

  it('tell those who are refused to come one after the other, as fast as others are let in', () => {
    let nowMs = 0;
    const admission = new Admission(4, () => nowMs);
    // Twenty a second, one after the other.
    for (let n = 0; n < 200; n++) {
      admission.enter(`fast ${n}`);
      admission.leave(`fast ${n}`);
      nowMs += 50;
    }
    for (let n = 0; n < 3; n++) admission.enter(`slow ${n}`);
    const told = Array.from({ length: 1000 }, (_, n) => Number(admission.enter(`refused ${n}`)));
    expect(told[0]).toBe(5);
    expect(told.toSorted((a, b) => a - b)).toEqual(told);
    // A thousand at 0.7 of 20 a second.
    expect(told.at(-1)).toBeGreaterThan(60);
    expect(told.at(-1)).toBeLessThan(85);
  });
});

describe('the line of those who come again', () => {
  it('keeps one place for a device however often it comes, and none for one that never does', () => {
    const line = new RetryLine();
    for (let n = 0; n < 100; n++) line.join('impatient', 0, 1);
    expect(line.length).toBe(1);
    line.join('other', 3_600_000, 1);
    expect(line.length).toBe(1);
  });

  it('never sends anyone away for longer than 20 minutes, nor for less than 5 s', () => {
    const line = new RetryLine();
    expect(line.join('first', 0, 1000)).toBe(5);
    for (let n = 0; n < 5000; n++) line.join(`n${n}`, 0, 1);
    expect(line.join('last', 0, 1)).toBe(1200);
  });
});

it('a rate follows what happens, from the first second on', () => {
  const rate = new EventRate();
  for (let ms = 0; ms <= 2000; ms += 10) rate.note(ms);
  expect(rate.perSecond(2000)).toBeCloseTo(100, -1);
  for (let ms = 2000; ms <= 60_000; ms += 100) rate.note(ms);
  expect(rate.perSecond(60_000)).toBeCloseTo(10, 0);
  // A silence is no slowness.
  rate.note(300_000);
  expect(rate.perSecond(300_000)).toBeCloseTo(1, 0);
});

describe('rates', () => {
  it('let a burst through and then so many a second', () => {
    const buckets = new TokenBuckets({ perSecond: 2, burst: 3 });
    const take = (nowMs: number): string => buckets.take('a', nowMs);
    expect([0, 0, 0, 0, 500, 500, 60_000, 60_000, 60_000, 60_000].map(take)).toEqual(
      ['taken', 'taken', 'taken', 'empty', 'taken', 'empty', 'taken', 'taken', 'taken', 'empty'], // prettier-ignore
    );
    expect(buckets.take('b', 60_000)).toBe('taken');
  });

  it('remember so many names and forget the one that was silent for longest', () => {
    const buckets = new TokenBuckets({ perSecond: 1, burst: 1 }, 2);
    expect(['a', 'b', 'a', 'c', 'a', 'b'].map((name) => buckets.take(name, 0))).toEqual([
      'taken',
      'taken',
      'empty',
      'taken',
      'empty',
      'taken',
    ]);
  });

  it('of one device leave what all have to the others', () => {
    const limiter = new RequestLimiter(requestLimits(1, 20), () => 0);
    for (let n = 0; n < 100; n++) limiter.judge('greedy');
    expect(limiter.judge('greedy')).toMatchObject({ status: 429, code: 'busy', retryAfterSeconds: 60 });
    for (let n = 0; n < 10; n++) expect(limiter.judge(`modest ${n}`)).toBeNull();
    expect(limiter.judge('one too many')).toMatchObject({ status: 429, retryAfterSeconds: 5 });
  });
});
