import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, expect, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { loadPolicyFiles } from '../../src/policy/load.ts';
import { policyId } from '../../src/policy/policy-id.ts';
import type { PolicyPaths } from '../../src/policy/policy-outcome.ts';
import { tempFolder } from './temp-folder.ts';

const uid = process.getuid?.() ?? 0;
const isRoot = uid === 0;

interface Files {
  readonly paths: PolicyPaths;
  readonly policy: (content: string | Uint8Array, mode?: number) => void;
  readonly preferences: (content: string, mode?: number) => void;
}

function files(changes: Partial<PolicyPaths> = {}): Files {
  const folder = tempFolder();
  const paths: PolicyPaths = {
    policyFile: join(folder, 'policy.toml'),
    preferencesFile: join(folder, 'preferences.toml'),
    isSystem: false,
    personUid: uid,
    isPolicyRequired: false,
    ...changes,
  };
  const write = (path: string, content: string | Uint8Array, mode: number): void => {
    writeFileSync(path, content);
    chmodSync(path, mode);
  };
  return {
    paths,
    policy: (content, mode = 0o644) => {
      write(paths.policyFile, content, mode);
    },
    preferences: (content, mode = 0o600) => {
      write(paths.preferencesFile ?? '', content, mode);
    },
  };
}

function texts(paths: PolicyPaths): string[] {
  return loadPolicyFiles(paths).problems.map(({ severity, where, text }) =>
    `${severity} ${where}: ${text}`
      .replaceAll(paths.policyFile, 'POLICY')
      .replaceAll(paths.preferencesFile ?? '?', 'PREFS'),
  );
}

describe('loading', () => {
  test('without any file the defaults hold', () => {
    const { paths } = files();
    const loaded = loadPolicyFiles(paths);
    expect(loaded.policy).toEqual(DEFAULT_POLICY);
    expect(loaded).toMatchObject({ source: 'defaults', id: policyId(DEFAULT_POLICY), problems: [] });
  });

  test('a policy that someone named must exist', () => {
    const { paths } = files({ isPolicyRequired: true });
    expect(texts(paths)).toEqual(['error POLICY: does not exist']);
  });

  test('values come from the policy, then from preferences where these are more private', () => {
    const { paths, policy, preferences } = files();
    policy('[capture]\nkeys = "activity"\nmouse_hz = 100\n[upload]\nurl = "http://127.0.0.1:1"\n');
    preferences('[capture]\nmouse_hz = 50\n[exclude]\napps = ["Notes"]\n');
    const loaded = loadPolicyFiles(paths);
    expect(loaded.policy?.capture).toMatchObject({ keys: 'activity', mouseHz: 50 });
    expect(loaded.policy?.exclude.apps).toEqual([...DEFAULT_POLICY.exclude.apps, 'Notes']);
    expect(loaded).toMatchObject({
      source: paths.policyFile,
      origins: {
        'capture.keys': 'policy',
        'capture.mouse_hz': 'preferences',
        'exclude.apps': 'preferences',
        'exclude.titles': 'default',
        'upload.url': 'policy',
      },
    });
  });

  test('preferences alone stand on the defaults', () => {
    const { paths, preferences } = files();
    preferences('capture.keys = "off"');
    expect(loadPolicyFiles(paths)).toMatchObject({
      source: 'defaults',
      policy: { capture: { keys: 'off' } },
    });
  });

  test('preferences that ask for less privacy change nothing, and are told so', () => {
    const { paths, policy, preferences } = files();
    policy('capture.keys = "activity"');
    preferences('capture.keys = "shortcuts"');
    expect(loadPolicyFiles(paths).policy?.capture.keys).toBe('activity');
    expect(texts(paths)).toEqual([
      'notice PREFS:1:16: capture.keys asks for shortcuts, but the policy is more private already: activity',
    ]);
  });

  test.each([
    ['upload.url = "https://elsewhere.example.com"', 'upload.url'],
    ['notice.purpose = "mine"', 'notice.purpose'],
    ['encrypt.recipients = []', 'encrypt.recipients'],
    ['pause.max = "8h"', 'pause.max'],
    ['segment.flush = "1s"', 'segment.flush'],
  ])('preferences may not say %s', (line, path) => {
    const { paths, preferences } = files();
    preferences(line);
    expect(loadPolicyFiles(paths).policy).toBeNull();
    expect(texts(paths)[0]).toContain(`${path} is for the policy to set, not for preferences`);
  });

  test('preferences that are wrong are not left out: nothing is loaded', () => {
    const { paths, policy, preferences } = files();
    policy('capture.keys = "shortcuts"');
    preferences('capture.keys = "of"');
    expect(loadPolicyFiles(paths).policy).toBeNull();
  });

  test('networks that a file names bind even a collector on this machine', () => {
    const { paths, policy, preferences } = files();
    policy('upload.url = "http://127.0.0.1:1"');
    expect(loadPolicyFiles(paths).policy?.upload.isNetworksExplicit).toBe(false);
    preferences('upload.networks = ["wifi"]');
    expect(loadPolicyFiles(paths).policy?.upload.isNetworksExplicit).toBe(true);
  });

  test('values that make no sense together are errors where the file has them', () => {
    const { paths, policy } = files();
    policy('[segment]\nroll = "2s"\n');
    expect(texts(paths)[0]).toMatch(/^error POLICY:2:8: segment\.flush is longer than segment\.roll/);
    policy('[upload]\nurl = "http://127.0.0.1:1"\nhold_back = "7d"\n');
    expect(texts(paths)[0]).toMatch(/^error POLICY:3:13: upload\.hold_back is not shorter/);
    policy('[upload]\nurl = "https://c.example.com"\nschedule = "*/5 * * * * *"\n');
    expect(texts(paths)[0]).toMatch(/^error POLICY:3:12: upload\.schedule has a sixth field/);
    policy('[upload]\nurl = "http://127.0.0.1:1"\nschedule = "*/5 * * * * *"\n');
    expect(texts(paths)).toEqual([]);
  });

  test('every key is recorded in no application until one is named, which is told', () => {
    const { paths, policy } = files();
    policy('[capture]\nkeys = "full"\n');
    expect(texts(paths)[0]).toMatch(
      /^notice POLICY:2:8: capture\.keys = "full" and capture\.full_apps go together/,
    );
    policy('[capture]\nkeys = "full"\nfull_apps = ["XTerm"]\n');
    expect(texts(paths)).toEqual([]);
  });

  test('a collector elsewhere needs a whole notice, which is told without refusing the file', () => {
    const { paths, policy } = files();
    policy(
      'upload.url = "https://c.example.com"\nnotice.controller = "X"\nnotice.contact = "x@example.com"\n',
    );
    expect(texts(paths)[0]).toMatch(
      /^notice POLICY:1:14: .* nothing is sent there without notice\.purpose, notice\.basis, notice\.readers, notice\.server_retention, encrypt\.recipients$/,
    );
  });
});

describe('files that are refused', () => {
  const hostile: [name: string, content: string | Uint8Array, where: RegExp, text: RegExp][] = [
    ['binary', new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0xff, 0xfe]), /:1:1$/, /not UTF-8/],
    ['Latin-1 in line 3', Buffer.from('a = 1\n\nb = "ä"\n', 'latin1'), /:3:1$/, /not UTF-8/],
    ['UTF-16', Buffer.from('\ufeffa = 1', 'utf16le'), /:1:1$/, /not UTF-8/],
    ['a megabyte', '#'.repeat(1024 * 1024), /toml$/, /larger than 256 KiB/],
    ['NUL bytes', '\0\0\0\0', /:1:\d+$/, /not TOML/],
    ['duplicate keys', 'pause.max = "30m"\npause.max = "40m"', /:2:\d+$/, /not TOML: .*redefine/],
    ['a table twice', '[pause]\n[pause]', /:2:\d+$/, /not TOML/],
    ['a huge integer', 'capture.mouse_hz = 99999999999999999999999', /:1:20$/, /not TOML/],
    ['JSON', '{"pause": {"max": "30m"}}', /:1:\d+$/, /not TOML/],
    ['an open string', 'pause.max = "30m', /:1:\d+$/, /not TOML/],
  ];
  test.each(hostile)('%s', (_, content, where, text) => {
    const { paths, policy } = files();
    policy(content);
    const { policy: loaded, problems } = loadPolicyFiles(paths);
    expect(loaded).toBeNull();
    expect(problems[0]?.where).toMatch(where);
    expect(problems[0]?.text).toMatch(text);
    expect(problems[0]?.hint).not.toBe('');
  });

  test('a byte order mark and Windows line ends are fine', () => {
    const { paths, policy } = files();
    policy('\ufeff[capture]\r\nkeys = "off"\r\n');
    expect(loadPolicyFiles(paths).policy?.capture.keys).toBe('off');
  });

  test('a folder or a FIFO of that name is refused and holds nothing up', () => {
    const { paths } = files();
    mkdirSync(paths.policyFile);
    execFileSync('mkfifo', [paths.preferencesFile ?? '']);
    expect(texts(paths)).toEqual([
      'error POLICY: is not a regular file',
      'error PREFS: is not a regular file',
    ]);
  });

  test('a file that cannot be reached is refused, not taken as absent', () => {
    const { paths } = files();
    symlinkSync('policy.toml', paths.policyFile);
    expect(texts(paths)[0]).toMatch(/^error POLICY: cannot be read: ELOOP/);
  });

  test.each([0o664, 0o646, 0o666, 0o622])('a policy of mode %o can be changed by others', (mode) => {
    const { paths, policy } = files();
    policy('', mode);
    expect(loadPolicyFiles(paths)).toMatchObject({
      policy: null,
      problems: [{ text: 'can be changed by others than its owner', hint: `chmod go-w ${paths.policyFile}` }],
    });
  });

  test('preferences that others can change are refused too', () => {
    const { paths, preferences } = files();
    preferences('capture.keys = "off"', 0o660);
    expect(texts(paths)).toEqual(['error PREFS: can be changed by others than its owner']);
  });

  test.runIf(isRoot)('a policy must belong to the person or root, for the system service to root', () => {
    const { paths, policy } = files({ personUid: 1234 });
    policy('capture.keys = "off"');
    expect(loadPolicyFiles(paths).policy).not.toBeNull();
    chownSync(paths.policyFile, 1234, 1234);
    expect(loadPolicyFiles(paths).policy).not.toBeNull();
    expect(texts({ ...paths, isSystem: true })[0]).toMatch(/belongs to user 1234; it must belong to root/);
    chownSync(paths.policyFile, 4321, 4321);
    expect(texts(paths)[0]).toMatch(/belongs to user 4321; it must belong to the person or root/);
  });

  test.runIf(isRoot)('preferences must belong to the person, whom not even root stands in for', () => {
    const { paths, preferences } = files({ personUid: 1234 });
    preferences('capture.keys = "off"');
    expect(texts(paths)[0]).toMatch(/belongs to user 0; it must belong to the person/);
    chownSync(paths.preferencesFile ?? '', 1234, 1234);
    expect(loadPolicyFiles(paths).policy?.capture.keys).toBe('off');
  });
});

describe('drop-ins', () => {
  const dropIn = (paths: PolicyPaths, name: string, content: string, mode = 0o644): string => {
    const folder = join(paths.policyFile, '../policy.d');
    mkdirSync(folder, { recursive: true, mode: 0o755 });
    chmodSync(folder, 0o755);
    const path = join(folder, name);
    writeFileSync(path, content);
    chmodSync(path, mode);
    return path;
  };

  test('stand on the policy file in the order of their names; of what several set, the last counts', () => {
    const { paths, policy } = files();
    policy('[capture]\nkeys = "off"\nmouse_hz = 60\n[spool]\nlimit = "100MB"\n');
    dropIn(paths, '90-late.toml', '[capture]\nkeys = "activity"\n');
    dropIn(paths, '10-early.toml', '[capture]\nkeys = "shortcuts"\nmouse_hz = 30\n');
    dropIn(paths, 'README', 'not a policy');
    dropIn(paths, '.95-editor.toml', 'half a fi');
    const loaded = loadPolicyFiles(paths);
    expect(loaded.policy?.capture).toMatchObject({ keys: 'activity', mouseHz: 30 });
    expect(loaded.policy?.spool.limitBytes).toBe(100_000_000);
    expect(loaded).toMatchObject({
      source: `${paths.policyFile} and 2 drop-ins`,
      origins: { 'capture.keys': 'policy', 'spool.retention': 'default' },
    });
  });

  test('count without a policy file, and are refused as it is, each with its own name', () => {
    const { paths } = files();
    const folder = join(paths.policyFile, '../policy.d');
    const good = dropIn(paths, 'a.toml', '[capture]\nkeys = "off"\n');
    expect(loadPolicyFiles(paths)).toMatchObject({
      source: `1 drop-in of ${folder}`,
      policy: { capture: { keys: 'off' } },
    });
    chmodSync(good, 0o666);
    const bad = dropIn(paths, 'b.toml', '[capture]\nkeyz = "off"\n');
    expect(loadPolicyFiles(paths).problems.map(({ where }) => where)).toEqual([good, `${bad}:2:1`]);
    chmodSync(good, 0o644);
    chmodSync(folder, 0o777);
    expect(loadPolicyFiles(paths)).toMatchObject({ policy: null, problems: [{ where: folder }] });
  });

  test('belong to a file called policy.toml only', () => {
    const { paths } = files();
    dropIn(paths, 'a.toml', '[capture]\nkeys = "off"\n');
    const other = { ...paths, policyFile: join(paths.policyFile, '../demonstration.toml') };
    expect(loadPolicyFiles(other)).toMatchObject({ source: 'defaults' });
  });

  test('an error that shows in the whole is at the place that counts', () => {
    const { paths, policy } = files();
    policy('[segment]\nflush = "5s"\n');
    const path = dropIn(paths, 'a.toml', '[segment]\nflush = "50m"\nroll = "1s"\n');
    const [first] = loadPolicyFiles(paths).problems;
    expect(first?.where.startsWith(`${path}:`)).toBe(true);
  });
});
