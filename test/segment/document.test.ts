import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readSegment } from '../../src/segment/read.ts';
import { HEADER, hex, journalOf, type Row, rowsOf } from './samples.ts';

const TEXT = readFileSync(join(import.meta.dirname, '../../docs/SEGMENT.md'), 'utf8');
const EXAMPLE = TEXT.slice(TEXT.indexOf('## Worked example'), TEXT.indexOf('## Limits'));

describe('the worked example of docs/SEGMENT.md', () => {
  const lines = EXAMPLE.slice(EXAMPLE.indexOf('```hex') + 6, EXAMPLE.lastIndexOf('```')).split('\n');
  const bytes = hex(...lines.map((line) => line.split('   ', 1)[0] ?? ''));
  const rows = [...EXAMPLE.matchAll(/^\| (\d+) \| (move|down|up) \| (\d+) \| (\d+) \| ?(\d*) ?\|$/gm)].map(
    ([, t, kind, x, y, a]): Row => {
      return [Number(t), ['move', 'down', 'up'].indexOf(kind ?? ''), Number(x), Number(y), Number(a), 0];
    },
  );

  it('reads as the table below it says', () => {
    expect(rows).toHaveLength(6);
    const segment = readSegment(bytes);
    expect(segment.header).toEqual(HEADER);
    expect(rowsOf(segment.columns)).toEqual(rows);
    expect(segment.tornBytes).toBe(0);
  });

  it('is what the writer makes of that table', () => {
    expect(journalOf(rows)).toEqual(bytes);
  });
});
