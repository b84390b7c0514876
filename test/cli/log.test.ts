import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { openConsent } from '../../src/privacy/consent-file.ts';
import { openLedger } from '../../src/privacy/ledger.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { ensureStages } from '../../src/spool/folders.ts';
import { temporaryFolder } from '../control/sockets.ts';
import { NOW, run } from './run.ts';
import { SEGMENT_ID, sealed } from './segments.ts';

process.env['TZ'] = 'UTC';

const SHA = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
const SECOND_ID = SEGMENT_ID.replace(/1$/, '2');
const FACTS: readonly LedgerFact[] = [
  { type: 'started', version: '0.1.0', mode: 'user' },
  { type: 'captured', segment: SEGMENT_ID, sequence: 12, events: 1234, bytes: 2345 },
  { type: 'sent', segment: SEGMENT_ID, bytes: 2345, sha256: SHA, destination: 'http://127.0.0.1:7717' },
  {
    type: 'purged',
    purge: 'p-1',
    scope: 'last 10m',
    segments: 1,
    bytes: 99,
    events: 7,
    receipt: {
      id: 'p-1',
      at: '2026-11-24T12:00:00.000Z',
      scope: 'all',
      from: null,
      eventsInMemory: 0,
      segments: [],
      erasures: [],
    },
  },
  { type: 'consent', change: 'revoked', receipt: 'r', notice: 'n' },
];

/** Writes facts to a ledger, an hour between each two and the last one now; the head after each. */
function record(stateDir: string, facts: readonly LedgerFact[]): string[] {
  let left = facts.length;
  const now = () => ({ ...NOW, wallMs: NOW.wallMs - left * 3_600_000 });
  const ledger = openLedger(stateDir, { now, bootId: 'b' });
  const heads = facts.map((fact) => {
    left--;
    return ledger.appendEntry(fact).hash;
  });
  ledger.close();
  return heads;
}

/** A state folder whose segments, one of them encrypted for the owner, and receipt carry heads of its ledger. */
async function stateWithWitnesses() {
  const stateDir = temporaryFolder();
  ensureStages(stateDir);
  const heads = record(stateDir, FACTS);
  const [first = '', second = '', third = ''] = heads;
  const consent = openConsent(stateDir, (size) => new Uint8Array(size).fill(7));
  const inForce = { policy: DEFAULT_POLICY, policyId: '0'.repeat(16), noticeId: '1'.repeat(16) };
  const ownerRecipient = `age1${'q'.repeat(58)}`;
  const grant = { noticeId: inForce.noticeId, via: 'script', ownerRecipient, uid: 0 } as const;
  consent.grant({ ...grant, wallMs: NOW.wallMs, ledgerHead: first }, inForce);
  const { identity, recipient } = await newIdentity();
  const closed = await encryptFor([recipient], sealed(SECOND_ID, { ledgerHead: third }));
  writeFileSync(join(stateDir, 'sealed', `${SEGMENT_ID}.tlm`), sealed(SEGMENT_ID, { ledgerHead: second }));
  writeFileSync(join(stateDir, 'sent', `${SECOND_ID}.tlm.age`), closed);
  const identityFile = join(stateDir, 'key.txt');
  writeFileSync(identityFile, `${identity}\n`, { mode: 0o600 });
  return { stateDir, heads, identityFile };
}

describe('telemetryctl log', () => {
  it('says each time what a collector was told of the program', async () => {
    const stateDir = temporaryFolder();
    const told = {
      version: '0.1.0',
      backend: 'x11',
      codes: ['storage'],
      destination: 'https://c.example.com',
    };
    record(stateDir, [{ type: 'health', ...told }]);
    const { out } = await run(['log'], { stateDir });
    expect(out).toContain(
      'health      telemetryd 0.1.0, captures by x11, faults: storage, told to https://c.example.com',
    );
  });

  it('shows by day what was recorded, sent and purged, with whole hashes, and sums it up', async () => {
    const stateDir = temporaryFolder();
    record(stateDir, FACTS);
    const { code, out } = await run(['log'], { stateDir });
    expect(code).toBe(0);
    expect(out).toContain('2026-11-24, Tuesday\n  10:00:00  started     telemetryd 0.1.0, user\n');
    expect(out).toContain('1,234 events, 2.3 KB, file 12\n');
    expect(out).toContain(`      sha256 ${SHA}\n`);
    expect(out).toMatch(/purged {6}last 10m: 7 events, 1 segment, 99 B\n/);
    expect(out).toMatch(
      /\n\nRecorded 1,234 events in 1 file \(2.3 KB\); sent 1 file \(2.3 KB\); purged 1 file.\n$/,
    );
    for (const line of out.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('shows since when it was asked for, also as JSON lines', async () => {
    const stateDir = temporaryFolder();
    record(stateDir, FACTS);
    const { out } = await run(['log', '--since', '1h30m', '--json'], { stateDir });
    const types = out
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string }).type);
    expect(types).toEqual(['purged', 'consent']);
    const none = await run(['log', '--since', '1s'], { stateDir: temporaryFolder() });
    expect(none).toMatchObject({ code: 0, out: '' });
    expect((await run(['log', '--since', 'noon'], { stateDir })).code).toBe(2);
  });
});

describe('telemetryctl log verify', () => {
  it('holds the chain against the heads that segments and receipts carry', async () => {
    const { stateDir, heads, identityFile } = await stateWithWitnesses();
    const words = ['log', 'verify', '--identity', identityFile];
    const { code, out } = await run([...words, '--head', heads[3] ?? ''], { stateDir });
    expect(code).toBe(0);
    expect(out).toMatch(/^Intact: 5 entries.*\n.*\(2 segments, 1 receipt, 1 given\)/s);
    const document = JSON.parse((await run([...words, '--json'], { stateDir })).out) as object;
    expect(document).toMatchObject({ ok: true, witnesses: { segments: 2, receipts: 1, unread: [] } });
  });

  it('finds a chain that was rewritten as a whole, and names who tells', async () => {
    const { stateDir, heads, identityFile } = await stateWithWitnesses();
    rmSync(join(stateDir, 'ledger.jsonl'));
    record(
      stateDir,
      FACTS.filter(({ type }) => type !== 'captured'),
    );
    const words = ['log', 'verify', '--identity', identityFile];
    const { code, out } = await run(words, { stateDir });
    expect(code).toBe(1);
    expect(out).toMatch(/^Rewritten or cut/);
    for (const [head, who] of [
      [heads[1], `segment ${SEGMENT_ID}`],
      [heads[2], `segment ${SECOND_ID}`],
    ]) {
      expect(out).toContain(`${head} ${who}`);
    }
  });

  it('finds one against a head that the collector kept, when nothing else is left', async () => {
    const stateDir = temporaryFolder();
    const [, , third = ''] = record(stateDir, FACTS);
    rmSync(join(stateDir, 'ledger.jsonl'));
    record(stateDir, FACTS.slice(0, 2));
    expect((await run(['log', 'verify'], { stateDir })).code).toBe(0);
    const { code, out } = await run(['log', 'verify', '--head', third, '--json'], { stateDir });
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, missingHeads: [{ hash: third, keptBy: [] }] });
    expect((await run(['log', 'verify', '--head', 'abc'], { stateDir })).code).toBe(2);
  });

  it('says which files it could not open to see', async () => {
    const { stateDir } = await stateWithWitnesses();
    const { code, out } = await run(['log', 'verify'], { stateDir });
    expect(code).toBe(0);
    expect(out).toContain('(1 segment, 1 receipt)');
    expect(out).toContain('1 file could not be opened');
  });
});
