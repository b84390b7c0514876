import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isExcluded, isNamed } from '../../src/core/window-match.ts';

const FIREFOX = { names: ['Navigator', 'firefox'], titles: ['Shop — Mozilla Firefox Private Browsing'] };

describe('a window is excluded', () => {
  const cases: [string, { apps?: string[]; titles?: string[] }, boolean][] = [
    ['by its class or instance, whatever the case', { apps: ['FireFox'] }, true],
    ['not by a part of its name', { apps: ['Fire', 'Navigator2'] }, false],
    ['by any part of its title, whatever the case', { titles: ['private browsing'] }, true],
    ['by a title with another kind of space', { titles: ['Private\u00a0Browsing'] }, true],
    ['not by another title', { titles: ['Incognito'] }, false],
    ['not by its title in the list of applications', { apps: ['Private Browsing'] }, false],
    ['by nothing when nothing is listed', {}, false],
  ];
  test.each(cases)('%s', (_, { apps = [], titles = [] }, expected) => {
    expect(isExcluded(FIREFOX, { apps, titles })).toBe(expected);
  });

  test('by a title in other forms of the same characters', () => {
    const window = { names: ['x'], titles: ['ＩＮＣＯＧＮＩＴＯ'] };
    expect(isExcluded(window, { apps: [], titles: ['Incognito'] })).toBe(true);
  });

  test('by a name that the system has cut to 15 bytes', () => {
    expect(isNamed({ names: ['polkit-gnome-au'], titles: [] }, ['polkit-gnome-authentication-agent-1'])).toBe(
      true,
    );
    expect(isNamed({ names: ['polkit-gnome'], titles: [] }, ['polkit-gnome-authentication-agent-1'])).toBe(
      false,
    );
  });

  test('whenever its own name or a part of its title is listed, and more entries never bring it back', () => {
    const word = fc
      .string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
      .filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(word, word, fc.array(word), (name, title, more) => {
        const window = { names: [name], titles: [`a ${title} b`] };
        expect(isExcluded(window, { apps: [...more, name], titles: [] })).toBe(true);
        expect(isExcluded(window, { apps: [], titles: [title, ...more] })).toBe(true);
      }),
    );
  });
});
