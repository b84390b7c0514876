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

function python(file: string): Result {
  return spawnSync('python3', [join(REPO, 'test/launchd/strict_plist.py'), file], { encoding: 'utf8' });
}

/** What a property list holds; fails unless Apple's DTD has it so. */
function strictly(file: string): Record<string, unknown> {
  const { status, stdout, stderr } = python(file);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>;
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
  it.each(['com.telemetryd.daemon', 'com.telemetryd.uploader'])(
    '%s is a strict property list with known keys',
    (label) => {
      const agent = strictly(join(LAUNCHD, `${label}.plist`));
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
    },
  );

  it('start the daemon again after a failure, and nothing but a waiting round starts the uploader', () => {
    expect(strictly(join(LAUNCHD, 'com.telemetryd.daemon.plist'))).toMatchObject({
      ProgramArguments: ['/usr/local/lib/telemetryd/bin/telemetryd', 'run', '--mode', 'user'],
      RunAtLoad: true,
      KeepAlive: { SuccessfulExit: false },
    });
    const uploader = strictly(join(LAUNCHD, 'com.telemetryd.uploader.plist'));
    expect(uploader).not.toHaveProperty('RunAtLoad');
    expect(uploader).not.toHaveProperty('KeepAlive');
  });

  it('are filled for one person, where the daemon has its socket', () => {
    const out = join(folder(), 'LaunchAgents');
    const home = '/Users/ada & <bob>';
    const filled = fill(['agents', '--home', home, '--out', out]);
    expect(filled).toMatchObject({ status: 0, stderr: '' });
    const { socketPath, runtimeDir } = locations({ env: {}, uid: 501, platform: 'darwin', home, cwd: '/' });
    const uploader = strictly(join(out, 'com.telemetryd.uploader.plist'));
    expect(uploader).toMatchObject({
      ProgramArguments: ['/usr/local/lib/telemetryd/bin/telemetry-uploader', socketPath],
      QueueDirectories: [join(runtimeDir, 'outbox')],
    });
    const { ProgramArguments: words } = strictly(join(out, 'com.telemetryd.daemon.plist'));
    expect(words).toEqual(expect.arrayContaining(['--uploader', 'service']));
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
    const profile = strictly(out);
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
    expect(strictly(out)).toMatchObject({
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
  const file = join(folder(), 'bad.plist');
  const good = readFileSync(join(LAUNCHD, 'com.telemetryd.daemon.plist'), 'utf8');
  for (const bad of [
    good.replace('<key>Label</key>', '<key>RunAtLoad</key>'),
    good.replace('<true/>', '<yes/>'),
    good.replace('<integer>15</integer>', '<integer>soon</integer>'),
    good.replace('<key>Umask</key>', 'Umask <key>Umask</key>'),
    good.replace('<true/>', '<true a="b"/>'),
    good.replace('<key>RunAtLoad</key>', ''),
  ]) {
    expect(bad).not.toBe(good);
    writeFileSync(file, bad);
    expect(python(file).status).not.toBe(0);
  }
});
