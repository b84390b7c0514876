import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSegment } from '../../src/segment/read.ts';
import { listSegments } from '../../src/spool/list-segments.ts';
import { readSent } from '../../src/spool/sent-log.ts';
import { Spool } from '../../src/spool/spool.ts';
import { movesBlock, sampleHeader, segmentId } from './samples.ts';
import { tempFolder } from './temp-folder.ts';

type Operation =
  | 'open'
  | 'append'
  | 'close'
  | 'seal'
  | 'take'
  | 'sent'
  | 'return'
  | 'refuse'
  | 'restart'
  | 'kill';

const OPERATIONS = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom<Operation>('open', 'append', 'append', 'close', 'seal') },
    { weight: 2, arbitrary: fc.constantFrom<Operation>('take', 'sent', 'sent') },
    { weight: 1, arbitrary: fc.constantFrom<Operation>('return', 'refuse', 'restart', 'kill') },
  ),
  { minLength: 20, maxLength: 60 },
);

/** A spool, what was captured by it, and what was handed to an uploader and stored. */
class Life {
  readonly folder = tempFolder();
  readonly events = new Map<number, number>();
  readonly stored: number[] = [];
  readonly refused = new Set<number>();
  round: number[] = [];
  opened = 0;
  spool = this.#start();

  do(operation: Operation): void {
    switch (operation) {
      case 'open':
        if (this.spool.openSegment !== null) return;
        this.opened++;
        this.events.set(this.opened, 0);
        this.spool.open(sampleHeader(this.opened));
        return;
      case 'append': {
        if (this.spool.openSegment === null) return;
        const events = this.events.get(this.opened) ?? 0;
        this.spool.append(movesBlock(this.opened, 2, events * 10, events));
        this.events.set(this.opened, events + 2);
        return;
      }
      case 'close':
        return void this.spool.close();
      case 'seal':
        for (const id of this.spool.waiting().slice(0, 1)) this.spool.seal(id);
        return;
      case 'take': {
        const ids = this.spool.sealedSegments().map(({ id }) => id);
        const taken = this.spool.takeForRound(ids.slice(0, 2), 'http://127.0.0.1:7717');
        this.round.push(...taken.map(({ id }) => Number.parseInt(id.slice(-12), 16)));
        return;
      }
      case 'sent': {
        const n = this.round.shift();
        if (n === undefined) return;
        this.stored.push(n);
        const sent = {
          sha256: 'ab',
          bytes: 1,
          chargedBytes: 1,
          destination: 'http://localhost',
          atWallMs: 1,
        };
        return void this.spool.markSent(segmentId(n), sent);
      }
      case 'refuse': {
        const n = this.round.shift();
        if (n === undefined) return;
        this.refused.add(n);
        return void this.spool.quarantine(segmentId(n));
      }
      case 'return':
        this.spool.returnFromOutbox();
        this.round = [];
        return;
      case 'restart':
        this.spool.stop();
        this.round = [];
        this.spool = this.#start();
        return;
      case 'kill':
        // As after kill -9: nothing is closed or flushed by us; what was written is in the files.
        this.round = [];
        this.spool = this.#start();
    }
  }

  #start(): Spool {
    const spool = new Spool(this.folder);
    expect(spool.recover()).toMatchObject({ quarantined: [], problems: [] });
    return spool;
  }
}

test('whatever happens, what was captured is in exactly one place and is sent at most once', () => {
  fc.assert(
    fc.property(OPERATIONS, (operations) => {
      const life = new Life();
      for (const operation of operations) life.do(operation);
      const stats = life.spool.stats();
      const files = listSegments(life.folder);
      expect(stats.bytes).toBe(files.reduce((sum, file) => sum + file.sizeBytes, 0));
      expect(stats.segments + stats.quarantined.segments).toBe(files.length);
      life.do('restart');
      for (const [n, events] of life.events) {
        const places = listSegments(life.folder).filter((file) => file.id === segmentId(n));
        expect(places).toHaveLength(events === 0 ? 0 : 1);
        for (const { path, stage } of places) {
          const { columns } = readSegment(readFileSync(path));
          expect([...columns.x.subarray(0, columns.count)]).toEqual(
            Array.from({ length: events }, (_, i) => i),
          );
          const expected = life.stored.includes(n) ? 'sent' : life.refused.has(n) ? 'quarantine' : 'sealed';
          expect(stage).toBe(expected);
        }
      }
      expect(new Set(life.stored).size).toBe(life.stored.length);
      expect([...readSent(life.folder)].map(({ id }) => id)).toEqual(life.stored.map(segmentId));
      life.spool.stop();
    }),
    { numRuns: 15 },
  );
}, 60_000);
