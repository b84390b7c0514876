import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { logPart } from '../../src/cli/bugreport/log-part.ts';
import { redactor } from '../../src/cli/bugreport/redact.ts';
import { tarArchive } from '../../src/cli/bugreport/tar.ts';
import { PENDING } from '../control/reports.ts';
import { Machine } from './doctor-desk.ts';
import { type Given, type Outcome, run } from './run.ts';

/** Stands wherever something of a person's could get into a report. */
const CANARY = 'Quetzalcoatl';

function report(machine: Machine, words: readonly string[], given: Partial<Given> = {}): Promise<Outcome> {
  return run(['bugreport', ...words], { stateDir: machine.stateDir, env: machine.env, ...given });
}

/** Unpacks a report with the system's own tar: each file's text by its name. */
function unpacked(machine: Machine, archive: string): Record<string, string> {
  const folder = join(machine.root, 'unpacked');
  mkdirSync(folder, { recursive: true });
  const names = execFileSync('tar', ['-xzvf', archive, '-C', folder], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return Object.fromEntries(
    names.map((name) => [
      name.replace('telemetryd-bugreport/', ''),
      readFileSync(join(folder, name), 'utf8'),
    ]),
  );
}

describe('telemetryctl bugreport', () => {
  it('lists first what it would hold, and writes nothing without a yes', async () => {
    const machine = new Machine();
    const refused = await report(machine, ['--out', 'report.tar.gz'], { answers: ['n'] });
    expect(refused.err).toMatch(/^The report holds:\n {2}README.txt/);
    expect(refused.err).toContain('Never in it: what was recorded');
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.asked[0]).toContain('report.tar.gz? [y/N]');
    const script = await report(machine, ['--out', 'report.tar.gz']);
    expect(script.code).toBe(2);
    expect(() => statSync(join(machine.stateDir, 'report.tar.gz'))).toThrow();
    const agreed = await report(machine, ['--out', 'report.tar.gz'], { answers: ['y'] });
    expect(agreed).toMatchObject({ code: 0, out: `${join(machine.stateDir, 'report.tar.gz')}\n` });
    expect(statSync(join(machine.stateDir, 'report.tar.gz')).mode & 0o777).toBe(0o600);
  });

  it('replaces no file, and says for scripts what it wrote', async () => {
    const machine = new Machine();
    const first = await report(machine, ['--yes', '--json']);
    const { file, content } = JSON.parse(first.out) as {
      file: string;
      content: { name: string; bytes: number }[];
    };
    expect(file).toMatch(/telemetryd-bugreport-20261124-1400\.tar\.gz$/);
    const files = unpacked(machine, file);
    expect(Object.keys(files)).toEqual(content.map(({ name }) => name));
    for (const { name, bytes } of content) expect(Buffer.byteLength(files[name] ?? '')).toBe(bytes);
    expect(await report(machine, ['--yes'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('exists') as string,
    });
  });

  it('holds the diagnosis, and nothing of a person’s from status, policy, preferences or log', async () => {
    const machine = new Machine();
    machine.policy(
      `[exclude]\napps = ["${CANARY}"]\ntitles = ["${CANARY}"]\n[notice]\ncontact = "${CANARY}@example.com"\n[upload]\nssids = ["${CANARY}"]\n`,
    );
    const preferences = join(machine.stateDir, '.config/telemetryd/preferences.toml');
    mkdirSync(join(machine.stateDir, '.config/telemetryd'), { recursive: true });
    writeFileSync(preferences, `[exclude]\n${CANARY} = "x"\n`, { mode: 0o600 });
    writeFileSync(join(machine.stateDir, 'device.json'), JSON.stringify({ device: CANARY }));
    await machine.daemon((base) => ({
      ...base,
      collection: {
        ...base.collection,
        state: 'paused',
        reasons: [{ code: 'paused', text: CANARY, hint: CANARY }],
      },
      exemptions: [{ ...PENDING, decisionReason: CANARY }],
      consent: { ...base.consent, noticeId: CANARY },
      policy: { ...base.policy, source: `/home/${CANARY}/policy.toml` },
    }));
    const log = [
      { level: 40, time: 1, event: 'segment-not-sent', segment: CANARY, status: 503, detail: 'storage-full' },
      { level: 30, time: 1, event: 'segment-sent', segment: CANARY },
      { level: 30, time: 1, event: 'collection-changed', from: CANARY, to: CANARY },
      { level: 50, time: 1, event: 'journal-not-written', err: `EIO /home/${CANARY}/x` },
      { level: 50, time: 1, msg: CANARY },
    ].map((line) => JSON.stringify(line));
    const file = join(machine.root, 'daemon.log');
    writeFileSync(
      file,
      [
        ...log,
        `TypeError: ${CANARY}`,
        '    at work (/usr/lib/telemetryd/dist/telemetryd.js:1:2)',
        CANARY,
      ].join('\n'),
    );
    const { out } = await report(machine, ['--yes', '--log', file]);
    const files = unpacked(machine, out.trim());
    for (const [name, text] of Object.entries(files)) expect(text, name).not.toContain(CANARY);
    expect(files['log.txt']).toBe(
      '1970-01-01T00:00Z trouble segment-not-sent detail=storage-full status=503\n' +
        '1970-01-01T00:00Z trouble journal-not-written err=EIO /home/<user>/x\n' +
        'TypeError\n' +
        '    at /usr/lib/telemetryd/dist/telemetryd.js:1:2\n',
    );
    expect(JSON.parse(files['doctor.json'] ?? '')).toHaveLength(15);
    expect(JSON.parse(files['status.json'] ?? '')).toMatchObject({
      collection: { state: 'paused', reasons: ['paused'] },
    });
    expect(JSON.parse(files['policy.json'] ?? '')).toMatchObject({ isRefused: true });
    // Counts and times of work are no better than names.
    for (const word of ['12345', '2026-11-24T13', 'lastEventAt', 'recorded'])
      expect(files['status.json']).not.toContain(word);
  });

  it('tells of the policy what a person may not have written, and of the rest that it is there', async () => {
    const machine = new Machine();
    machine.policy(`[capture]\nkeys = "off"\n[exclude]\napps = ["${CANARY}"]\n`);
    const { out } = await report(machine, ['--yes']);
    const { fields } = JSON.parse(unpacked(machine, out.trim())['policy.json'] ?? '') as {
      fields: Record<string, object>;
    };
    expect(fields['capture.keys']).toEqual({ origin: 'policy', value: '"off"' });
    expect(fields['exclude.apps']).toEqual({ origin: 'policy', value: '(not told)' });
  });

  it('is made without a daemon, and of one that answers nonsense', async () => {
    const machine = new Machine();
    machine.env['TELEMETRYD_SOCKET'] = join(machine.root, 'nobody.sock');
    const { code, out } = await report(machine, ['--yes']);
    expect(code).toBe(0);
    expect(JSON.parse(unpacked(machine, out.trim())['status.json'] ?? '')).toEqual({ daemon: 'down' });
  });
});

describe('the redactor', () => {
  const redact = redactor({ user: 'ada', home: '/home/ada', hosts: ['engine.example.com', 'engine'] });

  it.each([
    ['/home/ada/.local/state', '~/.local/state'],
    ['/home/bob/x and /Users/eve/y', '/home/<user>/x and /Users/<user>/y'],
    ['the user ADA on engine', 'the user <user> on <host>'],
    ['see ada@engine.example.com', 'see <email>'],
    ['10.1.2.3 and fe80::1%eth0 and 2001:db8:1:2:3:4:5:6', '<ip> and <ip> and <ip>'],
    ['aa:bb:cc:dd:ee:ff', '<ip>'],
    ['/run/user/1000/telemetryd', '/run/user/<uid>/telemetryd'],
    ['019abcde-0000-7000-8000-000000000001.tlm.age', '<id>.tlm.age'],
    ['AGE-SECRET-KEY-1QQQQ age1qyqszqgpqyqszqgpqyqszqgp', '<key> <key>'],
    ['sha 5e6f7a8b9c0d1e2f, token x7Jd-kQ_23kdjfh38fhAAbb', 'sha <key>, token <key>'],
  ])('takes what names someone out of %s', (text, expected) => {
    expect(redact(text)).toBe(expected);
  });

  it.each([
    '0.1.0 at 10:20:30, http://127.0.0.1:7717 and ::1',
    'exempt-recording-not-deleted in telemetryd-uploader.service',
    'Madagascar and searching',
    '6.8.0-31-generic x86_64 2026-11-26T10:15Z',
  ])('leaves %s', (text) => {
    expect(redact(text)).toBe(text);
  });
});

describe('the log of a report', () => {
  it('reads entries of the journal, with fields of their own or with a line of ours', () => {
    const entries = [
      {
        PRIORITY: '4',
        MESSAGE: CANARY,
        TELEMETRYD_EVENT: 'segment-refused',
        TELEMETRYD_STATUS: '422',
        __REALTIME_TIMESTAMP: '60000000',
      },
      {
        PRIORITY: '6',
        MESSAGE: CANARY,
        TELEMETRYD_EVENT: 'segment-sent',
        TELEMETRYD_SEGMENT: CANARY,
        __REALTIME_TIMESTAMP: '60000000',
      },
      {
        PRIORITY: '6',
        MESSAGE: '{"level":30,"time":120000,"event":"daemon-started","version":"0.1.0","msg":"x"}',
      },
      { PRIORITY: '6', MESSAGE: CANARY },
      { PRIORITY: '6', MESSAGE: [1, 2, 3] },
    ];
    expect(logPart(entries.map((entry) => JSON.stringify(entry)).join('\n'))).toBe(
      '1970-01-01T00:01Z trouble segment-refused status=422\n1970-01-01T00:02Z life daemon-started version=0.1.0\n',
    );
  });
});

it('an archive is one that tar reads, of nobody’s files', () => {
  const files = [
    { name: 'a.txt', content: 'x'.repeat(511) },
    { name: 'folder/empty', content: '' },
    { name: 'b.txt', content: 'ü'.repeat(256) },
  ];
  const listed = execFileSync('tar', ['-tvf', '-', '--utc'], {
    input: tarArchive(files, 1_795_548_744),
    encoding: 'utf8',
  });
  const lines = listed
    .trim()
    .split('\n')
    .map((line) => line.replaceAll(/\s+/g, ' '));
  expect(lines).toEqual([
    '-rw------- 0/0 511 2026-11-24 19:32 a.txt',
    '-rw------- 0/0 0 2026-11-24 19:32 folder/empty',
    '-rw------- 0/0 512 2026-11-24 19:32 b.txt',
  ]);
  expect(listed).not.toContain(hostname());
});
