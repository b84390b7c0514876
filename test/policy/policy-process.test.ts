import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadPolicyFiles } from '../../src/policy/load.ts';
import { loaderArguments, parseLoaderArguments } from '../../src/policy/loader/arguments.ts';
import type { PolicyPaths } from '../../src/policy/policy-outcome.ts';
import { type LoaderProgram, loadPolicy } from '../../src/policy/policy-process.ts';
import { tempFolder } from './temp-folder.ts';

const READER: LoaderProgram = {
  execPath: process.execPath,
  execArgv: ['--disable-sigusr1'],
  entry: fileURLToPath(new URL('../../src/policy/loader/entry.ts', import.meta.url)),
  env: {},
  timeoutMs: 30_000,
};

function pathsIn(folder: string): PolicyPaths {
  return {
    policyFile: join(folder, 'policy.toml'),
    preferencesFile: join(folder, '--preferences "with" odd name.toml'),
    isSystem: false,
    personUid: process.getuid?.() ?? 0,
    isPolicyRequired: false,
  };
}

/** A reader that runs `script` instead. */
function readerOf(folder: string, script: string): LoaderProgram {
  const entry = join(folder, 'reader.cjs');
  writeFileSync(entry, script);
  return { ...READER, entry };
}

describe('reading the policy in a process of its own', () => {
  test('gives what reading it here gives', async () => {
    const paths = pathsIn(tempFolder());
    writeFileSync(paths.policyFile, '[limits]\ncpu = "2%"\n[capture]\nkeys = "activity"\n', { mode: 0o644 });
    writeFileSync(paths.preferencesFile ?? '', 'capture.mouse_hz = 10\n', { mode: 0o600 });
    const loaded = await loadPolicy(paths, READER);
    expect(loaded.policy?.capture).toMatchObject({ keys: 'activity', mouseHz: 10 });
    expect(loaded).toEqual(loadPolicyFiles(paths));
  });

  test('gives the problems of a file that is refused', async () => {
    const paths = pathsIn(tempFolder());
    writeFileSync(paths.policyFile, 'nonsense', { mode: 0o644 });
    const refused = await loadPolicy(paths, READER);
    expect(refused.policy).toBeNull();
    expect(refused).toEqual(loadPolicyFiles(paths));
  });

  test.each([
    ['crashes', 'process.exit(3)', /failed \(exit code 3\)/],
    ['throws', 'throw new Error("x")', /failed \(exit code 1\)/],
    ['is killed', 'process.kill(process.pid, "SIGKILL")', /was killed \(SIGKILL\)/],
    ['says nothing', '', /no answer that can be read/],
    ['talks nonsense', 'console.log("hello")', /no answer that can be read/],
    [
      'answers something else',
      'console.log(JSON.stringify({ policy: {}, problems: [] }))',
      /of another version/,
    ],
    ['answers null', 'console.log("null")', /of another version/],
    ['never stops talking', 'process.stdout.write("x".repeat(9e6))', /said more than it may/],
  ])('a reader that %s is a problem, not an exception', async (_, script, text) => {
    const folder = tempFolder();
    const refused = await loadPolicy(pathsIn(folder), readerOf(folder, script));
    expect(refused.policy).toBeNull();
    expect(refused.problems).toHaveLength(1);
    expect(refused.problems[0]?.text).toMatch(text);
  });

  test('a reader that hangs is ended after its time', async () => {
    const folder = tempFolder();
    const reader = readerOf(folder, 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)');
    const refused = await loadPolicy(pathsIn(folder), { ...reader, timeoutMs: 500 });
    expect(refused.problems[0]?.text).toBe('the policy reader did not answer within 500 ms');
  });

  test('a reader that cannot be started is a problem', async () => {
    const folder = tempFolder();
    const refused = await loadPolicy(pathsIn(folder), { ...READER, execPath: join(folder, 'no-node') });
    expect(refused.problems[0]?.text).toMatch(/^the policy reader cannot be started: .*ENOENT/);
  });

  test('its command line says everything about the paths', () => {
    const paths: PolicyPaths = { ...pathsIn('/x'), isSystem: true, isPolicyRequired: true, personUid: 1000 };
    for (const given of [paths, { ...paths, preferencesFile: null, isSystem: false }]) {
      expect(parseLoaderArguments(loaderArguments(given))).toEqual(given);
    }
    expect(() => parseLoaderArguments([])).toThrow('--policy');
    expect(() => parseLoaderArguments(['--policy=x', '--person=me'])).toThrow('--person');
  });
});
