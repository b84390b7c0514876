import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { locations } from '../../src/control/locations.ts';
import { REPO } from '../setup/checkout.ts';

const LAUNCHD = join(REPO, 'launchd');
const hasPython = spawnSync('python3', ['--version']).status === 0;

/** Keys of launchd.plist(5) that are used here, and what they hold. */
const KEYS: Readonly<Record<string, string>> = {
  Label: 'string',
  ProgramArguments: 'object',
  LimitLoadToSessionType: 'string',
  RunAtLoad: 'boolean',
  KeepAlive: 'object',
  QueueDirectories: 'object',
  ThrottleInterval: 'number',
  ProcessType: 'string',
  LowPriorityIO: 'boolean',
  ExitTimeOut: 'number',
  Umask: 'number',
  HardResourceLimits: 'object',
};

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What property lists hold, or why they are none by Apple's DTD; Python takes long to start, so of several at once. */
function read(...files: string[]): { content?: Record<string, unknown>; refused?: string }[] {
  const script = join(REPO, 'test/launchd/strict_plist.py');
  const { stdout, stderr } = spawnSync('python3', [script, ...files], { encoding: 'utf8' });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as { content?: Record<string, unknown>; refused?: string }[];
}

/** What a property list holds; fails unless Apple's DTD has it so. */
function strictly(...files: string[]): Record<string, unknown>[] {
  const lists = read(...files);
  expect(lists.map(({ refused }) => refused)).toEqual(files.map(() => undefined));
  return lists.map(({ content = {} }) => content);
}

function fill(args: readonly string[], path = process.env['PATH'] ?? ''): Result {
  return spawnSync(process.execPath, [join(LAUNCHD, 'fill.mjs'), ...args], {
    encoding: 'utf8',
    env: { PATH: path },
  });
}

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'launchd-'));
  onTestFinished(() => rmSync(made, { recursive: true }));
  return made;
}

describe.skipIf(!hasPython)('the agents of launchd', () => {
  const [daemon = {}, uploader = {}] = hasPython
    ? strictly(...['daemon', 'uploader'].map((name) => join(LAUNCHD, `com.telemetryd.${name}.plist`)))
    : [];

  it('are strict property lists with known keys', () => {
    for (const [label, agent] of [
      ['com.telemetryd.daemon', daemon],
      ['com.telemetryd.uploader', uploader],
    ] as const) {
      for (const [key, value] of Object.entries(agent))
        expect({ key, type: typeof value }).toEqual({ key, type: KEYS[key] });
      expect(agent).toMatchObject({
        Label: label,
        LimitLoadToSessionType: 'Aqua',
        ProcessType: 'Background',
        LowPriorityIO: true,
        Umask: 0o077,
        HardResourceLimits: { Core: 0 },
      });
    }
  });

  it('come with what a Node under the hardened runtime needs, and no more', () => {
    expect(strictly(join(LAUNCHD, 'node.entitlements'))).toEqual([
      {
        'com.apple.security.cs.allow-jit': true,
        'com.apple.security.cs.disable-library-validation': true,
      },
    ]);
  });

  it('start the daemon again after a failure, and nothing but a waiting round starts the uploader', () => {
    expect(daemon).toMatchObject({
      ProgramArguments: ['/usr/local/lib/telemetryd/bin/telemetryd', 'run', '--mode', 'user'],
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
    });
    expect(uploader).not.toHaveProperty('RunAtLoad');
    expect(uploader).not.toHaveProperty('KeepAlive');
  });

  it('are filled for one person, where the daemon has its socket', () => {
    const out = join(folder(), 'LaunchAgents');
    const home = '/Users/ada & <bob>';
    const filled = fill(['agents', '--home', home, '--out', out]);
    expect(filled).toMatchObject({ status: 0, stderr: '' });
    const { socketPath, runtimeDir } = locations({ env: {}, uid: 501, platform: 'darwin', home, cwd: '/' });
    const [own, its] = strictly(
      join(out, 'com.telemetryd.daemon.plist'),
      join(out, 'com.telemetryd.uploader.plist'),
    );
    expect(its).toMatchObject({
      ProgramArguments: ['/usr/local/lib/telemetryd/bin/telemetry-uploader', socketPath],
      QueueDirectories: [join(runtimeDir, 'outbox')],
    });
    expect(own?.['ProgramArguments']).toEqual(expect.arrayContaining(['--uploader', 'service']));
    for (const line of filled.stdout.trim().split('\n'))
      expect(readFileSync(line, 'utf8')).not.toMatch(/@[A-Z]/);
  });
});

describe.skipIf(!hasPython)('the profile', () => {
  const requirement =
    'identifier "com.example.telemetryd" and anchor apple generic and certificate leaf[subject.OU] = "ABCDE12345"';
  const words = [
    'profile',
    '--organisation',
    'Example & Söhne',
    '--program',
    '/usr/local/lib/telemetryd/node',
  ];

  it('allows what a profile can allow, to one program that is named by who signed it', () => {
    const out = join(folder(), 'telemetryd.mobileconfig');
    expect(fill([...words, '--requirement', requirement, '--out', out])).toMatchObject({
      status: 0,
      stderr: '',
    });
    const [profile] = strictly(out);
    expect(readFileSync(out, 'utf8')).not.toMatch(/@[A-Z]/);
    const program = {
      Identifier: '/usr/local/lib/telemetryd/node',
      IdentifierType: 'path',
      CodeRequirement: requirement,
    };
    expect(profile).toMatchObject({
      PayloadType: 'Configuration',
      PayloadOrganization: 'Example & Söhne',
      PayloadContent: [
        {
          PayloadType: 'com.apple.TCC.configuration-profile-policy',
          Services: {
            Accessibility: [{ ...program, Authorization: 'Allow' }],
            ListenEvent: [{ ...program, Authorization: 'AllowStandardUserToSetSystemService' }],
          },
        },
        {
          PayloadType: 'com.apple.servicemanagement',
          Rules: [
            { RuleType: 'Label', RuleValue: 'com.telemetryd.daemon' },
            { RuleType: 'Label', RuleValue: 'com.telemetryd.uploader' },
          ],
        },
      ],
    });
    const uuids = readFileSync(out, 'utf8').match(
      /[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-A[0-9A-F]{3}-[0-9A-F]{12}/g,
    );
    expect(new Set(uuids).size).toBe(3);
  });

  it('is the same for the same organisation, so that a newer one replaces it', () => {
    const [first, second] = ['a', 'b'].map((name) => {
      const out = join(folder(), name);
      fill([...words, '--bundle-id', 'com.example.telemetryd', '--requirement', requirement, '--out', out]);
      return readFileSync(out, 'utf8');
    });
    expect(first).toBe(second);
    expect(first).toContain('<string>bundleID</string>');
  });

  it('asks codesign who signed the program, and takes nothing for an answer but a signer', () => {
    const programs = folder();
    const out = join(programs, 'out');
    const codesign = (text: string): Result => {
      mkdirSync(programs, { recursive: true });
      writeFileSync(join(programs, 'codesign'), `#!/bin/sh\necho '${text}'\n`);
      chmodSync(join(programs, 'codesign'), 0o755);
      return fill([...words, '--out', out], `${programs}:${process.env['PATH'] ?? ''}`);
    };
    expect(codesign(`designated => ${requirement}`).status).toBe(0);
    expect(strictly(out)[0]).toMatchObject({
      PayloadContent: [{ Services: { Accessibility: [{ CodeRequirement: requirement }] } }, {}],
    });
    expect(codesign('code object is not signed at all').stderr).toContain('is not signed');
    expect(codesign('designated => identifier "node"').stderr).toContain('names nobody who signed');
  });

  it.each([
    [[], 'agents or profile?'],
    [['agents', '--home', 'ada', '--out', '/tmp/x'], '--home must be a whole path'],
    [['profile', '--program', '/x', '--out', '/tmp/x'], '--organisation is missing'],
    [['agents', '--hom', '/x'], "Unknown option '--hom'"],
    [['agents', '--home', '/x\n', '--out', join(tmpdir(), 'nowhere')], 'has a line end'],
  ])('is not made of %j', (args, said) => {
    const { status, stderr } = fill(args);
    expect(status).toBe(2);
    expect(stderr).toContain(said);
    expect(stderr).toContain('\nTry: node fill.mjs agents');
  });
});

it.skipIf(!hasPython)('what is no strict property list is refused by these tests', () => {
  const made = folder();
  const good = readFileSync(join(LAUNCHD, 'com.telemetryd.daemon.plist'), 'utf8');
  const bad = [
    good.replace('<key>Label</key>', '<key>RunAtLoad</key>'),
    good.replace('<true/>', '<yes/>'),
    good.replace('<integer>15</integer>', '<integer>soon</integer>'),
    good.replace('<key>Umask</key>', 'Umask <key>Umask</key>'),
    good.replace('<true/>', '<true a="b"/>'),
    good.replace('<key>RunAtLoad</key>', ''),
  ];
  const files = [good, ...bad].map((text, at) => {
    const file = join(made, `${at}.plist`);
    writeFileSync(file, text);
    return file;
  });
  const [first, ...others] = read(...files);
  expect(first).toHaveProperty('content');
  for (const each of others) expect(each).toHaveProperty('refused');
});
