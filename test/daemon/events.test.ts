import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPO } from '../setup/checkout.ts';

/** A call of a log, and the event it names first, where it names one. */
const CALL = /\blog\.(debug|info|warn|error)\(\s*\{(?:\s*event: '([a-z]+(?:-[a-z]+)*)')?/g;
const ROW = /^\| `([a-z-]+)` \| (debug|info|warn|error) \|/gm;

interface Logged {
  readonly where: string;
  readonly level: string;
  readonly event: string | undefined;
}

/** Every line that is logged by what the daemon's program is made of. */
function logged(): Logged[] {
  const folders = ['capture', 'conditions', 'control', 'daemon', 'policy', 'posix', 'privacy', 'spool'];
  const files = folders.flatMap((folder) =>
    readdirSync(join(REPO, 'src', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(REPO, 'src', folder, name)),
  );
  return files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return [...text.matchAll(CALL)].map(({ 1: level = '', 2: event, index }) => ({
      where: `${relative(REPO, file)}:${text.slice(0, index).split('\n').length}`,
      level,
      event,
    }));
  });
}

describe('docs/events.md', () => {
  const calls = logged();
  const rows = [...readFileSync(join(REPO, 'docs/events.md'), 'utf8').matchAll(ROW)].map(
    ([, event = '', level = '']) => `${event} ${level}`,
  );

  it('names every event that the daemon logs, with its level, and no other', () => {
    expect(calls.length).toBeGreaterThan(40);
    const named = calls.map(({ event, level }) => `${event ?? ''} ${level}`);
    expect([...new Set(named)].sort()).toEqual([...rows].sort());
  });

  it('can name them, since no line is logged without a name', () => {
    expect(calls.filter(({ event }) => event === undefined).map(({ where }) => where)).toEqual([]);
  });

  it('has each name once', () => {
    expect(new Set(rows).size).toBe(rows.length);
  });
});
