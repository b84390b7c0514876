import { TelemetryError } from '../core/errors.ts';
import type { Admission } from './admission.ts';
import type { Catalog, SegmentRecord } from './catalog.ts';
import type { KeyedQueue } from './keyed-queue.ts';
import { BodyError, MeasuredBody } from './measured-body.ts';
import { type ObjectStore, type StagedObject, StorageFullError } from './object-store.ts';
import { recordFromBytes } from './reconcile.ts';
import type { SegmentKey } from './segment-key.ts';

/** A request to keep a segment. */
export interface PutRequest {
  readonly key: SegmentKey;
  /** Hex SHA-256 the sender claims. */
  readonly sha256: string;
  /** `Content-Length`; `null` for a chunked body. */
  readonly declaredBytes: number | null;
  /** Hash of the last entry of the device's ledger; `null` when none came. */
  readonly ledgerHead: string | null;
  /** Called only once the body is wanted. */
  readonly openBody: () => AsyncIterable<Uint8Array>;
}

/** What became of it. Only after `created` and `present` may the sender forget its copy. */
export type PutOutcome =
  | { readonly kind: 'created'; readonly record: SegmentRecord }
  | { readonly kind: 'present'; readonly record: SegmentRecord }
  /** Another content stands under this id. */
  | { readonly kind: 'conflict'; readonly record: SegmentRecord }
  /** The person had it erased: it is never taken again. */
  | { readonly kind: 'erased' }
  /** All places for bodies are taken; the body was not read. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'too-large' | 'empty' | 'aborted' | 'wrong-length' }
  /** `sha256` is of what arrived. */
  | { readonly kind: 'wrong-digest'; readonly sha256: string };

/** What keeping a segment needs. */
export interface SegmentKeeper {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly admission: Admission;
  readonly queue: KeyedQueue;
  readonly wallMs: () => number;
  readonly maxSegmentBytes: number;
}

/**
 * Keeps a segment: object first, row second, each durable before the next and before the answer. What is already known
 * (kept, in conflict, too large by its own word) is answered before the body is read.
 */
export async function putSegment(request: PutRequest, keeper: SegmentKeeper): Promise<PutOutcome> {
  if ((request.declaredBytes ?? 0) > keeper.maxSegmentBytes) return { kind: 'too-large' };
  if (await keeper.catalog.isErased(request.key)) return { kind: 'erased' };
  const record = await keeper.catalog.find(request.key);
  if (record !== null && record.sha256 !== request.sha256) return { kind: 'conflict', record };
  // A row whose object someone has taken away promises nothing: then the body is taken again.
  if (record !== null && (await keeper.store.describe(request.key))?.sizeBytes === record.sizeBytes) {
    return { kind: 'present', record };
  }
  if (!keeper.admission.enter()) return { kind: 'busy' };
  try {
    return await receive(request, keeper);
  } finally {
    keeper.admission.leave();
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
    const { ledgerHead } = request;
    const record: SegmentRecord = {
      ...request.key,
      sizeBytes,
      sha256,
      receivedAtMs: keeper.wallMs(),
      ...(ledgerHead === null ? {} : { ledgerHead }),
    };
    // One at a time per id, so that taking back an object never takes it from another's row.
    const name = `${record.device}/${record.segment}`;
    return await keeper.queue.run(name, () => commit(record, staged, keeper));
  } finally {
    await staged.discard();
  }
}

async function commit(
  record: SegmentRecord,
  staged: StagedObject,
  keeper: SegmentKeeper,
): Promise<PutOutcome> {
  const { catalog, wallMs } = keeper;
  // It may have been erased while its body came.
  if ((await catalog.announce(record, wallMs())) === 'erased') return { kind: 'erased' };
  if ((await staged.publish()) === 'exists') return alreadyPublished(record, keeper);
  return addRow(record, { kind: 'created', record }, keeper);
}

/** Compares with the bytes that stand there, not with their row: a damaged file must never be answered for. */
async function alreadyPublished(record: SegmentRecord, keeper: SegmentKeeper): Promise<PutOutcome> {
  const standing = await recordFromBytes(keeper.store, record);
  if (standing === null) {
    if (await keeper.catalog.isErased(record)) return { kind: 'erased' };
    throw new TelemetryError('unavailable', 'the stored segment went away while it was compared', {
      op: 'compare segments',
      hint: 'send it again',
      retryable: true,
    });
  }
  const kind = standing.sha256 === record.sha256 ? 'present' : 'conflict';
  return addRow(standing, { kind, record: standing }, keeper);
}

async function addRow(
  record: SegmentRecord,
  outcome: PutOutcome,
  { store, catalog }: SegmentKeeper,
): Promise<PutOutcome> {
  try {
    if ((await catalog.add(record)) !== 'erased') return outcome;
  } catch (error) {
    // Only this error says for certain that no row was added; after any other the object stays, to be adopted. So it does
    // where another collector may have added one.
    if (error instanceof StorageFullError && outcome.kind === 'created' && !store.isShared)
      await store.remove(record);
    throw error;
  }
  // Another collector erased it meanwhile, and found no object yet.
  await store.remove(record);
  return { kind: 'erased' };
}
