import type { Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { LedgerFact } from '../privacy/ledger-entry.ts';
import type { Device } from '../spool/device-file.ts';
import type { Spool } from '../spool/spool.ts';
import type { Recordings } from './exemption-keeper.ts';
import type { Recorder } from './recorder.ts';
import { droppedFact, type Sealer } from './sealer.ts';
import type { SegmentEncryption } from './segment-encryption.ts';

export interface RecordingParts {
  readonly log: Log;
  readonly device: () => Device;
  readonly spool: Spool;
  readonly recorder: Recorder;
  readonly sealer: Sealer;
  readonly encryption: SegmentEncryption;
  readonly record: (facts: readonly LedgerFact[]) => void;
}

/** What the daemon has recorded, as far as exemptions concern themselves with it. */
export function exemptRecordings(parts: RecordingParts): Recordings {
  const { log, device, spool, recorder, sealer, encryption, record } = parts;
  return {
    roll: () => recorder.roll(),
    leastSequence: () => recorder.leastSequence(device().nextSequence),
    forgetPending: () => recorder.forgetPending(),
    delete: (covers) => {
      try {
        const { dropped, left } = spool.deleteCovered(covers, (id) => sealer.isUnderway(id));
        for (const { id } of dropped) encryption.forget(id);
        record(dropped.map(droppedFact));
        return left === 0;
      } catch (error) {
        // Tried again when something is sealed next, and at the next start; until then it cannot leave.
        log.error(
          { event: 'exempt-recording-not-deleted', err: messageOf(error) },
          'what was recorded of an exempt time could not be deleted',
        );
        return false;
      }
    },
  };
}
