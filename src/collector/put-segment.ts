import { TelemetryError } from '../core/errors.ts';
import type { Admission } from './admission.ts';
import type { AddOutcome, Catalog, SegmentRecord } from './catalog.ts';
import type { ErasureLog } from './erasure-log.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { BodyError, MeasuredBody } from './measured-body.ts';
import { type ObjectStore, type StagedObject, StorageFullError } from './object-store.ts';
import { recordFromBytes } from './reconcile.ts';
import { factsOfRecord, type ToldFacts } from './segment-facts.ts';
import { nameOf, type SegmentKey } from './segment-key.ts';
import type { UseBook } from './use-book.ts';

/** A request to keep a segment. */
export interface PutRequest {
  readonly key: SegmentKey;
  /** Hex SHA-256 the sender claims. */
  readonly sha256: string;
  /** `Content-Length`; `null` for a chunked body. */
  readonly declaredBytes: number | null;
  /** Hash of the last entry of the device's ledger; `null` when none came. */
  readonly ledgerHead: string | null;
  readonly told: ToldFacts;
  /** Called only once the body is wanted. */
  readonly openBody: () => AsyncIterable<Uint8Array>;
}

/** What became of it. Only after `created` and `present` may the sender forget its copy. */
export type PutOutcome =
  | { readonly kind: 'created'; readonly record: SegmentRecord }
  | { readonly kind: 'present'; readonly record: SegmentRecord }
  /** Another content stands under this id. */
  | { readonly kind: 'conflict'; readonly record: SegmentRecord }
  /** The person had it erased, or its time is over: it is never taken again. */
  | { readonly kind: 'erased' }
  /** The person took back the consent it was recorded under. */
  | { readonly kind: 'withdrawn' }
  /** All places for bodies are taken; the body was not read. */
  | { readonly kind: 'busy'; readonly retryAfterSeconds: number }
  | { readonly kind: 'too-large' | 'empty' | 'aborted' | 'wrong-length' }
  /** `sha256` is of what arrived. */
  | { readonly kind: 'wrong-digest'; readonly sha256: string };

/** What keeping a segment needs. */
export interface SegmentKeeper {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly admission: Admission;
  readonly queue: KeyedQueue;
  readonly use: Pick<UseBook, 'isWithdrawn'>;
  readonly wallMs: () => number;
  readonly maxSegmentBytes: number;
  /** `null`: there is none. */
  readonly erasureLog: ErasureLog | null;
  /** How long anything is kept here at most. */
  readonly retentionMs: number;
}

/**
 * Keeps a segment: object first, row second, each durable before the next and before the answer. What is already known
 * (kept, in conflict, too large by its own word) is answered before the body is read.
 */
export async function putSegment(request: PutRequest, keeper: SegmentKeeper): Promise<PutOutcome> {
  if ((request.declaredBytes ?? 0) > keeper.maxSegmentBytes) return { kind: 'too-large' };
  if (await keeper.catalog.isErased(request.key)) return { kind: 'erased' };
  if (await isWithdrawn(request, keeper)) return { kind: 'withdrawn' };
  const record = await keeper.catalog.find(request.key);
  if (record !== null && record.sha256 !== request.sha256) return { kind: 'conflict', record };
  // A row whose object someone has taken away promises nothing: then the body is taken again.
  if (record !== null && (await keeper.store.describe(request.key))?.sizeBytes === record.sizeBytes) {
    const facts = factsOfRecord(request.told, record.receivedAtMs, keeper.retentionMs);
    return { kind: 'present', record: (await keeper.catalog.complete(record, facts)) ?? record };
  }
  const { device } = request.key;
  const entry = keeper.admission.enter(device);
  if (entry !== 'in') return { kind: 'busy', retryAfterSeconds: entry };
  try {
    return await receive(request, keeper);
  } finally {
    keeper.admission.leave(device);
  }
}

async function receive(request: PutRequest, keeper: SegmentKeeper): Promise<PutOutcome> {
  const body = new MeasuredBody(request.openBody(), keeper.maxSegmentBytes);
  let staged: StagedObject;
  try {
    staged = await keeper.store.stage(request.key, body);
  } catch (error) {
    if (error instanceof BodyError) return { kind: error.reason };
    throw error;
  }
  try {
    const { sizeBytes } = body;
    if (request.declaredBytes !== null && request.declaredBytes !== sizeBytes)
      return { kind: 'wrong-length' };
    if (sizeBytes === 0) return { kind: 'empty' };
    const sha256 = body.sha256();
    if (sha256 !== request.sha256) return { kind: 'wrong-digest', sha256 };
    const { ledgerHead, told } = request;
    const receivedAtMs = keeper.wallMs();
    const record: SegmentRecord = {
      ...request.key,
      sizeBytes,
      sha256,
      receivedAtMs,
      ...(ledgerHead === null ? {} : { ledgerHead }),
      ...factsOfRecord(told, receivedAtMs, keeper.retentionMs),
    };
    // One at a time per id, so that taking back an object never takes it from another's row.
    return await keeper.queue.run(nameOf(record), () => commit(record, request, staged, keeper));
  } finally {
    await staged.discard();
  }
}

async function commit(
  record: SegmentRecord,
  request: PutRequest,
  staged: StagedObject,
  keeper: SegmentKeeper,
): Promise<PutOutcome> {
  const { catalog, wallMs } = keeper;
  // It may have been erased, or its consent withdrawn, while its body came.
  if (await isWithdrawn(request, keeper)) return { kind: 'withdrawn' };
  if ((await catalog.announce(record, wallMs())) === 'erased') return { kind: 'erased' };
  if ((await staged.publish()) === 'exists') return alreadyPublished(record, keeper);
  const added = await addRow(record, keeper, 'published');
  return added === 'erased' ? { kind: 'erased' } : { kind: 'created', record };
}

/** Compares with the bytes that stand there, not with their row: a damaged file must never be answered for. */
async function alreadyPublished(record: SegmentRecord, keeper: SegmentKeeper): Promise<PutOutcome> {
  const { store, catalog, retentionMs } = keeper;
  const standing = await recordFromBytes(store, record);
  if (standing === null) {
    // Another collector may just have erased it.
    if (await catalog.isErased(record)) return { kind: 'erased' };
    throw new TelemetryError('unavailable', 'the stored segment went away while it was compared', {
      op: 'compare segments',
      hint: 'send it again',
      retryable: true,
    });
  }
  const isSame = standing.sha256 === record.sha256;
  const { expiresAtMs, sequence, receipt } = record;
  const facts = {
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(receipt === undefined ? {} : { receipt }),
  };
  const latest = { expiresAtMs: standing.receivedAtMs + retentionMs };
  const known = { ...standing, ...(isSame ? facts : latest) };
  const added = await addRow(known, keeper, 'found');
  if (added === 'erased') return { kind: 'erased' };
  if (!isSame) return { kind: 'conflict', record: standing };
  const isNew = added === 'added';
  return { kind: 'present', record: isNew ? known : ((await catalog.complete(standing, facts)) ?? known) };
}

/** Adds the row of an object that was published here, or found. */
async function addRow(
  record: SegmentRecord,
  { store, catalog }: SegmentKeeper,
  how: 'published' | 'found',
): Promise<AddOutcome> {
  try {
    const outcome = await catalog.add(record);
    // Another collector erased it meanwhile, and found no object yet.
    if (outcome === 'erased') await store.remove(record);
    return outcome;
  } catch (error) {
    // Only this error says for certain that no row was added; after any other the object stays, to be adopted. So it does
    // where another collector may have added one.
    if (error instanceof StorageFullError && how === 'published' && !store.isShared)
      await store.remove(record);
    throw error;
  }
}

function isWithdrawn({ key, told }: PutRequest, { use }: SegmentKeeper): Promise<boolean> {
  return told.receipt === undefined ? Promise.resolve(false) : use.isWithdrawn(key.device, told.receipt);
}
