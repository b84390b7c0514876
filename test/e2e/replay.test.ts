import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { readSegment } from '../../src/segment/read.ts';
import { Desk, Program, ROOT, segmentFiles } from './desk.ts';

const RECORDING = fileURLToPath(new URL('../../../shared/data/ducktrack-mouse-400hz.csv', import.meta.url));

describe('telemetryd run --replay', () => {
  const desk = new Desk();

  afterAll(async () => {
    await desk.close();
  });

  async function replay(file: string, ...more: string[]): Promise<Program> {
    const node = path.join(ROOT, 'node_modules/.bin/node');
    const program = new Program(
      node,
      [path.join(ROOT, 'dist/telemetryd.js'), 'run', '--replay', file, ...more],
      desk.env(),
    );
    await program.exited;
    return program;
  }

  it('plays an hour in moments, without consent, into segments that say what they are', async () => {
    desk.writePolicy({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"15m"' },
    });
    const file = path.join(desk.root, 'hour.csv');
    writeFileSync(file, recording(3600));
    const program = await replay(file, '--speed', 'max');
    expect(program.out).toMatch(/Replayed \d+ events/);
    expect(program.child.exitCode).toBe(0);
    const segments = segmentFiles(path.join(desk.stateDir, 'replay')).map((found) =>
      readSegment(readFileSync(found)),
    );
    expect(segments.length).toBeGreaterThanOrEqual(4);
    expect(segments.map((segment) => segment.header.backend)).toEqual(segments.map(() => 'replay'));
    expect(segments.map((segment) => segment.header.receiptId)).toEqual(segments.map(() => ''));
    const events = segments.reduce((sum, segment) => sum + segment.columns.count, 0);
    expect(events).toBe(3600 * 7);
    expect(program.out).toContain(`Replayed ${events} events`);
  });

  it('gives one clear error with the line of a broken recording, and keeps what came before', async () => {
    const file = path.join(desk.root, 'broken.csv');
    writeFileSync(file, `${recording(20)}1,2,three\n`);
    const program = await replay(file, '--speed', 'max');
    expect(program.child.exitCode).toBe(1);
    expect(program.out).toContain(`${file}:142:`);
    expect(program.out).toMatch(/Try: /);
    expect(program.out).toMatch(/Replayed 140 events/);
  });

  it.runIf(existsSync(RECORDING))('plays a real recording', async () => {
    const program = await replay(RECORDING, '--speed', 'max');
    expect(program.child.exitCode).toBe(0);
    expect(program.out).toMatch(/Replayed 6[01]\d\d events \(\d+ thinned/);
  });
});

/** Seven moves a second, each to a new place. */
function recording(seconds: number): string {
  const rows = Array.from({ length: seconds * 7 }, (_, i) => {
    const tUs = Math.floor((i * 1e6) / 7);
    return `${tUs},0,${500 + ((i * 3) % 700)},${300 + ((i * 7) % 450)},0,0`;
  });
  return `t_us,kind,x,y,a,b\n${rows.join('\n')}\n`;
}
