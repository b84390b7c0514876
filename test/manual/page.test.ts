import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type ManualFile, manualFiles } from '../../src/manual/entry.ts';
import { literal } from '../../src/manual/roff.ts';

const pages = await manualFiles('2026-11-24');

/** What reads a page strictly: warnings and all on standard error or output. */
const READERS: readonly (readonly string[])[] = [
  ['groff', '-man', '-ww', '-z'],
  ['mandoc', '-T', 'lint', '-W', 'warning'],
];

function has(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}

function page(name: string): ManualFile['text'] {
  return pages.find((each) => each.name === name)?.text ?? '';
}

describe('the manual pages', () => {
  it('are one for each program', () => {
    expect(pages.map(({ name }) => name)).toEqual([
      'telemetryctl.1',
      'telemetryd.8',
      'telemetry-collector.8',
    ]);
  });

  it('have every command with its options, notes and examples', () => {
    const text = page('telemetryctl.1');
    for (const heading of ['pause [duration]', 'consent grant', 'log verify', 'export [file']) {
      expect(text).toContain(`.SS "telemetryctl ${heading}`);
    }
    expect(text).toContain(`.B ${literal('-f, --format <format>')}\nwhat to write: jsonl, csv, parquet`);
    expect(text).toContain('It resumes by itself');
    expect(text).toContain(literal('telemetryctl pause --until 15:30'));
    expect(page('telemetryd.8')).toContain(literal('telemetryd run --replay'));
    expect(page('telemetry-collector.8')).not.toContain('until');
  });

  it('take what roff would take for its own as text', () => {
    expect(literal(".so it\n'is\\fB-n “x…”")).toBe(
      String.raw`\&.so it${'\n'}\&'is\efB\-n \[u201C]x\[u2026]\[u201D]`,
    );
  });

  it.each(READERS.map((reader) => [reader[0] ?? '', reader.slice(1)] as const))(
    'are read by %s without a warning, where that is installed',
    (program, args) => {
      if (!has(program)) return;
      for (const { name, text } of pages) {
        const { status, stdout, stderr } = spawnSync(program, args, { input: text, encoding: 'utf8' });
        expect({ name, status, said: stdout + stderr }).toEqual({ name, status: 0, said: '' });
      }
    },
  );

  it.runIf(has('man'))('are shown by man as they are meant', () => {
    const { stdout, stderr } = spawnSync('man', ['--warnings', '-l', '-'], {
      input: page('telemetryctl.1'),
      encoding: 'utf8',
      env: { ...process.env, MANWIDTH: '80', LC_ALL: 'C.UTF-8', MAN_KEEP_FORMATTING: '' },
    });
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^ +telemetryctl pause --until 15:30$/m);
  });
});
