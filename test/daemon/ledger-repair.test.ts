import { appendFileSync, copyFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingFacts } from '../../src/daemon/ledger-repair.ts';
import { capturedFact } from '../../src/daemon/sealer.ts';
import { openLedger, readLedger, verifyLedger } from '../../src/privacy/ledger.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { listSegments } from '../../src/spool/list-segments.ts';
import type { SealedFacts } from '../../src/spool/sealed-file.ts';
import type { SentRecord } from '../../src/spool/sent-log.ts';
import { Spool } from '../../src/spool/spool.ts';
import { segmentId } from '../spool/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { addClosed, openSpool } from './filled-spool.ts';
import { HandClock } from './hand-clock.ts';

const SENT = {
  sha256: 'b'.repeat(64),
  bytes: 300,
  chargedBytes: 400,
  destination: 'http://127.0.0.1:7717',
  atWallMs: 1_780_000_000_000,
};

function record(stateDir: string, ...facts: readonly LedgerFact[]): void {
  const ledger = openLedger(stateDir, new HandClock());
  ledger.appendEntries(facts);
  ledger.close();
}

function sentFact(n: number): LedgerFact {
  const { bytes, sha256, destination } = SENT;
  return { type: 'sent', segment: segmentId(n), bytes, sha256, destination };
}

/** Seals the n-th segment and, as the daemon does, records it. */
function seal(spool: Spool, stateDir: string, n: number): SealedFacts {
  const result = spool.seal(addClosed(spool, n));
  if (result.kind !== 'sealed') throw new Error('it was not sealed');
  record(stateDir, capturedFact(result.facts));
  return result.facts;
}

/** What the daemon does at its start with what a killed one left; returns what it had to add to the ledger. */
function restart(stateDir: string): LedgerFact[] {
  const spool = new Spool(stateDir);
  spool.recover();
  const ledger = openLedger(stateDir, new HandClock());
  const facts = missingFacts(stateDir, spool.sealedSegments());
  ledger.appendEntries(facts);
  ledger.close();
  spool.stop();
  return facts;
}

describe('a process that was killed', () => {
  it('before it sealed: the journal is sealed now and recorded once', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    seal(spool, stateDir, 1);
    addClosed(spool, 2);
    expect(restart(stateDir)).toMatchObject([{ type: 'captured', segment: segmentId(2), events: 20 }]);
    expect(restart(stateDir)).toEqual([]);
  });

  it('between sealing and the ledger: the segment is recorded with what it holds', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    seal(spool, stateDir, 1);
    const result = spool.seal(addClosed(spool, 2));
    if (result.kind !== 'sealed') throw new Error('it was not sealed');
    expect(restart(stateDir)).toEqual([capturedFact(result.facts)]);
    expect(restart(stateDir)).toEqual([]);
    expect(verifyLedger(stateDir)).toMatchObject({ ok: true, entries: 2 });
  });

  it('between the sealed file and the end of its journal: recorded once, though both are there', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    addClosed(spool, 1);
    const [journal] = listSegments(stateDir);
    const copy = join(stateDir, 'copy');
    copyFileSync(journal?.path ?? '', copy);
    spool.seal(segmentId(1));
    copyFileSync(copy, journal?.path ?? '');
    expect(restart(stateDir)).toMatchObject([{ type: 'captured', segment: segmentId(1) }]);
    expect(restart(stateDir)).toEqual([]);
  });

  it('between the record of a sent segment and the ledger: that it was sent is recorded, whence and whither', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    seal(spool, stateDir, 1);
    seal(spool, stateDir, 2);
    spool.takeForRound([segmentId(1), segmentId(2)], 'http://127.0.0.1:7717');
    spool.markSent(segmentId(1), SENT);
    expect(restart(stateDir)).toEqual([sentFact(1)]);
    expect(restart(stateDir)).toEqual([]);
  });

  it('before the file of a sent segment was moved: the same', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    seal(spool, stateDir, 1);
    spool.takeForRound([segmentId(1)], 'http://127.0.0.1:7717');
    appendFileSync(join(stateDir, 'sent.jsonl'), `${JSON.stringify({ id: segmentId(1), ...SENT })}\n`);
    expect(restart(stateDir)).toEqual([sentFact(1)]);
    expect(listSegments(stateDir).map(({ stage }) => stage)).toEqual(['sent']);
    expect(restart(stateDir)).toEqual([]);
  });

  it('with the power: a torn last entry of the ledger is made good', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    seal(spool, stateDir, 1);
    const facts = seal(spool, stateDir, 2);
    const path = join(stateDir, 'ledger.jsonl');
    truncateSync(path, readFileSync(path).length - 7);
    expect(restart(stateDir)).toEqual([capturedFact(facts)]);
    expect(verifyLedger(stateDir)).toMatchObject({ ok: true, entries: 2 });
  });

  it('when there was nothing left to write: nothing is added', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    seal(spool, stateDir, 1);
    seal(spool, stateDir, 2);
    spool.takeForRound([segmentId(1)], 'http://127.0.0.1:7717');
    spool.markSent(segmentId(1), SENT);
    record(stateDir, sentFact(1));
    expect(restart(stateDir)).toEqual([]);
  });
});

const DROP_ALL = { limitBytes: 0, retentionMs: Infinity, keepSentMs: Infinity };

describe('a process that was killed between deleting a file and the ledger', () => {
  it('leaves that it was dropped to be recorded, once, with what it held', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    const { sizeBytes } = seal(spool, stateDir, 1);
    spool.enforceLimits(DROP_ALL, 0);
    seal(spool, stateDir, 2);
    expect(restart(stateDir)).toEqual([
      { type: 'dropped', segment: segmentId(1), bytes: sizeBytes, events: 20, cause: 'unknown' },
    ]);
    expect(restart(stateDir)).toEqual([]);
  });

  it('of a sent segment has lost a copy only', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    seal(spool, stateDir, 1);
    spool.takeForRound([segmentId(1)], 'http://127.0.0.1:7717');
    spool.markSent(segmentId(1), SENT);
    record(stateDir, sentFact(1));
    expect(restart(stateDir)).toEqual([]);
    spool.enforceLimits(DROP_ALL, 0);
    expect(restart(stateDir)).toMatchObject([{ type: 'dropped', segment: segmentId(1), cause: 'keep-sent' }]);
    expect(restart(stateDir)).toEqual([]);
  });

  it('is not seen in what was recorded, quarantined or purged', () => {
    const stateDir = tempFolder();
    const spool = openSpool(stateDir);
    for (const n of [1, 2, 3]) seal(spool, stateDir, n);
    spool.takeForRound([segmentId(3)], 'http://127.0.0.1:7717');
    spool.quarantine(segmentId(3));
    for (const { id, sizeBytes } of spool.enforceLimits(DROP_ALL, 0))
      record(stateDir, { type: 'dropped', segment: id, bytes: sizeBytes, events: 20, cause: 'quota' });
    expect(restart(stateDir)).toEqual([]);
    seal(spool, stateDir, 4);
    spool.enforceLimits(DROP_ALL, 0);
    record(stateDir, purgedFact(4));
    expect(restart(stateDir)).toEqual([]);
  });
});

it('finds exactly what is missing, whatever is, and in whatever order the two logs stand', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ isRecorded: fc.boolean(), place: fc.integer() }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 100, max: 103 }), { maxLength: 3 }),
      (segments, strangers) => {
        const stateDir = tempFolder();
        const ids = segments.map((_, n) => n + 1);
        const lines = ids.map((n): SentRecord => ({ id: segmentId(n), ...SENT }));
        writeFileSync(
          join(stateDir, 'sent.jsonl'),
          lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
        );
        const recorded = ids
          .filter((n) => segments[n - 1]?.isRecorded)
          .sort((a, b) => (segments[a - 1]?.place ?? 0) - (segments[b - 1]?.place ?? 0));
        record(stateDir, ...[...recorded, ...strangers].map(sentFact));
        const missing = missingFacts(stateDir, []);
        expect(missing).toEqual(ids.filter((n) => !recorded.includes(n)).map(sentFact));
        record(stateDir, ...missing);
        expect(missingFacts(stateDir, [])).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

it('goes through years of both logs', () => {
  const stateDir = tempFolder();
  const clock = new HandClock();
  const ledger = openLedger(stateDir, clock);
  const count = 20_000;
  const facts = Array.from({ length: count }, (_, n) => sentFact(n + 1));
  const lines = facts.map((_, n) => JSON.stringify({ id: segmentId(n + 1), ...SENT }));
  writeFileSync(join(stateDir, 'sent.jsonl'), `${lines.join('\n')}\n`);
  ledger.appendEntries(facts.slice(0, -1));
  ledger.close();
  expect(missingFacts(stateDir, [])).toEqual([sentFact(count)]);
  expect([...readLedger(stateDir)]).toHaveLength(count - 1);
});

function purgedFact(n: number): LedgerFact {
  const segment = {
    id: segmentId(n),
    stage: 'sealed',
    outcome: 'deleted',
    bytes: 1,
    events: 20,
    replacement: null,
  } as const;
  const receipt = {
    id: segmentId(900),
    at: '2026-07-01T08:00:00.000Z',
    scope: 'all',
    from: null,
    eventsInMemory: 0,
    segments: [segment],
    erasures: [],
  } as const;
  return { type: 'purged', purge: receipt.id, scope: 'all', segments: 1, bytes: 1, events: 20, receipt };
}

it('does not call lost what an interrupted purge was removing', () => {
  const stateDir = tempFolder();
  const spool = openSpool(stateDir);
  seal(spool, stateDir, 1);
  spool.discard(segmentId(1));
  expect(missingFacts(stateDir, [], [segmentId(1)])).toEqual([]);
  expect(missingFacts(stateDir, [])).toMatchObject([{ type: 'dropped', segment: segmentId(1) }]);
});
