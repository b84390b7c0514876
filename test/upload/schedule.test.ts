import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clock, Timers } from '../../src/core/clock.ts';
import { UploadSchedule } from '../../src/upload/schedule.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = new Date('2026-03-02T10:00:10').getTime();

let sleptMs = 0;
const running: UploadSchedule[] = [];
beforeEach(() => {
  sleptMs = 0;
  vi.useFakeTimers({ now: START });
});
afterEach(() => {
  for (const schedule of running.splice(0)) schedule.stop();
  vi.useRealTimers();
});

const clock: Clock = {
  bootId: 'b',
  now: () => ({ wallMs: Date.now(), bootMs: performance.now() + sleptMs, monoMs: performance.now() }),
};

/** Timers as the daemon has them: set on the boot-time clock, late after sleep until they are rechecked. */
class PlainTimers implements Timers {
  readonly #armed = new Map<string, { atBootMs: number; fire: () => void; handle: NodeJS.Timeout }>();

  set(name: string, atBootMs: number, fire: () => void): void {
    this.clear(name);
    const handle = setTimeout(() => this.#due(name), atBootMs - clock.now().bootMs);
    this.#armed.set(name, { atBootMs, fire, handle });
  }

  clear(name: string): void {
    clearTimeout(this.#armed.get(name)?.handle);
    this.#armed.delete(name);
  }

  recheck(): void {
    for (const [name, { atBootMs }] of this.#armed) if (atBootMs <= clock.now().bootMs) this.#due(name);
  }

  list(): readonly { name: string; atBootMs: number }[] {
    return [...this.#armed].map(([name, { atBootMs }]) => ({ name, atBootMs }));
  }

  stop(): void {
    for (const name of this.#armed.keys()) this.clear(name);
  }

  #due(name: string): void {
    const armed = this.#armed.get(name);
    this.clear(name);
    armed?.fire();
  }
}

function schedule(expression: string, device = 'device-a') {
  const fired: number[] = [];
  const timers = new PlainTimers();
  const made = new UploadSchedule({ expression, device, clock, timers });
  running.push(made);
  made.start(() => fired.push(Date.now()));
  const heartbeat = (): void => {
    timers.recheck();
    made.recheck();
  };
  return { made, fired, timers, heartbeat };
}

/** The wall clock and the boot-time clock go on; timers do not. */
function sleep(ms: number): void {
  sleptMs += ms;
  vi.setSystemTime(Date.now() + ms);
}

describe('the upload schedule', () => {
  it('fires once in every period, at the device’s own offset', async () => {
    const { made, fired } = schedule('*/15 * * * *');
    const first = made.nextAt()?.getTime() ?? 0;
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(fired.length).toBeGreaterThanOrEqual(7);
    expect(Math.abs((fired[0] ?? 0) - first)).toBeLessThan(5);
    for (const [index, at] of fired.entries())
      expect(Math.abs(at - first - index * 15 * MINUTE)).toBeLessThan(5);
  });

  it('keeps a device’s offset, gives others another, and stays below the period and half an hour', () => {
    const offsetMs = (expression: string, device: string, slot: string): number => {
      const { made } = schedule(expression, device);
      const at = made.nextAt()?.getTime() ?? 0;
      made.stop();
      return at - new Date(slot).getTime();
    };
    fc.assert(
      fc.property(fc.string(), (device) => {
        for (const [expression, slot, most] of [
          ['*/15 * * * *', '2026-03-02T10:15:00', 15 * MINUTE],
          ['0 * * * *', '2026-03-02T11:00:00', 30 * MINUTE],
          ['0 3 * * *', '2026-03-03T03:00:00', 30 * MINUTE],
          ['*/20 * * * * *', '2026-03-02T10:00:20', 20_000],
        ] as const) {
          const offset = offsetMs(expression, device, slot);
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(offset).toBeLessThan(most);
          expect(offsetMs(expression, device, slot)).toBe(offset);
        }
      }),
      { numRuns: 25 },
    );
    const offsets = Array.from({ length: 200 }, (_, n) =>
      offsetMs('0 * * * *', `d${n}`, '2026-03-02T11:00:00'),
    );
    expect(new Set(offsets.map((ms) => Math.floor(ms / MINUTE))).size).toBeGreaterThan(25);
  });

  it('fires once, within a minute, after a sleep over many periods', async () => {
    const { fired, heartbeat } = schedule('*/15 * * * *');
    sleep(5 * HOUR);
    const woken = Date.now();
    heartbeat();
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(fired).toHaveLength(1);
    expect((fired[0] ?? 0) - woken).toBeLessThanOrEqual(MINUTE);
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    expect(fired.length).toBeGreaterThanOrEqual(8);
    expect(fired.length).toBeLessThanOrEqual(10);
  });

  it('also finds out about a sleep by node-cron’s own timer, when nothing else looks', async () => {
    const { fired } = schedule('*/15 * * * *');
    sleep(5 * HOUR + 4 * MINUTE);
    await vi.advanceTimersByTimeAsync(16 * MINUTE);
    expect(fired).toHaveLength(1);
  });

  it('does not fire twice when the offset itself was slept through', async () => {
    const { made, fired, heartbeat } = schedule('*/15 * * * *');
    await vi.advanceTimersByTimeAsync(14 * MINUTE + 51_000); // past the slot, its offset pending
    expect(made.nextAt()).not.toBeNull();
    sleep(3 * HOUR);
    heartbeat();
    await vi.advanceTimersByTimeAsync(2 * MINUTE);
    expect(fired).toHaveLength(1);
  });

  it('does not wait for a time that lies far ahead since the clock was set back', async () => {
    const { made, fired, heartbeat } = schedule('*/15 * * * *');
    vi.setSystemTime(START - 24 * HOUR);
    heartbeat();
    expect((made.nextAt()?.getTime() ?? 0) - Date.now()).toBeLessThan(30 * MINUTE);
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(fired.length).toBeGreaterThanOrEqual(3);
  });

  it('is quiet once stopped, says when it fires next before, and starts again', async () => {
    const { made, fired, timers } = schedule('*/15 * * * *');
    made.stop();
    made.stop();
    expect(made.nextAt()).toBeNull();
    await vi.advanceTimersByTimeAsync(2 * HOUR);
    made.recheck();
    expect(fired).toEqual([]);
    expect(timers.list()).toEqual([]);
    made.start(() => fired.push(Date.now()));
    await vi.advanceTimersByTimeAsync(HOUR);
    expect(fired.length).toBeGreaterThanOrEqual(3);
  });

  it('keeps one timer between two times', async () => {
    schedule('0 * * * *');
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(vi.getTimerCount()).toBe(1);
  });

  it('names an expression that is none', () => {
    expect(() => schedule('every now and then')).toThrow(/upload\.schedule is not a schedule/);
  });
});
