import { randomBytes } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { policyId } from '../../src/policy/policy-id.ts';
import type { InForce } from '../../src/privacy/consent.ts';
import { type ConsentFile, openConsent } from '../../src/privacy/consent-file.ts';
import { makeNotice } from '../../src/privacy/notice.ts';

const NOW: InForce = {
  policy: DEFAULT_POLICY,
  policyId: policyId(DEFAULT_POLICY),
  noticeId: makeNotice(DEFAULT_POLICY).id,
};
const ownerRecipient = `age1${'q'.repeat(58)}`;
const GRANT = {
  noticeId: NOW.noticeId,
  via: 'terminal',
  ownerRecipient,
  uid: 1000,
  wallMs: 1_750_000_000_123.7,
  ledgerHead: 'ab'.repeat(32),
} as const;

function stateFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'telemetryd-consent-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

function open(folder: string): ConsentFile {
  return openConsent(folder, randomBytes);
}

describe('the record of consent on disk', () => {
  test('survives a restart: missing, granted, revoked, granted again', () => {
    const folder = stateFolder();
    expect(open(folder).view(NOW).state).toBe('missing');
    open(folder).grant(GRANT, NOW);
    expect(open(folder).view(NOW).state).toBe('granted');
    open(folder).revoke(GRANT.wallMs + 1);
    expect(open(folder).view(NOW).state).toBe('revoked');
    open(folder).grant(GRANT, NOW);
    const last = open(folder);
    expect(last.view(NOW).state).toBe('granted');
    expect(last.receipts).toHaveLength(2);
    expect(last.receipts[0]).toMatchObject({ revokedAtWallMs: 1_750_000_000_124, policy: DEFAULT_POLICY });
    expect(last.problem).toBeNull();
  });

  test('is readable by its owner only, and gives each receipt an id that sorts by time', () => {
    const folder = stateFolder();
    const file = open(folder);
    file.grant(GRANT, NOW);
    file.grant({ ...GRANT, wallMs: GRANT.wallMs + 60_000 }, NOW);
    expect(statSync(join(folder, 'consent.json')).mode & 0o777).toBe(0o600);
    const [first = '', second = ''] = file.receipts.map(({ id }) => id);
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
    expect(first < second).toBe(true);
  });

  test('keeps nothing of a grant to a notice that changed', () => {
    const folder = stateFolder();
    expect(open(folder).grant({ ...GRANT, noticeId: '0'.repeat(16) }, NOW)).toEqual({
      kind: 'notice-changed',
      noticeId: NOW.noticeId,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  const damage: [name: string, change: (text: string) => string][] = [
    ['cut short', (text) => text.slice(0, -20)],
    ['empty', () => ''],
    ['not JSON', () => 'granted'],
    ['of another version', (text) => text.replace('"schema": 1', '"schema": 2')],
    ['without its policy', (text) => text.replace('"policy":', '"polity":')],
    ['with a value of no policy', (text) => text.replace('"shortcuts"', '"everything"')],
    ['with a field too many', (text) => text.replace('"uid":', '"gid": 0, "uid":')],
    [
      'with another destination than its policy’s',
      (text) => text.replace('"destination": ""', '"destination": "https://x"'),
    ],
    ['with a time that is none', (text) => text.replace('1750000000123', '-1')],
    [
      'with one receipt twice',
      (text) => {
        const json = JSON.parse(text) as { receipts: unknown[] };
        return JSON.stringify({ ...json, receipts: [...json.receipts, ...json.receipts] });
      },
    ],
  ];
  test.each(damage)('%s counts as no consent, says so and is kept aside', (_, change) => {
    const folder = stateFolder();
    open(folder).grant(GRANT, NOW);
    const path = join(folder, 'consent.json');
    const damaged = change(readFileSync(path, 'utf8'));
    expect(damaged).not.toBe(readFileSync(path, 'utf8'));
    writeFileSync(path, damaged);
    const file = open(folder);
    expect(file.view(NOW).state).toBe('missing');
    expect(file.problem).toMatch(
      /^The record of consent was damaged .* is kept as .*consent\.json\.corrupt-1\.$/,
    );
    expect(readFileSync(`${path}.corrupt-1`, 'utf8')).toBe(damaged);
    expect(open(folder).view(NOW).state).toBe('missing');
    file.grant(GRANT, NOW);
    expect(file.problem).toBeNull();
    expect(open(folder).view(NOW).state).toBe('granted');
  });

  test('a revocation holds at once when the disk refuses it, and is written by the next one', () => {
    const folder = stateFolder();
    const file = open(folder);
    file.grant(GRANT, NOW);
    const path = join(folder, 'consent.json');
    rmSync(path);
    mkdirSync(path);
    expect(() => {
      file.revoke(GRANT.wallMs);
    }).toThrow('cannot write');
    expect(file.view(NOW).state).toBe('revoked');
    rmSync(path, { recursive: true });
    file.revoke(GRANT.wallMs);
    expect(open(folder).view(NOW).state).toBe('revoked');
  });

  test('a grant that the disk refuses does not count', () => {
    const folder = stateFolder();
    const file = open(folder);
    mkdirSync(join(folder, 'consent.json'));
    expect(() => file.grant(GRANT, NOW)).toThrow('cannot write');
    expect(file.view(NOW).state).toBe('missing');
  });
});

describe('a revocation in the person’s own folder', () => {
  const opened = (folder: string, own: string): ConsentFile =>
    openConsent(folder, randomBytes, join(own, 'config', 'consent-revoked.json'));

  test('outlasts the state folder, and a record of consent that comes back from a backup', () => {
    const [folder, own, fresh] = [stateFolder(), stateFolder(), stateFolder()];
    opened(folder, own).grant(GRANT, NOW);
    cpSync(folder, fresh, { recursive: true });
    opened(folder, own).revoke(GRANT.wallMs + 1);
    const empty = opened(stateFolder(), own);
    expect(empty.view(NOW)).toMatchObject({ state: 'revoked', receipt: null });
    const restored = opened(fresh, own);
    expect(restored.view(NOW).state).toBe('revoked');
    expect(restored.mayLeave(restored.receipts[0]?.id ?? '', DEFAULT_POLICY.upload.url)).toBe(false);
    expect(statSync(join(own, 'config', 'consent-revoked.json')).mode & 0o777).toBe(0o600);
  });

  test('is lifted by a grant and by nothing else', () => {
    const own = stateFolder();
    opened(stateFolder(), own).revoke(GRANT.wallMs);
    const folder = stateFolder();
    expect(opened(folder, own).view(NOW).state).toBe('revoked');
    opened(folder, own).grant({ ...GRANT, wallMs: GRANT.wallMs - 1000 }, NOW);
    expect(opened(folder, own).view(NOW).state).toBe('granted');
  });

  test('stands when its file is damaged', () => {
    const [folder, own] = [stateFolder(), stateFolder()];
    opened(folder, own).grant(GRANT, NOW);
    opened(folder, own).revoke(GRANT.wallMs + 1);
    writeFileSync(join(own, 'config', 'consent-revoked.json'), '{');
    expect(opened(stateFolder(), own).view(NOW).state).toBe('revoked');
  });
});
