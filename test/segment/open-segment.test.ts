import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import type { EventRecord } from '../../src/core/events.ts';
import { encryptFor, newIdentity } from '../../src/segment/age-file.ts';
import { encodeBlock } from '../../src/segment/block.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { encodeClockSync, encodeGap, encodeLoss } from '../../src/segment/marks.ts';
import { isEncryptedSegment, openSegment } from '../../src/segment/open-segment.ts';
import { readSegment } from '../../src/segment/read.ts';
import { eventRecords } from '../../src/segment/records.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { FrameSealer } from '../../src/segment/sealed-frames.ts';
import { columnsOf, concat, deskRows, HEADER } from './samples.ts';

const owner = await newIdentity();
const team = await newIdentity();
const stranger = await newIdentity();
const recipients = [owner.recipient, team.recipient];

const rows = deskRows(500);
const frames = [
  encodeBlock(columnsOf(rows), 0, 300),
  encodeGap({ kind: 'asleep', startMonoMs: 7000, endMonoMs: 9000 }),
  encodeClockSync({ monoMs: rows[300]?.[0] ?? 0, wallMs: 1_760_000_900_000 }),
  encodeLoss({ thinned: 3, redacted: 2, dropped: 1 }),
  encodeBlock(columnsOf(rows), 300, 500),
];
const journal = concat(encodeHeader(HEADER), ...frames);
const sealed = sealSegment(journal).bytes;

async function encryptedJournal(): Promise<Uint8Array> {
  const key = randomBytes(32);
  const header = encodeHeader({ ...HEADER, wrappedKey: await encryptFor(recipients, key) });
  const sealer = new FrameSealer(key, header);
  return concat(header, ...frames.map((frame) => sealer.seal(frame)));
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'opened';
  } catch (error) {
    if (error instanceof TelemetryError) return error.code;
    throw error;
  }
}

describe('openSegment', () => {
  it.each([
    ['a sealed file', () => sealed, false],
    ['a journal', () => journal, false],
    ['an encrypted sealed file', () => encryptFor(recipients, sealed), true],
    ['an encrypted journal', encryptedJournal, true],
  ] as const)('gives all that is in %s', async (_, make, isEncrypted) => {
    const bytes = await make();
    for (const { identity } of [owner, team]) {
      const segment = await openSegment(bytes, { identities: [identity] });
      const plain = readSegment(segment.footer === null ? journal : sealed);
      expect(segment).toMatchObject({ ...plain, isEncrypted, tornBytes: 0 });
      expect(segment.gaps).toEqual([{ kind: 'asleep', startMonoMs: 7000, endMonoMs: 9000 }]);
      expect(segment.loss).toEqual({ thinned: 3, redacted: 2, dropped: 1 });
      expect([...segment.events()]).toEqual([...eventRecords(plain)]);
    }
    expect(isEncryptedSegment(bytes)).toBe(isEncrypted);
  });

  it('gives the same times for all events at once as one by one, over a step of the clock', async () => {
    const segment = await openSegment(sealed);
    const times = segment.wallTimes();
    expect([...times]).toEqual([...segment.events()].map(({ t }) => t));
    expect(times[300]).toBe(1_760_000_900_000);
    expect(times[0]).toBe(HEADER.startWallMs + (rows[0]?.[0] ?? 0) - HEADER.originMonoMs);
  });

  it('gives events that can be a stream', async () => {
    const { events } = await openSegment(sealed);
    const moves = await Readable.from(events())
      .filter(({ kind }: EventRecord) => kind === 'move')
      .toArray();
    expect(moves.length).toBe(rows.filter(([, kind]) => kind === 0).length);
  });

  it('says how much of a torn encrypted journal is whole', async () => {
    const whole = await encryptedJournal();
    const identities = [owner.identity];
    const torn = await openSegment(whole.subarray(0, whole.length - 1), { identities });
    expect(torn.columns.count).toBe(300);
    expect(torn.tornBytes).toBeGreaterThan(0);
    const followed = await openSegment(concat(whole, Uint8Array.of(1, 2, 3)), { identities });
    expect({ count: followed.columns.count, tornBytes: followed.tornBytes }).toEqual({
      count: 500,
      tornBytes: 3,
    });
  });

  it('opens nothing that is encrypted for others', async () => {
    for (const bytes of [await encryptFor(recipients, sealed), await encryptedJournal()]) {
      expect(await codeOf(openSegment(bytes))).toBe('not-permitted');
      expect(await codeOf(openSegment(bytes, { identities: [stranger.identity] }))).toBe('not-permitted');
    }
  });

  it('opens nothing that is damaged, or that is right as an age file and wrong inside', async () => {
    const identities = [owner.identity];
    const cut = sealed.subarray(0, sealed.length - 1);
    const wrong = [
      cut,
      await encryptFor(recipients, cut),
      await encryptFor(recipients, new Uint8Array()),
      await encryptFor(recipients, await encryptFor(recipients, sealed)),
      await encryptFor(recipients, new Uint8Array(13 * 1024 * 1024)),
      new Uint8Array(),
      new TextEncoder().encode('age-encryption.org/v1\n'),
    ];
    for (const bytes of wrong) expect(await codeOf(openSegment(bytes, { identities }))).toBe('bad-segment');
  });

  it('believes no journal whose key is of a wrong length, no age file, or another one’s', async () => {
    const identities = [owner.identity];
    const frame = frames[0] ?? new Uint8Array();
    const seal = (header: Uint8Array, key: Uint8Array): Uint8Array =>
      concat(header, new FrameSealer(key, header).seal(frame));
    const keys = [
      await encryptFor(recipients, randomBytes(31)),
      await encryptFor(recipients, randomBytes(33)),
      randomBytes(300),
      new Uint8Array(),
      await encryptFor(recipients, randomBytes(32)),
    ];
    for (const wrappedKey of keys) {
      const bytes = seal(encodeHeader({ ...HEADER, wrappedKey }), randomBytes(32));
      expect(isEncryptedSegment(bytes)).toBe(true);
      expect(await codeOf(openSegment(bytes, { identities }))).toBe('bad-segment');
    }
  });

  it('holds to the limits it is given', async () => {
    const limits = { maxEvents: 499, maxBodyBytes: 1_000_000, maxFrames: 100 };
    const file = await encryptFor(recipients, sealed);
    expect(await codeOf(openSegment(file, { identities: [owner.identity], limits }))).toBe('bad-segment');
    expect(await codeOf(openSegment(sealed, { limits: { ...limits, maxEvents: 500 } }))).toBe('opened');
  });

  it('takes what is no segment for not encrypted', () => {
    for (const bytes of [new Uint8Array(), sealed.subarray(0, 20), randomBytes(100)]) {
      expect(isEncryptedSegment(bytes)).toBe(false);
    }
  });
});
