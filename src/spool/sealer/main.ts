import { EXIT, messageOf, TelemetryError } from '../../core/errors.ts';
import { encryptFor, newIdentity } from '../../segment/age-file.ts';
import { sealSegment } from '../../segment/seal.ts';
import { openJournal } from '../../segment/sealed-frames.ts';
import { DiskError } from '../disk-error.ts';
import { writeFacts } from '../facts-file.ts';
import type { FileSystem } from '../file-system.ts';
import { fileSystemNode } from '../file-system-node.ts';
import { segmentPath } from '../folders.ts';
import { endCrashedJournal, isWorthKeeping, readJournal } from '../journal-file.ts';
import { sealedFacts, writeSealed } from '../sealed-file.ts';
import type { SealResult } from '../sealing.ts';
import { cutFile } from './cut-file.ts';
import type { CutResult } from './cut-result.ts';
import { parseOrder, type SealAnswer, type SealOrder } from './order.ts';

/** An order is a few hundred bytes; twenty recipients make it some thousand. */
const MAX_ORDER_BYTES = 64 * 1024;

/**
 * The sealing program: it lives for one order, so that neither the age library nor the work of packing a segment stays
 * in the daemon. Reads the order from `input`, writes the answer; the exit code is 0 when there is one.
 */
export async function runSealer(
  input: AsyncIterable<unknown>,
  write: (text: string) => void,
): Promise<number> {
  let answer: SealAnswer;
  try {
    answer = await carryOut(parseOrder(JSON.parse(await readOrder(input))));
  } catch (error) {
    answer = { type: 'failed', message: messageOf(error), isDisk: error instanceof DiskError };
  }
  write(`${JSON.stringify(answer)}\n`);
  return EXIT.ok;
}

async function readOrder(input: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of input) {
    const buffer = Buffer.from(part as Uint8Array);
    bytes += buffer.length;
    if (bytes > MAX_ORDER_BYTES) throw new Error('the order is too large');
    parts.push(buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function carryOut(order: SealOrder): Promise<SealAnswer> {
  switch (order.type) {
    case 'wrap': {
      const wrapped = await encryptFor(order.recipients, Buffer.from(order.key, 'base64'));
      return { type: 'wrapped', wrapped: Buffer.from(wrapped).toString('base64') };
    }
    case 'seal': {
      const cutKey = order.hasCutKey ? await newIdentity() : null;
      const recipients = [...order.recipients, ...(cutKey === null ? [] : [cutKey.recipient])];
      const result = await sealEncrypted({ ...order, recipients }, Buffer.from(order.key, 'base64'));
      return { type: 'done', result, cutIdentity: cutKey?.identity ?? null };
    }
    case 'cut': {
      const cutKey = order.hasCutKey ? await newIdentity() : null;
      const result = await cut(order, cutKey === null ? [] : [cutKey.recipient]);
      return { type: 'cut', result, cutIdentity: cutKey?.identity ?? null };
    }
  }
}

function cut(order: SealOrder & { type: 'cut' }, more: readonly string[]): Promise<CutResult> {
  const { stateDir, identity, key, recipients } = order;
  return cutFile({
    ...order,
    identities: identity === '' ? [] : [identity],
    journalKey: key === '' ? null : Buffer.from(key, 'base64'),
    recipientsOf: () => (recipients.length === 0 ? [] : [...recipients, ...more]),
    place: (facts, isAge) => {
      if (isAge) writeFacts(stateDir, facts);
      return segmentPath(stateDir, 'sealed', facts.id, isAge ? 'age' : 'plain');
    },
  });
}

/** Seals an encrypted journal. The facts go first: a segment that stands in `sealed/` always has them. The daemon removes the journal. */
export async function sealEncrypted(
  order: SealOrder & { type: 'seal' },
  key: Uint8Array,
  files: FileSystem = fileSystemNode,
): Promise<SealResult> {
  const { id, stateDir, recipients, path, isCrashed, effort } = order;
  try {
    const bytes = readJournal(path, files);
    if (bytes.length === 0) return { kind: 'empty', id };
    const { journal } = openJournal(bytes, key);
    const whole = isCrashed ? endCrashedJournal(journal) : journal;
    const sealed = sealSegment(whole, effort).bytes;
    const plainFacts = sealedFacts(sealed);
    if (plainFacts.events === 0 && !isWorthKeeping(journal)) return { kind: 'empty', id };
    if (plainFacts.id !== id) throw new TelemetryError('bad-segment', 'its id is not the one of its name');
    const file = await encryptFor(recipients, sealed);
    const facts = { ...plainFacts, sizeBytes: file.length };
    writeFacts(stateDir, facts, files);
    writeSealed(segmentPath(stateDir, 'sealed', id, 'age'), file, files);
    return { kind: 'sealed', facts };
  } catch (error) {
    if (!(error instanceof TelemetryError) || error.code !== 'bad-segment') throw error;
    return { kind: 'quarantined', id, why: messageOf(error) };
  }
}
