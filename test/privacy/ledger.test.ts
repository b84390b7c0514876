import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { Clock } from '../../src/core/clock.ts';
import { openLedger, readLedger, verifyLedger } from '../../src/privacy/ledger.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { runChild } from '../spool/child.ts';
import { tempFolder } from '../spool/temp-folder.ts';

const CLOCK: Clock = {
  bootId: 'boot-1',
  now: () => ({ wallMs: Date.UTC(2026, 6, 1, 8), bootMs: 0, monoMs: 0 }),
};

const FACTS: LedgerFact[] = [
  { type: 'started', version: '0.1.0', mode: 'user' },
  { type: 'consent', change: 'granted', receipt: 'r1', notice: 'n1' },
  {
    type: 'captured',
    segment: 's1',
    sequence: 1,
    events: 10,
    bytes: 300,
    loss: { thinned: 1, redacted: 2, dropped: 0 },
  },
  { type: 'withheld', cause: 'paused', from: '2026-07-01T08:00:00.000Z', until: '2026-07-01T08:30:00.000Z' },
  { type: 'sent', segment: 's1', bytes: 300, sha256: 'ab'.repeat(32), destination: 'https://über.example' },
  { type: 'dropped', segment: 's2', bytes: 5, events: null, cause: 'quota' },
  { type: 'stopped', cause: 'SIGTERM' },
];

/** A folder with a ledger of all {@link FACTS}, its file and its lines. */
function filledLedger() {
  const folder = tempFolder();
  const ledger = openLedger(folder, CLOCK);
  for (const fact of FACTS) ledger.appendEntry(fact);
  const head = ledger.head();
  ledger.close();
  const path = join(folder, 'ledger.jsonl');
  return { folder, path, head, lines: readFileSync(path, 'utf8').trimEnd().split('\n') };
}

test('entries are read back in order, with time and chain, and the file is private', () => {
  const { folder, path, head, lines } = filledLedger();
  const entries = [...readLedger(folder)];
  expect(entries).toMatchObject(FACTS);
  expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(entries[0]).toMatchObject({ at: '2026-07-01T08:00:00.000Z', prev: '0'.repeat(64) });
  expect(verifyLedger(folder)).toEqual({ ok: true, entries: 7, brokenAt: null, head, missingHeads: [] });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(lines).toHaveLength(7);
});

test('the hash is SHA-256 of the entry without it, keys in order, as anyone can compute it', () => {
  const { lines } = filledLedger();
  const { hash, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  const text = `{"at":"2026-07-01T08:00:00.000Z","mode":"user","prev":"${'0'.repeat(64)}","seq":1,"type":"started","version":"0.1.0"}`;
  expect(canonicalJson(rest)).toBe(text);
  expect(hash).toBe(createHash('sha256').update(text).digest('hex'));
});

test('a changed byte anywhere, a removed line and two lines that change places are found', () => {
  const { folder, path, lines } = filledLedger();
  const text = readFileSync(path);
  const at = fc.integer({ min: 0, max: text.length - 2 });
  fc.assert(
    fc.property(at, fc.integer({ min: 1, max: 255 }), (index, change) => {
      const altered = Buffer.from(text);
      altered[index] = (altered[index] ?? 0) ^ change;
      writeFileSync(path, altered);
      const line = text.subarray(0, index).filter((byte) => byte === 10).length + 1;
      expect(verifyLedger(folder)).toMatchObject({ ok: false, brokenAt: line });
    }),
  );
  writeFileSync(path, lines.toSpliced(3, 1).join('\n').concat('\n'));
  expect(verifyLedger(folder)).toMatchObject({ ok: false, brokenAt: 4, entries: 3 });
  writeFileSync(path, [lines[1], lines[0], ...lines.slice(2)].join('\n').concat('\n'));
  expect(verifyLedger(folder)).toMatchObject({ ok: false, brokenAt: 1, entries: 0 });
});

test('lines cut off the end show against a head that was kept elsewhere', () => {
  const { folder, path, head, lines } = filledLedger();
  writeFileSync(path, lines.slice(0, 5).join('\n').concat('\n'));
  expect(verifyLedger(folder)).toMatchObject({ ok: true, entries: 5 });
  expect(verifyLedger(folder).head).not.toEqual(head);
});

test('a chain that was rewritten from some entry on, soundly, shows against the heads that were kept of the true one', () => {
  const { folder, path, head } = filledLedger();
  const kept = [...readLedger(folder)].map(({ hash }) => hash);
  expect(verifyLedger(folder, [...kept, '0'.repeat(64)])).toMatchObject({ ok: true, missingHeads: [] });

  rmSync(path);
  const forged = openLedger(folder, CLOCK);
  for (const fact of FACTS) {
    if (fact.type !== 'captured') forged.appendEntry(fact);
  }
  forged.close();
  expect(verifyLedger(folder)).toMatchObject({ ok: true, entries: 6 });
  expect(verifyLedger(folder, kept)).toMatchObject({
    ok: false,
    brokenAt: null,
    missingHeads: kept.slice(2),
  });
  expect(verifyLedger(folder, [head.hash])).toMatchObject({ ok: false, missingHeads: [head.hash] });
});

test('torn at any byte of its last line, the rest is kept aside and the chain goes on', () => {
  const { path, lines } = filledLedger();
  const whole = readFileSync(path);
  const start = whole.length - Buffer.byteLength(lines.at(-1) ?? '') - 1;
  for (let end = start; end < whole.length; end += 17) {
    const folder = tempFolder();
    const torn = join(folder, 'ledger.jsonl');
    writeFileSync(torn, whole.subarray(0, end));
    expect(verifyLedger(folder)).toMatchObject({ ok: true, entries: 6 });
    const ledger = openLedger(folder, CLOCK);
    expect(ledger.head().seq).toBe(6);
    expect(ledger.tornKeptAs).toBe(end === start ? null : `${torn}.torn-1`);
    if (end > start) expect(readFileSync(`${torn}.torn-1`)).toEqual(whole.subarray(start, end));
    ledger.appendEntry({ type: 'started', version: '0.1.0', mode: 'user' });
    ledger.close();
    expect(verifyLedger(folder)).toMatchObject({ ok: true, entries: 7 });
  }
});

test('zeros that a power cut left at the end are kept aside too', () => {
  const { folder, path } = filledLedger();
  appendFileSync(path, Buffer.concat([new Uint8Array(100_000), Buffer.from('\n')]));
  const ledger = openLedger(folder, CLOCK);
  expect(ledger.appendEntry({ type: 'stopped', cause: 'test' }).seq).toBe(8);
  ledger.close();
  expect(verifyLedger(folder)).toMatchObject({ ok: true, entries: 8 });
});

test('several facts go in together, and a long ledger opens by its end', () => {
  const folder = tempFolder();
  const first = openLedger(folder, CLOCK);
  first.appendEntries(Array.from({ length: 3000 }, (_, n) => ({ type: 'stopped', cause: `cause ${n}` })));
  expect(first.appendEntries([])).toEqual(first.head());
  first.close();
  expect(statSync(join(folder, 'ledger.jsonl')).size).toBeGreaterThan(4 * 64 * 1024);
  const second = openLedger(folder, CLOCK);
  expect(second.head()).toEqual(first.head());
  second.close();
  expect(verifyLedger(folder)).toMatchObject({ ok: true, entries: 3000 });
});

test('an empty or missing ledger is whole', () => {
  const folder = tempFolder();
  expect(verifyLedger(folder)).toMatchObject({ ok: true, entries: 0, head: { seq: 0 } });
  expect([...readLedger(folder)]).toEqual([]);
  openLedger(folder, CLOCK).close();
  expect(verifyLedger(folder).ok).toBe(true);
  truncateSync(join(folder, 'ledger.jsonl'));
});

test('killed at random moments it holds everything that was recorded, in one unbroken chain', async () => {
  const folder = tempFolder();
  let last = 0;
  for (let run = 0; run < 4; run++) {
    const before = last;
    const program = fileURLToPath(new URL('ledger-child.ts', import.meta.url));
    const child = runChild(program, [folder], (line) => {
      last = Number(line);
    });
    while (last < before + 3 && child.process.exitCode === null) await sleep(2);
    await sleep(Math.random() * 20);
    child.process.kill('SIGKILL');
    expect(await child.ended).toBeNull();
    const check = verifyLedger(folder);
    expect(check.ok).toBe(true);
    expect(check.entries).toBeGreaterThanOrEqual(last);
    expect(check.entries).toBeLessThanOrEqual(last + 1);
  }
}, 30_000);
