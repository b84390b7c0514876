import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { PurgePlan } from '../control/protocol.ts';
import { type PurgeReceipt, type PurgeScope } from '../core/purge.ts';
import { openLedger } from '../privacy/ledger.ts';
import { findTargets, type PurgePorts, runPurge } from '../privacy/purge-run.ts';
import { openDevice } from '../spool/device-file.ts';
import { writeFacts } from '../spool/facts-file.ts';
import { segmentPath } from '../spool/folders.ts';
import { derivedUuid, timeOrderedUuid } from '../spool/identifiers.ts';
import { findKeyFolder, KeyFolder } from '../spool/key-folder.ts';
import { acquireProcessLock } from '../spool/process-lock.ts';
import { readPurgeIntent, writePurgeIntent } from '../spool/purge-file.ts';
import { tidyStaging } from '../spool/purge-staging.ts';
import { writeRequest } from '../spool/request-files.ts';
import { Spool } from '../spool/spool.ts';
import { restingPlace, restingPlaceToChange } from './daemon.ts';
import type { CliIo } from './io.ts';
import { ownerCutter } from './owner-cut.ts';

/** The files of a daemon that is down, held so that none starts meanwhile. */
export class RestingFiles {
  readonly #io: CliIo;
  readonly #stateDir: string;
  readonly #spool: Spool;
  readonly #release: () => void;

  private constructor(io: CliIo, stateDir: string, spool: Spool, release: () => void) {
    this.#io = io;
    this.#stateDir = stateDir;
    this.#spool = spool;
    this.#release = release;
  }

  /** Brings the files in order, as a daemon does when it starts. Fails when one holds them. */
  static open(io: CliIo): RestingFiles {
    const { stateDir } = restingPlaceToChange(io);
    const lock = acquireProcessLock(stateDir, io.clock.bootId);
    const spool = new Spool(stateDir);
    try {
      spool.recover();
    } catch (error) {
      lock.release();
      throw error;
    }
    return new RestingFiles(io, stateDir, spool, () => {
      spool.stop();
      lock.release();
    });
  }

  close(): void {
    this.#release();
  }

  plan(scope: PurgeScope): PurgePlan {
    const id = timeOrderedUuid(this.#io.clock.now().wallMs, randomBytes);
    return {
      id,
      hasOpenSegment: false,
      segments: findTargets(scope, this.#stateDir, this.#spool).map((target) => ({
        id: target.id,
        stage: target.stage,
        bytes: target.bytes,
        events: target.events,
        isWhole: target.isWhole,
        destination: target.destination,
        path: target.isWhole || target.segment === null ? null : this.#spool.pathOf(target.segment),
        newId: derivedUuid(target.id, id),
      })),
    };
  }

  /** Purges, after a purge that was interrupted. Collectors are asked once a daemon runs again. */
  async purge({ id }: PurgePlan, scope: PurgeScope): Promise<PurgeReceipt> {
    const ledger = openLedger(this.#stateDir, this.#io.clock);
    try {
      const ports = await this.#ports((facts) => ledger.appendEntries(facts));
      const left = readPurgeIntent(this.#stateDir);
      if (left !== null) await runPurge(left, 0, ports);
      const intent = { id, scope, startedWallMs: this.#io.clock.now().wallMs, erasures: null, found: [] };
      writePurgeIntent(this.#stateDir, intent);
      return await runPurge(intent, 0, ports);
    } finally {
      tidyStaging(this.#stateDir);
      ledger.close();
    }
  }

  async #ports(record: PurgePorts['record']): Promise<PurgePorts> {
    const io = this.#io;
    const stateDir = this.#stateDir;
    const spool = this.#spool;
    const device = openDevice(stateDir, randomBytes).pseudonym;
    const cut = await ownerCutter(io, stateDir);
    const { runtimeDir } = restingPlace(io);
    const keys = findKeyFolder(runtimeDir, stateDir, io.around.uid);
    const folders = keys === null ? [] : [new KeyFolder(keys), new KeyFolder(join(keys, 'cut'))];
    return {
      stateDir,
      spool,
      record,
      cut: ({ segment }, newId, fromWallMs) =>
        cut({
          path: spool.pathOf(segment),
          newId,
          fromWallMs,
          place: (facts, isAge) => {
            if (isAge) writeFacts(stateDir, facts);
            return segmentPath(stateDir, 'sealed', newId, isAge ? 'age' : 'plain');
          },
        }),
      forgetKeys: (segment) => {
        for (const folder of folders) folder.destroy(segment);
      },
      ask: ({ request, destination, segments }, purge) => {
        const createdAt = new Date(io.clock.now().wallMs).toISOString();
        const body = { purge, segments };
        writeRequest(stateDir, { id: request, kind: 'deletion', destination, device, body, createdAt });
      },
    };
  }
}
