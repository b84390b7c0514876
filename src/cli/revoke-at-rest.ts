import { randomBytes } from 'node:crypto';
import { locations } from '../control/locations.ts';
import type { ConsentReply } from '../control/protocol.ts';
import { isLoopbackUrl } from '../core/gate.ts';
import { decodeLastGood } from '../policy/last-good.ts';
import type { ConsentReceipt } from '../privacy/consent.ts';
import { openConsent, revocationPathOf } from '../privacy/consent-file.ts';
import { openLedger } from '../privacy/ledger.ts';
import { makeNotice } from '../privacy/notice.ts';
import { withdrawalsOf } from '../privacy/withdrawal.ts';
import { ENROLMENT_FILE, isEnrolledAt, parseEnrolment } from '../signing/enrolment.ts';
import { openDevice } from '../spool/device-file.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { timeOrderedUuid } from '../spool/identifiers.ts';
import { acquireProcessLock } from '../spool/process-lock.ts';
import { writeRequest } from '../spool/request-files.ts';
import { restingPlaceToChange } from './daemon.ts';
import type { CliIo } from './io.ts';
import { decoded } from './state-files.ts';

/**
 * Revokes consent with the daemon down, on the files that it reads at its start. Fails when a daemon holds them, as one
 * that has just been started.
 */
export function revokeAtRest(io: CliIo): ConsentReply {
  const { stateDir } = restingPlaceToChange(io);
  ensureFolder(stateDir, true);
  const lock = acquireProcessLock(stateDir, io.clock.bootId);
  try {
    const file = openConsent(stateDir, randomBytes, revocationPathOf(locations(io.around).identityPath));
    try {
      askAtNextStart(io, stateDir, file.receipts);
    } finally {
      file.revoke(io.clock.now().wallMs);
    }
    const policy =
      decoded(stateDir, 'policy-last-good.json', decodeLastGood)?.policy ?? file.receipts.at(-1)?.policy;
    const view =
      policy === undefined
        ? ({ state: 'revoked', noticeId: '', receipt: null, changes: [] } as const)
        : file.view({ policy, noticeId: makeNotice(policy).id });
    const ledger = openLedger(stateDir, io.clock);
    const { id: receipt, noticeId: notice } = view.receipt ?? { id: '', noticeId: view.noticeId };
    ledger.appendEntry({ type: 'consent', change: 'revoked', receipt, notice });
    ledger.close();
    return view;
  } finally {
    lock.release();
  }
}

/** Collectors are told once a daemon runs again; those that would never take it are not asked. */
function askAtNextStart(io: CliIo, stateDir: string, receipts: readonly ConsentReceipt[]): void {
  const enrolment = decoded(stateDir, ENROLMENT_FILE, parseEnrolment);
  const { wallMs } = io.clock.now();
  for (const { destination, receipts: ids } of withdrawalsOf(receipts)) {
    const isKnown = enrolment !== undefined && isEnrolledAt(enrolment, destination);
    if (!isLoopbackUrl(destination) && !isKnown) continue;
    writeRequest(stateDir, {
      id: timeOrderedUuid(wallMs, randomBytes),
      kind: 'withdrawal',
      destination,
      device: openDevice(stateDir, randomBytes).pseudonym,
      body: { receipts: ids },
      createdAt: new Date(wallMs).toISOString(),
    });
  }
}
