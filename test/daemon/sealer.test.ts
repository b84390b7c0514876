import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PowerState } from '../../src/core/conditions.ts';
import { Sealer } from '../../src/daemon/sealer.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import { readSegment } from '../../src/segment/read.ts';
import { keepingLog } from '../control/reports.ts';
import { segmentId } from '../spool/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { addClosed, openSpool } from './filled-spool.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function workbench(power: PowerState = 'ac') {
  const clock = new HandClock();
  const timers = new HandTimers(clock);
  const stateDir = tempFolder();
  const spool = openSpool(stateDir);
  const facts: LedgerFact[] = [];
  const { log, lines } = keepingLog();
  /** What was last said of the disk. */
  const storage = new Map<string, string | null>();
  const bench = {
    clock,
    timers,
    stateDir,
    spool,
    facts,
    lines,
    power,
    storage,
    limits: { limitBytes: 1e9, retentionMs: 7 * DAY_MS, keepSentMs: 7 * DAY_MS },
    changes: 0,
  };
  const sealer = new Sealer({
    clock,
    timers,
    log,
    spool,
    power: () => bench.power,
    sealEncrypted: () => Promise.reject(new Error('none of these journals is encrypted')),
    limits: () => bench.limits,
    record: (more) => facts.push(...more),
    changed: () => bench.changes++,
    storage: (user, problem) => storage.set(user, problem),
  });
  return Object.assign(bench, { sealer });
}

it('seals at once on mains power and records what each segment holds', () => {
  const bench = workbench();
  const id = addClosed(bench.spool, 1, 20);
  bench.sealer.work();
  const [facts] = bench.spool.sealedSegments();
  expect(facts?.id).toBe(id);
  expect(bench.facts).toEqual([
    { type: 'captured', segment: id, sequence: 1, events: 20, bytes: facts?.sizeBytes },
  ]);
  expect(bench.sealer.sealedBytes).toBe(facts?.sizeBytes);
  expect(bench.timers.names()).toEqual([]);
  expect(bench.changes).toBeGreaterThan(0);
});

it.each(['battery', 'unknown'] as const)(
  'on power that is %s waits two hours from when the journal was closed',
  (power) => {
    const bench = workbench(power);
    addClosed(bench.spool, 1);
    bench.sealer.work();
    bench.timers.run(HOUR_MS);
    addClosed(bench.spool, 2);
    bench.sealer.work();
    bench.timers.run(HOUR_MS - 1);
    expect(bench.spool.sealedSegments()).toEqual([]);
    bench.timers.run(1);
    expect(bench.spool.sealedSegments().map(({ id }) => id)).toEqual([segmentId(1)]);
    bench.timers.run(HOUR_MS);
    expect(bench.spool.sealedSegments()).toHaveLength(2);
    expect(bench.timers.names()).toEqual([]);
  },
);

it('counts hours asleep as hours', () => {
  const bench = workbench('battery');
  addClosed(bench.spool, 1);
  bench.sealer.work();
  bench.clock.sleep(2 * HOUR_MS);
  bench.timers.recheck();
  expect(bench.spool.waiting()).toEqual([]);
});

it('seals what waits when mains power comes back', () => {
  const bench = workbench('battery');
  addClosed(bench.spool, 1);
  addClosed(bench.spool, 2);
  bench.sealer.work();
  expect(bench.facts).toEqual([]);
  bench.power = 'ac';
  bench.sealer.work();
  expect(bench.spool.waiting()).toEqual([]);
  expect(bench.facts.map(({ type }) => type)).toEqual(['captured', 'captured']);
  expect(bench.timers.names()).toEqual([]);
});

it('does not wait when the disk’s share is four fifths full', () => {
  const bench = workbench('battery');
  addClosed(bench.spool, 1);
  const { bytes } = bench.spool.stats();
  bench.limits = { ...bench.limits, limitBytes: Math.ceil(bytes / 0.8) };
  bench.sealer.work();
  expect(bench.spool.waiting()).toHaveLength(1);
  bench.limits = { ...bench.limits, limitBytes: Math.floor(bytes / 0.8) - 1 };
  bench.sealer.work();
  expect(bench.spool.waiting()).toEqual([]);
});

it('seals all at the end, whatever the power', async () => {
  const bench = workbench('battery');
  for (const n of [1, 2, 3]) addClosed(bench.spool, n);
  await bench.sealer.sealAll();
  expect(bench.spool.sealedSegments()).toHaveLength(3);
});

it('takes the time for the smallest file on mains power only, not for a large journal, and not when it must end', async () => {
  const bench = workbench('ac');
  const codecOf = (n: number): string =>
    readSegment(readFileSync(join(bench.stateDir, 'sealed', `${segmentId(n)}.tlm`))).header.codec;
  addClosed(bench.spool, 1, 2000);
  addClosed(bench.spool, 2, 300_000);
  bench.sealer.work();
  expect([1, 2].map(codecOf)).toEqual(['columns-mix', 'columns-brotli']);
  bench.power = 'battery';
  addClosed(bench.spool, 3, 2000);
  bench.sealer.work();
  bench.timers.run(2 * HOUR_MS);
  bench.power = 'ac';
  addClosed(bench.spool, 4, 2000);
  await bench.sealer.sealAll();
  expect([3, 4].map(codecOf)).toEqual(['columns-brotli', 'columns-brotli']);
});

it('drops a journal that holds nothing and records nothing of it', () => {
  const bench = workbench();
  addClosed(bench.spool, 1, 0);
  bench.sealer.work();
  expect(bench.spool.stats().segments).toBe(0);
  expect(bench.facts).toEqual([]);
});

it('sets a damaged journal aside, records that, and goes on with the next', () => {
  const bench = workbench();
  const id = addClosed(bench.spool, 1);
  addClosed(bench.spool, 2);
  writeFileSync(join(bench.stateDir, 'journal', `${id}.closed.tlm`), 'no segment at all');
  bench.sealer.work();
  expect(bench.facts).toMatchObject([
    { type: 'quarantined', segment: id },
    { type: 'captured', segment: segmentId(2) },
  ]);
  expect(readdirSync(join(bench.stateDir, 'quarantine'))).toEqual([`${id}.tlm`]);
});

it('keeps a journal that the disk does not let it seal, and tries again', () => {
  const bench = workbench();
  const id = addClosed(bench.spool, 1);
  // The temporary file of the sealed one cannot replace a folder.
  const target = join(bench.stateDir, 'sealed', `${id}.tlm`);
  blockPath(target);
  bench.sealer.work();
  expect(bench.spool.waiting()).toEqual([id]);
  expect(bench.facts).toEqual([]);
  expect(bench.lines.join()).toContain('could not seal a segment');
  unblockPath(target);
  bench.sealer.work();
  expect(bench.facts).toMatchObject([{ type: 'captured', segment: id }]);
});

it('enforces the limits after sealing and records what they cost', () => {
  const bench = workbench();
  for (const n of [1, 2, 3]) addClosed(bench.spool, n);
  bench.sealer.work();
  const sizes = bench.spool.sealedSegments().map(({ sizeBytes }) => sizeBytes);
  bench.facts.length = 0;
  bench.limits = { ...bench.limits, limitBytes: bench.spool.stats().bytes - 1 };
  bench.sealer.enforceLimits();
  expect(bench.facts).toEqual([
    { type: 'dropped', segment: segmentId(1), bytes: sizes[0], events: 20, cause: 'quota' },
  ]);
  bench.facts.length = 0;
  bench.clock.advance(8 * DAY_MS);
  bench.sealer.enforceLimits();
  expect(bench.facts).toMatchObject([
    { type: 'dropped', segment: segmentId(2), cause: 'retention' },
    { type: 'dropped', segment: segmentId(3), cause: 'retention' },
  ]);
  const { changes } = bench;
  bench.sealer.enforceLimits();
  expect(bench.changes).toBe(changes);
});

it('survives a file that cannot be deleted', () => {
  const bench = workbench();
  const id = addClosed(bench.spool, 1);
  bench.sealer.work();
  bench.facts.length = 0;
  blockPath(join(bench.stateDir, 'sealed', `${id}.tlm`));
  bench.limits = { ...bench.limits, limitBytes: 0 };
  bench.sealer.enforceLimits();
  expect(bench.facts).toEqual([]);
  expect(bench.lines.join()).toContain('could not delete what the limits want gone');
});

/** Puts a folder in the place of a file: it can be neither replaced by a file nor unlinked as one. */
function blockPath(path: string): void {
  rmSync(path, { force: true });
  mkdirSync(path);
}

function unblockPath(path: string): void {
  rmSync(path, { recursive: true });
}
