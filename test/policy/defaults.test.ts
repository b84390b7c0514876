import { describe, expect, test } from 'vitest';
import { captureRefusal } from '../../src/core/capture-refusal.ts';
import { overlayPolicy, POLICY_ENTRIES, type PolicyPart } from '../../src/core/policy-lattice.ts';
import { DEFAULT_POLICY, DEFAULT_REASONS, defaultRows } from '../../src/policy/defaults.ts';
import { parsePolicyFile } from '../../src/policy/parse-file.ts';
import { FILE_NAMES } from '../../src/policy/schema.ts';

describe('the defaults', () => {
  test('are those of a file that spells them all out', () => {
    const file = defaultRows()
      .filter(({ value }) => !value.startsWith('('))
      .map(({ path, value }) => `${path} = ${value}\n`)
      .join('');
    const parsed = parsePolicyFile('defaults.toml', file);
    expect(parsed).toMatchObject({ kind: 'ok' });
    if (parsed.kind !== 'ok') return;
    const { upload, ...rest } = overlayPolicy(DEFAULT_POLICY, parsed.part);
    expect({ ...rest, upload: { ...upload, isNetworksExplicit: false } }).toEqual(DEFAULT_POLICY);
  });

  test('have one reason each, and no other', () => {
    const paths = POLICY_ENTRIES.flatMap(({ path }) => (path === null ? [] : [path]));
    expect(Object.keys(DEFAULT_REASONS).sort()).toEqual(paths.sort());
    for (const { reason } of defaultRows()) expect(reason).toMatch(/^[A-Z].*\.$/);
  });

  test('cover the names of the file schema exactly', () => {
    const names = Object.entries(FILE_NAMES).flatMap(([section, keys]) =>
      keys.map((key) => `${section}.${key}`),
    );
    expect(names.sort()).toEqual(
      defaultRows()
        .map(({ path }) => path)
        .sort(),
    );
  });

  test('allow capture', () => {
    expect(captureRefusal(DEFAULT_POLICY)).toBeNull();
  });
});

describe('capture is refused, though the file is valid,', () => {
  const refused: [string, PolicyPart, string][] = [
    ['when the back end does not exist', { capture: { backend: 'telepathy' } }, 'backend-unavailable'],
  ];
  test.each(refused)('%s', (_, part, code) => {
    expect(captureRefusal(overlayPolicy(DEFAULT_POLICY, part))?.code).toBe(code);
  });
});
