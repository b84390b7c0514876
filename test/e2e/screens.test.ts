import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSegment } from '../../src/segment/open-segment.ts';
import { Desk, Program, segmentFiles, until } from './desk.ts';

const hasXrandr = existsSync('/usr/bin/xrandr');

/** Skipped only where xrandr is not installed. */
describe.skipIf(!hasXrandr)('a screen that changes while input is captured', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startDisplay();
    desk.writePolicy({ upload: { url: '""' }, segment: { roll: '"15m"', flush: '"1s"' } });
    await desk.startDaemon();
    await desk.grant();
  });

  afterAll(async () => {
    await desk.close();
  });

  it('begins a new segment, so that each holds the positions of its own screen', async () => {
    expect((await desk.status()).capture.backend).toBe('x11');
    await desk.display.input(...pathAt(1100));
    // A mode that is smaller than the first, taken while the pointer moves.
    const moving = desk.display.input(...pathAt(600), ...pathAt(500), ...pathAt(400));
    await xrandr('--newmode', 'small', '0', '640', '0', '0', '640', '480', '0', '0', '480');
    await xrandr('--addmode', 'screen', 'small');
    await xrandr('--output', 'screen', '--mode', 'small');
    await moving;
    await desk.display.input(...pathAt(300));
    const found = await until('both screens in the files', async () => {
      const segments = await screensAndEvents();
      const ends = segments.some(({ width, columns }) => width === 640 && columns.x.includes(300));
      return ends ? segments : undefined;
    });
    expect(new Set(found.map(({ width }) => width))).toEqual(new Set([1280, 640]));
    for (const { width, columns } of found) {
      const xs = [...columns.x.subarray(0, columns.count)];
      if (width === 640) expect(Math.max(...xs)).toBeLessThan(640);
      else expect(xs).toContain(1100);
    }
  });

  async function screensAndEvents() {
    const files = segmentFiles(desk.stateDir).map((file) => readFileSync(file));
    const opened = await Promise.all(
      files
        .filter((bytes) => bytes.length > 0)
        .map((bytes) => openSegment(bytes, { identities: desk.identities() })),
    );
    return opened.flatMap(({ header, columns }) => header.screens.map(({ width }) => ({ width, columns })));
  }

  async function xrandr(...args: string[]): Promise<void> {
    const program = new Program('xrandr', args, desk.display.env());
    if ((await program.exited) !== 0) throw new Error(program.out);
  }
});

function pathAt(x: number): string[] {
  return Array.from({ length: 60 }, (_, i) => [`mousemove ${x} ${100 + i}`, 'sleep 0.01']).flat();
}
