import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { PauseRequest } from '../../src/control/protocol.ts';
import type { EventRecord } from '../../src/core/events.ts';
import { type Pause, restorePause } from '../../src/core/pause.ts';
import type { StatusReport } from '../../src/core/status.ts';
import { encodeLastGood } from '../../src/policy/last-good.ts';
import { combine } from '../../src/policy/load.ts';
import { parsePolicyFile } from '../../src/policy/parse-file.ts';
import { openConsent } from '../../src/privacy/consent-file.ts';
import { ensureStages } from '../../src/spool/folders.ts';
import { parsePauses, readPauses, writePauses } from '../../src/spool/pauses-file.ts';
import { handlers, PERSON } from '../control/reports.ts';
import { startServer, temporaryFolder } from '../control/sockets.ts';
import { NOW, run } from './run.ts';
import { journal, SEGMENT_ID, sealed } from './segments.ts';

process.env['TZ'] = 'UTC';

const SECOND_ID = SEGMENT_ID.replace(/1$/, '2');

function stateWith(files: Readonly<Record<string, Uint8Array | string>> = {}): string {
  const stateDir = temporaryFolder();
  ensureStages(stateDir);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(stateDir, name), content);
  return stateDir;
}

function loadedPolicy(text: string) {
  const parsed = parsePolicyFile('policy.toml', text);
  const loaded = parsed.kind === 'ok' ? combine('policy.toml', parsed) : undefined;
  if (loaded === undefined || loaded.policy === null) throw new Error('the test’s policy is wrong');
  return loaded;
}

function savePolicy(stateDir: string, text: string) {
  const loaded = loadedPolicy(text);
  writeFileSync(join(stateDir, 'policy-last-good.json'), JSON.stringify(encodeLastGood(loaded)));
  return loaded;
}

async function stopped(stateDir: string): Promise<StatusReport> {
  const { code, out, err } = await run(['status', '--json'], { stateDir });
  expect({ code, err }).toEqual({ code: 10, err: '' });
  return JSON.parse(out) as StatusReport;
}

describe('status with the daemon down', () => {
  it('is a whole report even when there is nothing at all', async () => {
    const stateDir = join(temporaryFolder(), 'never-made');
    expect(await stopped(stateDir)).toMatchObject({
      schema: 1,
      daemon: { pid: null, stateDir },
      collection: { state: 'stopped', reasons: [{ code: 'daemon-down', hint: 'telemetryd run' }] },
      spool: { segments: 0, bytes: 0, oldestAt: null },
      consent: { state: 'missing' },
      policy: { source: 'defaults', problems: [] },
    });
    expect(existsSync(stateDir)).toBe(false);
  });

  it('counts what is on disk, waiting and sent, by the files alone', async () => {
    const stateDir = stateWith({
      [`journal/${SEGMENT_ID}.tlm`]: 'x'.repeat(10),
      [`sealed/${SECOND_ID}.tlm`]: 'x'.repeat(100),
      [`quarantine/${SECOND_ID}.tlm`]: 'x'.repeat(1000),
    });
    const record = { sha256: 'a'.repeat(64), chargedBytes: 150, destination: 'http://127.0.0.1:7717' };
    const sentAt = [NOW.wallMs - 40 * 86_400_000, NOW.wallMs - 86_400_000, NOW.wallMs - 60_000];
    writeFileSync(
      join(stateDir, 'sent.jsonl'),
      sentAt
        .map((atWallMs) => `${JSON.stringify({ ...record, id: SEGMENT_ID, bytes: 100, atWallMs })}\n`)
        .join(''),
    );
    const report = await stopped(stateDir);
    expect(report.spool).toMatchObject({ segments: 2, bytes: 1110, quarantined: 1 });
    expect(report.upload).toMatchObject({
      gate: 'closed',
      queued: { segments: 1, bytes: 100 },
      lastSuccessAt: '2026-11-24T13:59:00.500Z',
      sent: { todayBytes: 150, monthBytes: 300, totalBytes: 300, totalSegments: 3 },
    });
  });

  it('tells the consent under the last good policy', async () => {
    const stateDir = stateWith();
    const narrow = savePolicy(stateDir, '[capture]\nkeys = "off"\n');
    const consent = openConsent(stateDir, (size) => new Uint8Array(size).fill(7));
    const inForce = { policy: narrow.policy, policyId: narrow.id, noticeId: '1a2b3c4d5e6f7a8b' };
    const ownerRecipient = `age1${'q'.repeat(58)}`;
    consent.grant(
      {
        noticeId: inForce.noticeId,
        via: 'script',
        ownerRecipient,
        uid: 0,
        wallMs: NOW.wallMs,
        ledgerHead: 'ab'.repeat(32),
      },
      inForce,
    );
    expect((await stopped(stateDir)).consent).toEqual({
      state: 'granted',
      noticeId: inForce.noticeId,
      grantedAt: '2026-11-24T14:00:00.500Z',
    });
    savePolicy(stateDir, '[capture]\nkeys = "shortcuts"\n');
    expect((await stopped(stateDir)).consent.state).toBe('stale');
    consent.revoke(NOW.wallMs);
    expect((await stopped(stateDir)).consent.state).toBe('revoked');
  });

  it('moves no damaged file: that is for the daemon to find', async () => {
    const stateDir = stateWith({ 'pauses.json': '{', 'consent.json': '{', 'policy-last-good.json': '{' });
    const before = readdirSync(stateDir);
    await stopped(stateDir);
    expect(readdirSync(stateDir)).toEqual(before);
  });

  it('says so in words, with what to do', async () => {
    const { code, out } = await run(['status'], { stateDir: stateWith() });
    expect(code).toBe(10);
    expect(out).toMatch(
      /^Stopped\n {2}The daemon is not running; nothing is captured\.\n {2}Try: telemetryd run\n/,
    );
    expect((await run(['why'], { stateDir: stateWith() })).code).toBe(10);
  });
});

describe('pause with the daemon down', () => {
  it('writes the pause where the next start finds it', async () => {
    const stateDir = join(temporaryFolder(), 'new');
    const { code, out } = await run(['pause', '20m', '--reason', 'dentist'], { stateDir });
    expect(code).toBe(0);
    expect(out).toBe('Paused until 14:20 (20 min). The daemon is down; the pause holds when it starts.\n');
    const [pause] = parsePauses(JSON.parse(readFileSync(join(stateDir, 'pauses.json'), 'utf8')));
    expect(pause).toEqual({
      requester: 'person',
      reason: 'dentist',
      askedMs: 1_200_000,
      startWallMs: NOW.wallMs,
      bootId: 'this-boot',
      untilBootMs: NOW.bootMs + 1_200_000,
      untilWallMs: NOW.wallMs + 1_200_000,
      remainingMs: 1_200_000,
    });
    expect(restorePause(pause as Pause, { now: () => NOW, bootId: 'this-boot' })).toEqual(pause);
    expect(statSync(stateDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(stateDir, 'pauses.json')).mode & 0o777).toBe(0o600);
    expect((await stopped(stateDir)).collection.reasons[1]).toMatchObject({
      code: 'paused',
      text: 'A pause of another 20m holds at its next start.',
    });
  });

  it('is refused over the limit of the last good policy, or 30 minutes without one', async () => {
    const stateDir = stateWith();
    const refused = await run(['pause', '31m'], { stateDir });
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('at most 30m');
    expect(existsSync(join(stateDir, 'pauses.json'))).toBe(false);
    savePolicy(stateDir, '[pause]\nmax = "2h"\n');
    expect((await run(['pause', '2h'], { stateDir })).code).toBe(0);
    expect((await run(['pause', '121m'], { stateDir })).err).toContain('at most 2h');
  });

  it('replaces one’s own pause, keeps others’ that stand, and ends all by resume', async () => {
    const stateDir = stateWith();
    await run(['pause', '20m'], { stateDir });
    const read = readPauses(stateDir);
    const [mine] = read.kind === 'ok' ? read.value : [];
    if (mine === undefined) throw new Error('no pause was written');
    const other: Pause = { ...mine, requester: 'uid:1001' };
    writePauses(stateDir, [mine, other, { ...other, requester: 'uid:1002', untilBootMs: NOW.bootMs - 1 }]);
    await run(['pause', '5m'], { stateDir });
    const after = readPauses(stateDir);
    expect(after.kind === 'ok' && after.value.map(({ requester, askedMs }) => [requester, askedMs])).toEqual([
      ['uid:1001', 1_200_000],
      ['person', 300_000],
    ]);
    expect((await run(['resume'], { stateDir })).out).toContain('The daemon is down');
    expect(readPauses(stateDir)).toMatchObject({ value: [] });
  });

  it('reaches a daemon that starts meanwhile', async () => {
    const stateDir = stateWith();
    const pause = vi.fn((request: PauseRequest) => handlers().pause(request, PERSON));
    const early = join(stateDir, 'run', 'early.sock');
    await startServer({ pause }, early);
    // The socket appears between the first look for a daemon and the write, which reads the time.
    const onClock = (): void => {
      if (existsSync(early)) renameSync(early, join(stateDir, 'run', 'control.sock'));
    };
    expect((await run(['pause', '5m'], { stateDir, onClock })).out).toBe('Paused until 14:30 (5 min).\n');
    expect(pause).toHaveBeenCalledTimes(1);
    expect(readPauses(stateDir)).toMatchObject({ value: [{ requester: 'person' }] });
  });
});

describe('telemetryctl inspect', () => {
  it('verifies a sealed file and says what is in it', async () => {
    const stateDir = stateWith({ 'a.tlm': sealed() });
    const { code, out } = await run(['inspect', join(stateDir, 'a.tlm')], { stateDir });
    expect(code).toBe(0);
    for (const line of out.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(80);
    expect(out).toContain('number 12 of device');
    expect(out).toContain('sealed, whole: its content has the digest of its footer');
    const digest = createHash('sha256')
      .update(readFileSync(join(stateDir, 'a.tlm')))
      .digest('hex');
    expect(out).toContain(`SHA-256    ${digest}\n`);
    expect(out).toContain('6: 1 move, 1 down, 1 up, 1 wheel, 2 keydown');
    expect(out).toContain('1 withheld (30s)');
    expect(out).toContain('7 thinned, 1 masked, 0 lost');
    expect(out).toContain('1 screen of 1920x1080');
  });

  it('prints the events as the public contract has them', async () => {
    const stateDir = stateWith({ 'a.tlm': sealed() });
    const { out } = await run(['inspect', '--json', join(stateDir, 'a.tlm')], { stateDir });
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as EventRecord);
    const t = Date.parse('2026-11-24T13:00:00.000Z');
    expect(events).toEqual([
      { t: t + 1000, kind: 'move', x: 100, y: 200 },
      { t: t + 2000, kind: 'down', x: 100, y: 200, button: 'left' },
      { t: t + 2050, kind: 'up', x: 100, y: 200, button: 'left' },
      { t: t + 3000, kind: 'wheel', x: 100, y: 200, dx: 0, dy: 1 },
      { t: t + 4000, kind: 'keydown', x: 100, y: 200, key: 'KeyC', class: 'text', mods: ['ctrl'] },
      { t: t + 61_000, kind: 'keydown', x: 100, y: 200, class: 'text' },
    ]);
    const list = await run(['inspect', '--events', join(stateDir, 'a.tlm')], { stateDir });
    expect(list.out).toContain('13:00:04.000  keydown      100, 200  ctrl+KeyC  text\n');
    expect(list.out).toContain('13:01:01.000  keydown      100, 200  (not recorded)  text\n');
  });

  it('reads a torn journal up to where it is whole', async () => {
    const stateDir = stateWith({ 'a.tlm': Buffer.concat([journal(), Buffer.from('torn')]) });
    const { code, out } = await run(['inspect', 'a.tlm'], { stateDir });
    expect(code).toBe(0);
    expect(out).toContain('every block whole up to 4 bytes');
  });

  it('reads everything on this device when no file is named', async () => {
    const stateDir = stateWith({
      [`journal/${SECOND_ID}.tlm`]: journal(SECOND_ID),
      [`sent/${SEGMENT_ID}.tlm`]: sealed(),
    });
    const { code, out } = await run(['inspect', '--json'], { stateDir });
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toHaveLength(12);
    expect((await run(['inspect', '--events'], { stateDir })).out.trim().split('\n')).toHaveLength(12);
    for (const words of [['inspect'], ['inspect', '--json']]) {
      expect(await run(words, { stateDir: stateWith() })).toMatchObject({
        code: 0,
        out: '',
        err: 'telemetryctl: nothing is recorded on this device in that time.\n',
      });
    }
  });

  it('shows what was recorded of oneself as a timeline, of journals, sealed and sent files together', async () => {
    const stateDir = stateWith({
      [`journal/${SECOND_ID}.tlm`]: journal(SECOND_ID),
      [`sent/${SEGMENT_ID}.tlm`]: sealed(),
      [`quarantine/${SEGMENT_ID.replace(/1$/, '3')}.tlm`]: 'damaged',
    });
    const { code, out, err } = await run(['inspect'], { stateDir });
    expect(code).toBe(3);
    expect(err).toContain('quarantine');
    expect(out).toMatch(/^Recorded of you since 2026-11-23 14:00 \(24 h\)/);
    expect(out).toMatch(/\n {2}Events {5}12\n/);
    expect(out).toContain('1 file not sent, 1 file sent and kept for you');
    expect(out).toContain('2 presses kept as a class alone: 2 text\n');
    expect(out).toContain('2 presses kept by name: Ctrl+C 2\n');
    expect(out).toMatch(/^ {2}13:00 +#{8} +2 +2 +2 +2 {2}1m withheld$/m);
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('shows no more than since when it was asked for', async () => {
    const stateDir = stateWith({ [`sent/${SEGMENT_ID}.tlm`]: sealed() });
    const { out } = await run(['inspect', '--since', '59m'], { stateDir });
    expect(out).toMatch(/\n {2}Events {5}1\n/);
    expect(out).not.toContain('Ctrl+C');
    const none = await run(['inspect', '--since', '10m'], { stateDir });
    expect(none.out).toMatch(/\n {2}Events {5}0\n.*\n {2}Keys {7}none\n/s);
  });

  it('exits 3 when some files cannot be read and 1 when none can, and goes on after each', async () => {
    const damaged = Buffer.from(sealed());
    damaged[100] = (damaged[100] ?? 0) ^ 1;
    const stateDir = stateWith({ 'bad.tlm': damaged, 'good.tlm': sealed() });
    const [bad, good] = [join(stateDir, 'bad.tlm'), join(stateDir, 'good.tlm')];
    const some = await run(['inspect', bad, good], { stateDir });
    expect(some.code).toBe(3);
    expect(some.out).toContain('sealed, whole');
    expect(some.err).toMatch(/^telemetryctl: .*bad\.tlm: Not a sound segment file/);
    expect((await run(['inspect', bad, join(stateDir, 'none.tlm')], { stateDir })).code).toBe(1);
  });
});
