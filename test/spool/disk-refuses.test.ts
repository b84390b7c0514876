import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLedger, readLedger, verifyLedger } from '../../src/privacy/ledger.ts';
import { DiskError } from '../../src/spool/disk-error.ts';
import type { FileSystem } from '../../src/spool/file-system.ts';
import { Spool } from '../../src/spool/spool.ts';
import { HandClock } from '../daemon/hand-clock.ts';
import { MemoryDisk } from './memory-disk.ts';
import { type Deed, PowerLife } from './power-life.ts';
import { movesBlock, sampleHeader, segmentId } from './samples.ts';

const DEEDS: readonly Deed[] = [
  'open',
  'open-encrypted',
  'append',
  'append',
  'sync',
  'close',
  'seal',
  'take',
  'sent',
  'return',
  'limits',
];

it('a disk that refuses at any moment is said to, and no promise is broken over it', async () => {
  const step = fc.record({
    deed: fc.constantFrom(...DEEDS),
    callsToRefusal: fc.oneof(fc.constant(Infinity), fc.integer({ min: 0, max: 6 })),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      const life = new PowerLife();
      await life.begin();
      for (const { deed, callsToRefusal } of steps) {
        life.disk.callsToRefusal = callsToRefusal;
        try {
          await life.do(deed);
        } catch (error) {
          expect(error).toBeInstanceOf(DiskError);
          life.refused();
        }
        life.disk.callsToRefusal = Infinity;
      }
      await life.restart({ how: 'kill', seed: 0 });
    }),
    { numRuns: 80 },
  );
});

const SENT = { sha256: 'ab', bytes: 1, chargedBytes: 1, destination: 'http://localhost', atWallMs: 1 };

/** Ways of the disk to refuse, what is then refused, and in what state the segment is before. */
const REFUSALS: readonly (readonly [string, keyof FileSystem, RegExp, (spool: Spool) => unknown])[] = [
  ['the append of a block', 'writeSync', /journal/, (spool) => spool.append(movesBlock(1, 2, 90, 3))],
  ['the sync of a journal', 'fdatasyncSync', /journal/, (spool) => spool.sync()],
  ['the making of a sealed file', 'openSync', /sealed\/.*tmp/, sealOpen],
  ['the write of a sealed file', 'writeSync', /sealed/, sealOpen],
  ['the sync of a sealed file', 'fsyncSync', /sealed\/.*tmp/, sealOpen],
  ['the rename of a sealed file', 'renameSync', /sealed/, sealOpen],
  ['the move into a round', 'renameSync', /sealed\/[^.]*\.tlm$/, (spool) => takeOpen(spool)],
  ['the move out of a round', 'renameSync', /outbox/, (spool) => (takeOpen(spool), spool.returnFromOutbox())],
  ['the record of sending', 'writeSync', /sent\.jsonl/, sendOpen],
  ['the sync of that', 'fdatasyncSync', /sent\.jsonl/, sendOpen],
];

function sealOpen(spool: Spool): void {
  spool.close();
  for (const id of spool.waiting()) spool.seal(id);
}

function takeOpen(spool: Spool): void {
  sealOpen(spool);
  spool.takeForRound([segmentId(1)], 'http://127.0.0.1:7717');
}

function sendOpen(spool: Spool): void {
  takeOpen(spool);
  spool.markSent(segmentId(1), SENT);
}

describe.each(['EIO', 'ENOSPC'])('%s', (errno) => {
  it.each(REFUSALS)('at %s is told with a path, and is over when the disk is', (_what, call, path, act) => {
    const disk = new MemoryDisk();
    const spool = new Spool('/state', disk);
    spool.recover();
    spool.open(sampleHeader(1));
    spool.append(movesBlock(1, 3));
    let isRefusing = true;
    disk.refuse = (called, on) => (isRefusing && called === call && path.test(on) ? errno : null);
    expect(() => act(spool)).toThrow(
      expect.objectContaining({
        name: 'TelemetryError',
        message: expect.stringMatching(new RegExp(`^cannot [a-z ]+ /state/.*: ${errno}$`)) as unknown,
      }),
    );
    isRefusing = false;
    sendOpen(spool);
    expect(spool.stats()).toMatchObject({ segments: 1, sentEver: { segments: 1 } });
    disk.kill();
    const next = new Spool('/state', disk);
    expect(next.recover()).toMatchObject({ problems: [], quarantined: [], sentEver: { segments: 1 } });
  });
});

it('a ledger that could not be synced is written anew before the next entry', () => {
  const disk = new MemoryDisk();
  new Spool('/state', disk).recover();
  const ledger = openLedger('/state', new HandClock(), disk);
  ledger.appendEntry({ type: 'stopped', cause: 'first' });
  disk.refuse = (call) => (call === 'fdatasyncSync' ? 'EIO' : null);
  expect(() => ledger.appendEntry({ type: 'stopped', cause: 'second' })).toThrow(DiskError);
  disk.refuse = () => null;
  // The kernel has given up on what it could not write, and syncs the rest.
  disk.forgetUnsynced('/state/ledger.jsonl');
  ledger.appendEntry({ type: 'stopped', cause: 'third' });
  disk.reboot('nothing', 0);
  const causes = [...readLedger('/state', disk)].map((entry) =>
    entry.type === 'stopped' ? entry.cause : '',
  );
  expect(causes).toEqual(['first', 'second', 'third']);
  expect(verifyLedger('/state', [], disk)).toMatchObject({ ok: true, entries: 3 });
});
