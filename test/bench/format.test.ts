import { beforeAll, describe, expect, it } from 'vitest';
import { asJson } from '../../bench/format.ts';
import { type Aim, type Comparison, compare } from '../../bench/format-compare.ts';
import type { Encoding } from '../../bench/format-encoding.ts';
import { type Effort, measure } from '../../bench/format-measure.ts';
import { generated } from '../../bench/format-recordings.ts';
import { LEGEND, table } from '../../bench/format-table.ts';
import { motion, seededRandom, WORK_STYLES } from '../../bench/motion.ts';
import type { EventColumns } from '../../src/core/events.ts';

const BRIEFLY: Effort = { leastRounds: 1, mostRounds: 1, budgetMs: 0, leastRunMs: 1 };

describe('the comparison of formats', () => {
  let comparison: Comparison;
  beforeAll(async () => {
    comparison = await compare(generated('steady', 60_000), BRIEFLY);
  });

  function bytesOf(name: string): number {
    return comparison.formats.find((format) => format.name === name)?.bytes ?? Number.NaN;
  }

  it('finds our file smaller than all others, and that sealed on AC smaller still', () => {
    const others = comparison.formats.filter(({ name }) => !/^telemetryd|^ /.test(name));
    expect(others.map(({ name }) => name)).toHaveLength(6);
    for (const { bytes } of others) expect(bytes).toBeGreaterThan(bytesOf('telemetryd .tlm'));
    expect(bytesOf('telemetryd .tlm, sealed on AC')).toBeLessThan(bytesOf('telemetryd .tlm'));
  });

  it('counts a sealed file once, whether both of its stages are measured or one', () => {
    expect(bytesOf('  sealing; read as objects')).toBe(bytesOf('telemetryd .tlm'));
    expect(bytesOf('  journal, a block every 5 s')).toBeGreaterThan(bytesOf('telemetryd .tlm'));
  });

  it('takes JSON lines + gzip-6 as 1 of encoding and JSON.parse as 1 of decoding', () => {
    const ratios = comparison.formats.map(({ name, encodeRatio, decodeRatio }) => [
      name,
      encodeRatio === 1,
      decodeRatio === 1,
    ]);
    expect(ratios).toContainEqual(['JSON lines + gzip-6', true, false]);
    expect(ratios).toContainEqual(['JSON lines, plain; JSON.parse', false, true]);
  });

  it('states encryption apart: some hundred bytes', () => {
    expect(comparison.encryption.sealed).toBeGreaterThan(200);
    expect(comparison.encryption.sealed).toBeLessThan(600);
    expect(comparison.encryption.journal).toBeGreaterThan(comparison.encryption.sealed);
  });

  it('prints a table of at most 100 columns that says which aims are missed', () => {
    const missed = (aims: readonly Aim[]): Aim[] =>
      aims.map((aim) => ({ ...aim, reached: 12.345, isMet: false }));
    const { quick, smallest } = comparison.aims;
    const text = table({ ...comparison, aims: { quick: missed(quick), smallest: missed(smallest) } });
    const lines = `${LEGEND}\n${text}`.split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(text).toContain('encode CPU 12.35/0.3 MISSED');
    for (const { name } of comparison.formats) expect(text).toContain(`\n${name} `);
  });

  it('prints with or without xz', () => {
    expect(table({ ...comparison, boundBytes: null })).toContain('no xz on this machine');
    expect(table({ ...comparison, boundBytes: 1234 })).toMatch(/xz -9e of the columns +1,234 /);
  });

  it('gives as JSON all figures and no event', () => {
    const json = JSON.parse(JSON.stringify(asJson(comparison))) as object;
    expect(json).toMatchObject({
      name: 'generated steady',
      isGenerated: true,
      fixedBytes: expect.any(Number) as number,
    });
    expect(json).toHaveProperty('aims.quick.0.limit', 1.65);
    expect(JSON.stringify(json).length).toBeLessThan(5000);
  });
});

describe('a format that loses something', () => {
  const { columns } = generated('desk', 30_000);

  function returning(decoded: EventColumns): Encoding {
    return { name: 'lossy', encode: () => new Uint8Array(9), decode: () => () => decoded };
  }

  it.each(['t', 'kind', 'x', 'y', 'a', 'b'] as const)(
    'is not measured: a change in column %s',
    async (column) => {
      const changed = columns[column].slice();
      const last = columns.count - 1;
      changed[last] = (changed[last] ?? 0) + 1;
      const encoding = returning({ ...columns, [column]: changed });
      await expect(measure([encoding], columns, BRIEFLY)).rejects.toThrow(`event ${last}, column ${column}`);
    },
  );

  it('is not measured: an event less', async () => {
    const encoding = returning({ ...columns, count: columns.count - 1 });
    await expect(measure([encoding], columns, BRIEFLY)).rejects.toThrow('another number of events');
  });
});

describe('generated work', () => {
  const FIVE_MINUTES = 300_000;

  it.each([
    ['desk', 4, 10],
    ['steady', 30, 50],
    ['game', 120, 225],
    ['hand', 350, 420],
  ] as const)('of the style %s has %i to %i events a second', (style, least, most) => {
    const { count } = motion(WORK_STYLES[style], seededRandom(7), FIVE_MINUTES);
    expect(count / 300).toBeGreaterThan(least);
    expect(count / 300).toBeLessThan(most);
  });

  it('is the same for the same seed, and another for another', () => {
    const xOf = (seed: number): number[] => [...motion(WORK_STYLES.desk, seededRandom(seed), 60_000).x];
    expect(xOf(1)).toEqual(xOf(1));
    expect(xOf(1)).not.toEqual(xOf(2));
  });

  it('never runs backwards in time, and stays on the screen', () => {
    const { count, t, x, y } = motion(WORK_STYLES.game, seededRandom(3), 60_000);
    for (let i = 1; i < count; i++) expect(t[i]).toBeGreaterThanOrEqual(t[i - 1] ?? 0);
    expect(Math.min(...x, ...y)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...x)).toBeLessThan(1920);
    expect(Math.max(...y)).toBeLessThan(1080);
  });
});
