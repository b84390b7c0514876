import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ErasureRequest, PurgeScope } from '../../src/core/purge.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { type PurgePorts, runPurge } from '../../src/privacy/purge-run.ts';
import { readSegment } from '../../src/segment/read.ts';
import { segmentPath } from '../../src/spool/folders.ts';
import { listSegments } from '../../src/spool/list-segments.ts';
import { readPurgeIntent, writePurgeIntent } from '../../src/spool/purge-file.ts';
import { cutFile } from '../../src/spool/sealer/cut-file.ts';
import { Spool } from '../../src/spool/spool.ts';
import { addClosed, addSealed, openSpool } from '../daemon/filled-spool.ts';
import { movesBlock, START_WALL_MS, sampleHeader, segmentId } from '../spool/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';

const COLLECTOR = 'https://collector.example.com';
const PURGE_ID = segmentId(900);
/** In the middle of the third sample: its events are 10 ms apart. */
const IN_THE_THIRD: PurgeScope = { kind: 'last', fromWallMs: START_WALL_MS + 3 * 60_000 + 100 };

/** One segment in each place there is: a journal, and sealed, offered, sent, and refused ones. Each holds 20 events. */
function filled(): { stateDir: string; spool: Spool } {
  const stateDir = tempFolder();
  const spool = openSpool(stateDir);
  for (const n of [1, 2, 3, 4, 5]) addSealed(spool, n);
  spool.takeForRound([segmentId(1), segmentId(3), segmentId(4)], COLLECTOR);
  for (const n of [1, 3]) {
    const sent = { sha256: 'a'.repeat(64), bytes: 100, chargedBytes: 200, destination: COLLECTOR };
    spool.markSent(segmentId(n), { ...sent, atWallMs: START_WALL_MS + n * 60_000 + 30_000 });
  }
  spool.returnFromOutbox();
  addClosed(spool, 6);
  writeFileSync(join(stateDir, 'quarantine', `${segmentId(7)}.tlm`), 'nobody can read this');
  spool.stop();
  const again = openSpool(stateDir);
  // Recovery has sealed the journal; another one stands for those that wait.
  again.open(sampleHeader(8));
  again.append(movesBlock(8, 20));
  again.close();
  return { stateDir, spool: again };
}

function portsOver(stateDir: string, spool: Spool, more: Partial<PurgePorts> = {}) {
  const asked: ErasureRequest[] = [];
  const facts: LedgerFact[] = [];
  const ports: PurgePorts = {
    stateDir,
    spool,
    cut: ({ segment }, newId, fromWallMs) =>
      cutFile({
        path: spool.pathOf(segment),
        newId,
        fromWallMs,
        identities: [],
        journalKey: null,
        recipientsOf: () => null,
        place: () => segmentPath(stateDir, 'sealed', newId),
      }),
    forgetKeys: () => undefined,
    ask: (erasure) => asked.push(erasure),
    record: (some) => facts.push(...some),
    ...more,
  };
  return { ports, asked, facts };
}

async function purge(
  place: { stateDir: string; spool: Spool },
  scope: PurgeScope,
  more: Partial<PurgePorts> = {},
) {
  const intent = { id: PURGE_ID, scope, startedWallMs: START_WALL_MS, erasures: null, found: [] };
  writePurgeIntent(place.stateDir, intent);
  const { ports, asked, facts } = portsOver(place.stateDir, place.spool, more);
  return { receipt: await runPurge(intent, 0, ports), asked, facts };
}

/** How many events of each sample are on disk, by the sample's number. */
function left(stateDir: string): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { path, stage } of listSegments(stateDir)) {
    if (stage === 'quarantine') continue;
    const { header, columns } = readSegment(readFileSync(path));
    counts[header.sequence] = (counts[header.sequence] ?? 0) + columns.count;
  }
  return counts;
}

describe('a purge of files', () => {
  it('removes all from a time on, wherever it is, and keeps what is older of a segment that straddles it', async () => {
    const place = filled();
    const { receipt, asked, facts } = await purge(place, IN_THE_THIRD);
    expect(left(place.stateDir)).toEqual({ 1: 20, 2: 20, 3: 10 });
    expect(readdirSync(join(place.stateDir, 'quarantine'))).toEqual([]);
    const outcomes = Object.fromEntries(receipt.segments.map(({ id, outcome }) => [id, outcome]));
    expect(outcomes).toEqual({
      [segmentId(3)]: 'cut',
      [segmentId(4)]: 'deleted',
      [segmentId(5)]: 'deleted',
      [segmentId(6)]: 'deleted',
      [segmentId(7)]: 'deleted',
      [segmentId(8)]: 'deleted',
    });
    expect(facts).toMatchObject([
      { type: 'captured', replaces: segmentId(3), events: 10 },
      { type: 'purged', purge: PURGE_ID, segments: 6 },
    ]);
    // The third was sent, the fourth was on its way once; the fifth never left.
    expect(asked).toMatchObject([{ destination: COLLECTOR, segments: [segmentId(3), segmentId(4)] }]);
    expect(readPurgeIntent(place.stateDir)).toBeNull();
  });

  it('gives what is left of a sent segment a new id, so that it can be sent in its place', async () => {
    const place = filled();
    const { receipt } = await purge(place, IN_THE_THIRD);
    const replacement = receipt.segments.find(({ outcome }) => outcome === 'cut')?.replacement ?? '';
    expect(replacement).not.toBe(segmentId(3));
    expect(replacement.slice(0, 13)).toBe(segmentId(3).slice(0, 13));
    expect(place.spool.sealedSegments().map(({ id }) => id)).toContain(replacement);
    const [kept] = listSegments(place.stateDir).filter(({ id }) => id === replacement);
    const segment = readSegment(readFileSync(kept?.path ?? ''));
    expect(segment.header.segmentId).toBe(replacement);
    expect(segment.gaps).toMatchObject([{ kind: 'withheld' }]);
  });

  it('deletes a segment whole that cannot be opened here, and says so', async () => {
    const place = filled();
    const { receipt } = await purge(place, IN_THE_THIRD, { cut: () => Promise.resolve({ kind: 'closed' }) });
    expect(receipt.segments.find(({ id }) => id === segmentId(3))?.outcome).toBe('whole');
    expect(left(place.stateDir)).toEqual({ 1: 20, 2: 20 });
  });

  it('of what was not sent leaves what was, and of what was sent leaves the rest', async () => {
    const unsent = filled();
    await purge(unsent, { kind: 'unsent' });
    expect(left(unsent.stateDir)).toEqual({ 1: 20, 3: 20 });
    const sent = filled();
    const { asked } = await purge(sent, { kind: 'sent' });
    expect(left(sent.stateDir)).toEqual({ 2: 20, 5: 20, 6: 20, 8: 20 });
    expect(asked[0]?.segments).toEqual([segmentId(1), segmentId(3), segmentId(4)]);
  });

  it('of everything leaves nothing, and asks for what has no copy here any more', async () => {
    const place = filled();
    place.spool.discard(segmentId(1));
    const page = join(place.stateDir, 'reports', 'report.html');
    mkdirSync(join(place.stateDir, 'reports'));
    writeFileSync(page, 'pictures of what was recorded');
    const { receipt, asked } = await purge(place, { kind: 'all' });
    expect(left(place.stateDir)).toEqual({});
    expect(existsSync(page)).toBe(false);
    expect(asked[0]?.segments).toContain(segmentId(1));
    expect(receipt.segments.find(({ id }) => id === segmentId(1))?.stage).toBe('gone');
  });

  it('is finished by the next start wherever it was interrupted, and asks for the same erasure', async () => {
    const whole = filled();
    const { asked: expected } = await purge(whole, IN_THE_THIRD);
    for (let steps = 0; ; steps++) {
      const place = filled();
      let left_ = steps;
      const step = <T>(result: T): T => {
        if (left_-- <= 0) throw new Error('killed');
        return result;
      };
      const { ports } = portsOver(place.stateDir, place.spool);
      const dying: Partial<PurgePorts> = {
        ask: () => step(undefined),
        cut: async (...order) => step(await ports.cut(...order)),
        forgetKeys: () => step(undefined),
        record: () => step(undefined),
      };
      const outcome = await purge(place, IN_THE_THIRD, dying).catch(() => 'killed' as const);
      if (outcome !== 'killed') {
        expect(steps).toBeGreaterThan(5);
        return;
      }
      place.spool.stop();
      const spool = new Spool(place.stateDir);
      spool.recover();
      onTestFinished(() => spool.stop());
      const intent = readPurgeIntent(place.stateDir);
      if (intent === null) throw new Error('nothing says that a purge is to be finished');
      const { ports: next, asked } = portsOver(place.stateDir, spool);
      const { segments } = await runPurge(intent, 0, next);
      expect(new Set(segments.map(({ id }) => id))).toEqual(new Set([3, 4, 5, 6, 7, 8].map(segmentId)));
      expect(left(place.stateDir)).toEqual({ 1: 20, 2: 20, 3: 10 });
      expect(asked).toEqual(expected);
      expect(readdirSync(join(place.stateDir, 'quarantine'))).toEqual([]);
    }
  });
});
