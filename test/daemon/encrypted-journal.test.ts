import { join } from 'node:path';
import process from 'node:process';
import { expect, it, onTestFinished } from 'vitest';
import { NODE_FLAGS } from '../../src/core/node-flags.ts';
import { CutKeys } from '../../src/daemon/cut-keys.ts';
import { SegmentEncryption } from '../../src/daemon/segment-encryption.ts';
import { decryptWith, newIdentity } from '../../src/segment/age-file.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { readSegment } from '../../src/segment/read.ts';
import { FrameSealer, openJournal } from '../../src/segment/sealed-frames.ts';
import { writeDurably } from '../../src/spool/durable-file.ts';
import type { FileSystem } from '../../src/spool/file-system.ts';
import { fileSystemNode } from '../../src/spool/file-system-node.ts';
import { ensureStages } from '../../src/spool/folders.ts';
import { KeyFolder } from '../../src/spool/key-folder.ts';
import { sealEncrypted } from '../../src/spool/sealer/main.ts';
import type { SealOrder } from '../../src/spool/sealer/order.ts';
import { runSealerProcess } from '../../src/spool/sealer-process.ts';
import { Spool } from '../../src/spool/spool.ts';
import { keepingLog } from '../control/reports.ts';
import { ROOT } from '../e2e/desk.ts';
import { MemoryDisk } from '../spool/memory-disk.ts';
import { movesBlock, sampleHeader, segmentId } from '../spool/samples.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { HandClock, HandTimers } from './hand-clock.ts';

const owner = await newIdentity();
const KEY = new Uint8Array(32).fill(7);
const BLOCKS = 3;

/** The n-th encrypted journal, of blocks of 3 events, and where its header and each of its blocks end. */
function encryptedJournal(n: number): { bytes: Uint8Array; ends: number[] } {
  const header = encodeHeader({ ...sampleHeader(n), wrappedKey: Uint8Array.of(1) });
  const sealer = new FrameSealer(KEY, header);
  const parts = [header];
  for (let i = 0; i < BLOCKS; i++) parts.push(sealer.seal(movesBlock(n, 3, i * 100, i * 3)));
  let end = 0;
  return { bytes: Buffer.concat(parts), ends: parts.map((part) => (end += part.length)) };
}

type Seal = (order: SealOrder) => ReturnType<typeof runSealerProcess>;

/** A spool that was killed at each of these bytes of a journal, in the journal of that number. */
function killedAt(offsets: readonly number[], stateDir: string, files: FileSystem) {
  ensureStages(stateDir, files);
  for (const n of offsets) {
    writeDurably(
      join(stateDir, 'journal', `${segmentId(n)}.tlm`),
      encryptedJournal(n).bytes.subarray(0, n),
      files,
    );
  }
  const spool = new Spool(stateDir, files);
  onTestFinished(() => spool.stop());
  return { stateDir, spool, report: spool.recover() };
}

/** What the daemon does with waiting journals; their keys are where the killed one left them, unless power was lost. */
async function sealAll({ stateDir, spool }: ReturnType<typeof killedAt>, hasKeys: boolean, seal: Seal) {
  const keys = new KeyFolder(null);
  for (const id of spool.waiting()) if (hasKeys) keys.put(id, KEY);
  const encryption = new SegmentEncryption({
    log: keepingLog().log,
    randomBytes: (size) => new Uint8Array(size),
    spool,
    stateDir,
    keys,
    cutKeys: noCutKeys(),
    recipients: () => null,
    recipientsOf: () => [owner.recipient],
    seal,
  });
  for (const id of spool.waiting()) await encryption.sealJournal(id, 'quick');
}

/** Nothing is held back, so there are none. */
function noCutKeys(): CutKeys {
  const clock = new HandClock();
  return new CutKeys({ clock, timers: new HandTimers(clock), keyFolder: null, holdBackMs: () => 0 });
}

/** The sealing program's work without its process, which adds nothing to it. */
function sealIn(files: FileSystem): Seal {
  return async (order) => {
    if (order.type !== 'seal') throw new Error('no key is needed here');
    return { type: 'done', result: await sealEncrypted(order, KEY, files), cutIdentity: null };
  };
}

const { ends, bytes: longest } = encryptedJournal(1);
const everyByte = Array.from({ length: longest.length + 1 }, (_, n) => n);
/** Blocks that are whole in the n-th journal, which was cut at its n-th byte. */
const wholeBlocks = (n: number) =>
  encryptedJournal(n)
    .ends.slice(1)
    .filter((end) => end <= n).length;

it('torn at any byte, with its key, keeps all its complete blocks and says that it crashed', async () => {
  const disk = new MemoryDisk();
  const killed = killedAt(everyByte, '/state', disk);
  expect(killed.report.problems).toEqual([]);
  await sealAll(killed, true, sealIn(disk));
  const sealed = new Map(killed.spool.sealedSegments().map((facts) => [facts.id, facts]));
  for (const n of everyByte) {
    const facts = sealed.get(segmentId(n));
    if (wholeBlocks(n) === 0) {
      expect(facts).toBeUndefined();
      continue;
    }
    const file = disk.bytes(join(killed.stateDir, 'sealed', `${segmentId(n)}.tlm.age`));
    const { columns, gaps } = readSegment(await decryptWith([owner.identity], file));
    expect(columns.count).toBe(wholeBlocks(n) * 3);
    expect(facts).toMatchObject({ events: columns.count, sizeBytes: file.length });
    const last = columns.t[columns.count - 1] ?? 0;
    expect(gaps).toEqual([{ kind: 'crashed', startMonoMs: last, endMonoMs: last }]);
  }
  expect(killed.spool.waiting()).toEqual([]);
});

it('torn at any byte, without its key, is kept as it is up to its last complete block', async () => {
  const disk = new MemoryDisk();
  const killed = killedAt(everyByte, '/state', disk);
  await sealAll(killed, false, sealIn(disk));
  const sealed = new Set(killed.spool.sealedSegments().map(({ id }) => id));
  for (const n of everyByte) {
    expect(sealed.has(segmentId(n))).toBe(wholeBlocks(n) > 0);
    if (wholeBlocks(n) === 0) continue;
    const file = disk.bytes(join(killed.stateDir, 'sealed', `${segmentId(n)}.tlm`));
    const { journal, tornBytes } = openJournal(file, KEY);
    expect([readSegment(journal).columns.count, tornBytes]).toEqual([wholeBlocks(n) * 3, 0]);
  }
  expect(killed.spool.waiting()).toEqual([]);
});

it('is sealed as well by the program that the daemon starts for it', async () => {
  const [, first = 0, second = 0] = ends;
  // In the middle of the second block, at its end, and one byte into the third.
  const offsets = [first + 9, second, second + 1].map((end) => end + 2);
  const killed = killedAt(offsets, tempFolder(), fileSystemNode);
  const args = [...NODE_FLAGS, join(ROOT, 'dist', 'segment-sealer.js')];
  const program = { execPath: process.execPath, args, env: {}, timeoutMs: 60_000 };
  await sealAll(killed, true, (order) => runSealerProcess(order, program));
  const events = killed.spool.sealedSegments().map((facts) => facts.events);
  expect(events).toEqual(offsets.map((n) => wholeBlocks(n) * 3));
  expect(new Set(events)).toEqual(new Set([3, 6]));
});
