import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Desk } from './desk.ts';

const SENTENCE = 'the quick brown fox jumps over 13 lazy dogs';

/** 500 positions, each once, 10 ms apart at least. */
function moves(): { x: number; y: number }[] {
  return Array.from({ length: 500 }, (_, i) => ({ x: 20 + ((i * 37) % 1200), y: 20 + ((i * 53) % 760) }));
}

describe('a person at a real display', () => {
  const desk = new Desk();

  beforeAll(async () => {
    // Next to nothing is thinned, also where a slow machine lets moves bunch up.
    await desk.startRecording({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"5s"', flush: '"1s"' },
    });
  });

  afterAll(async () => {
    await desk.close();
  });

  it('finds all they did in the collector’s files, in order and to the pixel', async () => {
    const path = moves();
    const clicks = Array.from({ length: 20 }, (_, i) => i % 3);
    await desk.display.input(...path.flatMap(({ x, y }) => [`mousemove ${x} ${y}`, 'sleep 0.012']));
    await desk.display.input(...clicks.flatMap((which) => [`click ${which + 1}`, 'sleep 0.02']));
    await desk.display.input(...Array.from({ length: 10 }, (_, i) => `click ${i < 6 ? 5 : 4} sleep 0.02`));
    await desk.display.input('key ctrl+c', `type ${SENTENCE}`, 'key Left', 'key F5');
    await sleep(300);
    await desk.ok('upload', 'now', '--json');
    await desk.sendAll();

    const events = await desk.stored();
    const moved = events.filter((event) => event.kind === 'move').map(({ x, y }) => ({ x, y }));
    // A stalled server stamps moves of one moment with one millisecond: those are thinned, and counted.
    const { thinned } = (await desk.status()).capture.events;
    const here = new Set(moved.map(({ x, y }) => `${x},${y}`));
    expect(moved).toEqual(path.filter(({ x, y }) => here.has(`${x},${y}`)));
    expect(moved).toHaveLength(path.length - thinned);
    expect(thinned).toBeLessThan(50);

    const names = ['left', 'middle', 'right'];
    const expected = clicks.flatMap((which) => [`down ${names[which] ?? ''}`, `up ${names[which] ?? ''}`]);
    const buttons = events.filter((event) => event.kind === 'down' || event.kind === 'up');
    expect(buttons.map((event) => `${event.kind} ${event.button ?? ''}`)).toEqual(expected);
    const last = path.at(-1);
    expect(new Set(buttons.map(({ x, y }) => `${x},${y}`))).toEqual(
      new Set([`${last?.x ?? 0},${last?.y ?? 0}`]),
    );

    const wheel = events.filter((event) => event.kind === 'wheel');
    expect(wheel.map((event) => event.dy)).toEqual([1, 1, 1, 1, 1, 1, -1, -1, -1, -1]);

    const downs = events.filter((event) => event.kind === 'keydown');
    const named = downs.filter((event) => event.key !== undefined);
    expect(named.map((event) => event.key)).toEqual(['ControlLeft', 'KeyC', 'ArrowLeft', 'F5']);
    expect(named[1]?.mods).toEqual(['ctrl']);
    const masked = downs.filter((event) => event.key === undefined);
    expect(masked).toHaveLength(SENTENCE.length);
    for (const event of masked) expect(event).toEqual({ ...position(event), kind: 'keydown', class: 'text' });
    expect(events.map((event) => event.t)).toEqual(events.map((event) => event.t).sort((a, b) => a - b));
  });

  it('shows them the same in the words of telemetryctl inspect', async () => {
    const [file] = desk.storedFiles();
    const summary = await desk.ok('inspect', file ?? '');
    expect(summary).toMatch(/sealed|sound|verified/i);
    const lines = (await desk.ok('inspect', '--json', file ?? '')).trim().split('\n');
    const first = JSON.parse(lines.find((line) => line.includes('"move"')) ?? '{}') as Record<
      string,
      unknown
    >;
    expect(Object.keys(first)).toEqual(['t', 'kind', 'x', 'y']);
  });

  it('counts them in status, with what was masked', async () => {
    const status = await desk.status();
    expect(status.capture.events.recorded).toBeGreaterThanOrEqual(600);
    expect(status.capture.events.redacted).toBeGreaterThanOrEqual(SENTENCE.length);
    expect(status.upload.sent.totalSegments).toBeGreaterThan(0);
    expect(status.capture.backend).toBe('x11');
  });
});

function position({ t, x, y }: { t: number; x: number; y: number }) {
  return { t, x, y };
}
