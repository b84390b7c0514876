import type { CutReport, PurgePlan, PurgeRequest } from '../control/protocol.ts';
import type { Clock, Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import { type ErasureRequest, fromOf, type PurgeReceipt, type PurgeScope } from '../core/purge.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import { findTargets, runPurge } from '../privacy/purge-run.ts';
import type { PurgeTarget } from '../privacy/purge-targets.ts';
import { moveFile } from '../spool/durable-file.ts';
import { writeFacts } from '../spool/facts-file.ts';
import { segmentPath } from '../spool/folders.ts';
import { derivedUuid, type RandomBytes, timeOrderedUuid } from '../spool/identifiers.ts';
import { readPurgeIntent, writePurgeIntent } from '../spool/purge-file.ts';
import { stagedPath, tidyStaging } from '../spool/purge-staging.ts';
import { type CutResult, parseCut } from '../spool/sealer/cut-result.ts';
import type { StoredSegment } from '../spool/segment-store.ts';
import type { Spool } from '../spool/spool.ts';
import type { CollectionDriver } from './collection-driver.ts';
import type { PersonRequests } from './person-requests.ts';
import type { Recorder } from './recorder.ts';
import type { Sealer } from './sealer.ts';
import type { SegmentEncryption } from './segment-encryption.ts';
import type { UploadDriver } from './upload-driver.ts';

export interface PurgerPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly randomBytes: RandomBytes;
  readonly stateDir: string;
  readonly spool: Spool;
  readonly collection: CollectionDriver;
  readonly recorder: Recorder;
  readonly sealer: Sealer;
  readonly encryption: SegmentEncryption;
  readonly upload: UploadDriver;
  readonly requests: PersonRequests;
  readonly record: (facts: readonly LedgerFact[]) => void;
  readonly changed: () => void;
}

/**
 * Purges while the daemon runs: the capture process is replaced by a new one, so that nothing of that time is left in
 * its memory; uploads and sealing stand still; then the files are gone through.
 */
export class Purger {
  readonly #ports: PurgerPorts;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(ports: PurgerPorts) {
    this.#ports = ports;
  }

  /** Before capture begins: finishes a purge that was interrupted. What could not be done stays for the next start. */
  async start(): Promise<void> {
    const { stateDir, log } = this.#ports;
    const intent = readPurgeIntent(stateDir);
    if (intent === null) {
      tidyStaging(stateDir);
      return;
    }
    try {
      log.warn({ event: 'purge-resumed', purge: intent.id }, 'finishing a purge that was interrupted');
      await runPurge(intent, 0, this.#filePorts([]));
      tidyStaging(stateDir);
    } catch (error) {
      log.error(
        { event: 'purge-not-finished', err: messageOf(error) },
        'the interrupted purge could not be finished; the next start tries again',
      );
    }
  }

  /** What a purge of that scope would act on; nothing is changed. */
  plan({ scope }: { readonly scope: PurgeScope }): PurgePlan {
    const { clock, randomBytes, stateDir, spool, recorder } = this.#ports;
    const id = timeOrderedUuid(clock.now().wallMs, randomBytes);
    const targets = findTargets(scope, stateDir, spool);
    return {
      id,
      hasOpenSegment: spool.openSegment !== null || !recorder.isEmpty,
      segments: targets.map((target) => {
        const { id: segment, stage, bytes, events, isWhole, destination } = target;
        const needsOwner = !isWhole && !this.#canCut(target);
        return {
          id: segment,
          stage,
          bytes,
          events,
          isWhole,
          destination,
          path: needsOwner && target.segment !== null ? spool.pathOf(target.segment) : null,
          newId: derivedUuid(segment, id),
        };
      }),
    };
  }

  /** One purge after the other. */
  purge(request: PurgeRequest): Promise<PurgeReceipt> {
    const purged = this.#queue.then(() => this.#purge(request));
    this.#queue = purged.catch(() => undefined);
    return purged;
  }

  /** Resolves when none runs. */
  async whenSettled(): Promise<void> {
    await this.#queue;
  }

  async #purge({ id, scope, cuts }: PurgeRequest): Promise<PurgeReceipt> {
    const { clock, stateDir, collection, recorder, sealer, upload, changed } = this.#ports;
    try {
      await Promise.all([upload.hold(), sealer.hold()]);
      const left = readPurgeIntent(stateDir);
      if (left !== null) await runPurge(left, 0, this.#filePorts([]));
      const intent = { id, scope, startedWallMs: clock.now().wallMs, erasures: null, found: [] };
      writePurgeIntent(stateDir, intent);
      recorder.purgeBegins(fromOf(scope));
      // The process goes with all it holds; what it hands over of that time is not taken.
      collection.send({ type: 'reconfigure' });
      await collection.whenGone();
      const receipt = await runPurge(intent, recorder.purgeEnded(), this.#filePorts(cuts));
      tidyStaging(stateDir);
      return receipt;
    } finally {
      upload.release();
      sealer.release();
      changed();
    }
  }

  #filePorts(cuts: readonly CutReport[]) {
    const { stateDir, spool, encryption, requests, record } = this.#ports;
    return {
      stateDir,
      spool,
      cut: (target: PurgeTarget & { readonly segment: StoredSegment }, newId: string, fromWallMs: number) => {
        const own = cuts.find(({ segment }) => segment === target.id);
        if (own !== undefined) return Promise.resolve(this.#takeCut(own.result, newId));
        const receiptId =
          target.stage === 'journal'
            ? (spool.encryptedJournal(target.id)?.receiptId ?? '')
            : target.receiptId;
        return encryption.cut(target.segment, newId, fromWallMs, receiptId);
      },
      forgetKeys: (segment: string) => encryption.forget(segment),
      ask: ({ request, destination, segments }: ErasureRequest, purge: string) => {
        requests.add({ id: request, kind: 'deletion', destination, body: { purge, segments } });
      },
      record,
    };
  }

  /** What telemetryctl cut with the person's own key lies ready; a file that is not there means that it is not. */
  #takeCut(json: unknown, newId: string): CutResult {
    const result = parseCut(json);
    if (result.kind !== 'cut') return result;
    const { stateDir } = this.#ports;
    const { facts, isAge } = result;
    if (facts.id !== newId) return { kind: 'closed' };
    if (isAge) writeFacts(stateDir, facts);
    const target = segmentPath(stateDir, 'sealed', newId, isAge ? 'age' : 'plain');
    return moveFile(stagedPath(stateDir, newId), target) ? result : { kind: 'closed' };
  }

  #canCut({ segment }: PurgeTarget): boolean {
    return segment === null || this.#ports.encryption.canOpen(segment);
  }
}

/** What an interrupted purge had found, some of which may be gone already. */
export function purgingSegments(stateDir: string): string[] {
  return (readPurgeIntent(stateDir)?.found ?? []).map(({ id }) => id);
}
