import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addName, namesIn, removeName } from '../../src/policy/name-list-edit.ts';

const FILE = 'preferences.toml';

describe('a name in a list of preferences.toml', () => {
  it.each([
    ['', '[exclude]\napps = ["Signal"]\n'],
    ['[capture]\nkeys = "off"', '[capture]\nkeys = "off"\n\n[exclude]\napps = ["Signal"]\n'],
    ['[exclude]\n', '[exclude]\napps = ["Signal"]\n'],
    [
      '[exclude] # mine\ntitles = ["x"]\n[spool]\nlimit = "100MB"\n',
      '[exclude] # mine\napps = ["Signal"]\ntitles = ["x"]\n[spool]\nlimit = "100MB"\n',
    ],
    ['[exclude]\napps = []\n', '[exclude]\napps = ["Signal"]\n'],
    ['[exclude]\napps = [ # why\n]\n', '[exclude]\napps = ["Signal" # why\n]\n'],
    [
      '# keep\n[exclude]\napps = [\n  "A", # first\n  "B", # second\n]\n',
      '# keep\n[exclude]\napps = [\n  "A", # first\n  "B", "Signal", # second\n]\n',
    ],
    ['exclude.apps = ["A"]\n', 'exclude.apps = ["A", "Signal"]\n'],
    ['exclude = { apps = ["A"] }\n', 'exclude = { apps = ["A", "Signal"] }\n'],
  ])('is added to %j', (before, after) => {
    expect(addName(FILE, before, 'apps', 'Signal')).toBe(after);
  });

  it('is added once', () => {
    const text = addName(FILE, '', 'titles', 'Payslip');
    expect(addName(FILE, text, 'titles', 'Payslip')).toBe(text);
  });

  it.each([
    ['[exclude]\napps = ["A"]\n', 'A', '[exclude]\napps = []\n'],
    ['[exclude]\napps = ["A",]\n', 'A', '[exclude]\napps = []\n'],
    ['[exclude]\napps = ["A", "B",] # c\n', 'B', '[exclude]\napps = ["A",] # c\n'],
    ['[exclude]\napps = ["A", "B"]\n', 'A', '[exclude]\napps = ["B"]\n'],
    ['[exclude]\napps = ["A", "B"]\n', 'C', '[exclude]\napps = ["A", "B"]\n'],
  ])('is removed from %j: %s', (before, name, after) => {
    expect(removeName(FILE, before, 'apps', name)).toBe(after);
  });

  it('comes and goes without a trace in any list, whatever it is', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
      .filter((text) => /^[\p{L}\p{N}"'\\#[\] ]*[\p{L}\p{N}]$/u.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 6 }), name, (names, extra) => {
        const text = names.reduce(
          (sum, each) => addName(FILE, sum, 'apps', each),
          '# mine\n[spool]\nlimit = "100MB"\n',
        );
        expect(namesIn(FILE, text, 'apps')).toEqual(names);
        const more = addName(FILE, text, 'apps', extra);
        expect(namesIn(FILE, more, 'apps')).toEqual([...new Set([...names, extra])]);
        expect(namesIn(FILE, removeName(FILE, more, 'apps', extra), 'apps')).toEqual(
          names.filter((each) => each !== extra),
        );
        expect(more).toContain('# mine\n[spool]\nlimit = "100MB"\n');
      }),
      { numRuns: 200 },
    );
  });

  it('is refused when no policy would take it, and when the file is not one', () => {
    expect(() => addName(FILE, '', 'apps', ' ')).toThrow('" " must not be empty.');
    expect(() => addName(FILE, '', 'apps', 'a\u0007b')).toThrow('must have no control');
    expect(() => addName(FILE, '[exclude]\nappz = []\n', 'apps', 'A')).toThrow(
      'preferences.toml:2:1: exclude.appz',
    );
    expect(() => removeName(FILE, 'nonsense', 'apps', 'A')).toThrow('preferences.toml:1');
  });

  it('is not put where it would not count: the person gets the line to write', () => {
    expect(() => addName(FILE, 'exclude.titles = ["x"]\n', 'apps', 'A')).toThrow('cannot be changed safely');
  });
});
