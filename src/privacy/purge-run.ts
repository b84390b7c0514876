import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ErasureRequest,
  fromOf,
  type PurgedSegment,
  type PurgeReceipt,
  type PurgeScope,
} from '../core/purge.ts';
import { removeFile, removeTempFiles } from '../spool/durable-file.ts';
import { STAGES } from '../spool/folders.ts';
import { derivedUuid } from '../spool/identifiers.ts';
import { type PurgeIntent, removePurgeIntent, writePurgeIntent } from '../spool/purge-file.ts';
import type { SealedFacts } from '../spool/sealed-file.ts';
import type { CutResult } from '../spool/sealer/cut-result.ts';
import type { StoredSegment } from '../spool/segment-store.ts';
import { readSent } from '../spool/sent-log.ts';
import type { Spool } from '../spool/spool.ts';
import type { LedgerFact } from './ledger-entry.ts';
import { type PurgeTarget, purgeTargets } from './purge-targets.ts';

export interface PurgePorts {
  readonly stateDir: string;
  readonly spool: Spool;
  /**
   * Cuts a segment that straddles the border: what is left is in `sealed/` under `newId` when this resolves. The file
   * itself stays.
   */
  readonly cut: (
    target: PurgeTarget & { readonly segment: StoredSegment },
    newId: string,
    fromWallMs: number,
  ) => Promise<CutResult>;
  /** Keys that lie about for a segment are of no more use. */
  readonly forgetKeys: (id: string) => void;
  /** Asks a collector to erase; the same request again changes nothing. */
  readonly ask: (erasure: ErasureRequest, purgeId: string) => void;
  readonly record: (facts: readonly LedgerFact[]) => void;
}

/** Ids of 38 bytes in a request of at most 64 KiB, with room to spare. */
const REQUEST_SEGMENTS = 500;

/**
 * Purges files, under the state folder's lock, with nothing else at work on them. It is written down first what is to be
 * done, and each step can be repeated: killed anywhere, the same intent is carried out again and finds less to do.
 */
export async function runPurge(
  begun: PurgeIntent,
  eventsInMemory: number,
  ports: PurgePorts,
): Promise<PurgeReceipt> {
  const { stateDir, spool } = ports;
  const targets = findTargets(begun.scope, stateDir, spool);
  const before = begun.found.filter(({ id }) => !targets.some((target) => target.id === id));
  const found = [...before, ...targets.map(expectedOf)];
  const intent = { ...begun, erasures: erasuresFor(targets, begun), found };
  writePurgeIntent(stateDir, intent);
  for (const erasure of intent.erasures) ports.ask(erasure, intent.id);
  const segments: PurgedSegment[] = [...before];
  for (const target of targets) {
    const { purged, facts } = await purgeOne(target, intent, ports);
    if (purged !== null) segments.push(purged);
    if (facts !== null) ports.record([keptFact(facts, target.id)]);
  }
  for (const stage of STAGES) removeTempFiles(join(stateDir, stage));
  removeReports(stateDir);
  const receipt = receiptOf(intent, eventsInMemory, segments);
  ports.record([purgedFact(receipt)]);
  removePurgeIntent(stateDir);
  return receipt;
}

/** Pages made from what was recorded, pictures of the purged time among them; the person can have a new one made. */
function removeReports(stateDir: string): void {
  const folder = join(stateDir, 'reports');
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) removeFile(join(folder, name));
}

/** What will probably be said of it, should nobody be there any more to say it. */
function expectedOf({ id, stage, bytes, events, isWhole }: PurgeTarget): PurgedSegment {
  return { id, stage, bytes, events, outcome: isWhole ? 'deleted' : 'cut', replacement: null };
}

/** What a purge would act on now. */
export function findTargets(scope: PurgeScope, stateDir: string, spool: Spool): PurgeTarget[] {
  return purgeTargets(scope, {
    ...spool.contents(),
    sent: readSent(stateDir),
    writtenAt: (segment) => statSync(spool.pathOf(segment), { throwIfNoEntry: false })?.mtimeMs ?? Infinity,
    offeredTo: (id) => spool.offeredTo(id),
  });
}

/** What became of one; `purged` is `null` when nothing in it happened in that time, `facts` are of what is left. */
interface Purged {
  readonly purged: PurgedSegment | null;
  readonly facts: SealedFacts | null;
}

async function purgeOne(
  target: PurgeTarget,
  intent: PurgeIntent,
  { spool, cut, forgetKeys }: PurgePorts,
): Promise<Purged> {
  const { id, stage, bytes, segment } = target;
  const base = { id, stage, bytes };
  if (target.file !== null) {
    spool.discardQuarantined(target.file);
    return gone({ ...base, outcome: 'deleted', events: null, replacement: null });
  }
  if (target.isWhole || segment === null) {
    spool.discard(id);
    forgetKeys(id);
    const { isWhole, events } = target;
    return gone({ ...base, outcome: isWhole ? 'deleted' : 'whole', events, replacement: null });
  }
  // A journal has never left: what is left of it keeps its id.
  const newId = stage === 'journal' ? id : derivedUuid(id, intent.id);
  const result = await cut({ ...target, segment }, newId, fromOf(intent.scope));
  switch (result.kind) {
    case 'untouched':
      return { purged: null, facts: null };
    case 'cut': {
      spool.adoptCut(id, result.facts, result.isAge);
      if (newId !== id) forgetKeys(id);
      const replacement = newId === id ? null : newId;
      return {
        purged: { ...base, outcome: 'cut', events: result.removed, replacement },
        facts: result.facts,
      };
    }
    case 'emptied':
    case 'closed': {
      spool.discard(id);
      forgetKeys(id);
      const isClosed = result.kind === 'closed';
      const events = isClosed ? target.events : result.removed;
      return gone({ ...base, outcome: isClosed ? 'whole' : 'deleted', events, replacement: null });
    }
  }
}

function gone(purged: PurgedSegment): Purged {
  return { purged, facts: null };
}

function keptFact({ id, sequence, events, sizeBytes }: SealedFacts, of: string): LedgerFact {
  const replaces = id === of ? {} : { replaces: of };
  return { type: 'captured', segment: id, sequence, events, bytes: sizeBytes, ...replaces };
}

/** One request for each destination and so many segments; its id follows from the purge, so that it is asked once. */
function erasuresFor(targets: readonly PurgeTarget[], intent: PurgeIntent): ErasureRequest[] {
  // What an interrupted run had found stands: its files may be gone by now.
  const byDestination = new Map<string, Set<string>>();
  const add = (destination: string, id: string): void => {
    byDestination.set(destination, (byDestination.get(destination) ?? new Set()).add(id));
  };
  for (const { destination, segments } of intent.erasures ?? [])
    for (const id of segments) add(destination, id);
  for (const { destination, id } of targets) if (destination !== null) add(destination, id);
  return [...byDestination].flatMap(([destination, ids]) => {
    const sorted = [...ids].sort();
    const count = Math.ceil(sorted.length / REQUEST_SEGMENTS);
    return Array.from({ length: count }, (_, at) => ({
      request: derivedUuid(intent.id, `${destination} ${at}`),
      destination,
      segments: sorted.slice(at * REQUEST_SEGMENTS, (at + 1) * REQUEST_SEGMENTS),
    }));
  });
}

function receiptOf(
  intent: PurgeIntent & { readonly erasures: readonly ErasureRequest[] },
  eventsInMemory: number,
  segments: readonly PurgedSegment[],
): PurgeReceipt {
  const { id, scope, startedWallMs, erasures } = intent;
  return {
    id,
    at: new Date(startedWallMs).toISOString(),
    scope: scope.kind,
    from: scope.kind === 'last' ? new Date(scope.fromWallMs).toISOString() : null,
    eventsInMemory,
    segments,
    erasures,
  };
}

function purgedFact(receipt: PurgeReceipt): LedgerFact {
  const { id, scope, segments } = receipt;
  return {
    type: 'purged',
    purge: id,
    scope,
    segments: segments.length,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    events: receipt.eventsInMemory + segments.reduce((sum, { events }) => sum + (events ?? 0), 0),
    receipt,
  };
}
