import { existsSync } from 'node:fs';
import type { Reason } from '../core/collection.ts';
import { formatDuration } from '../core/duration.ts';
import { restorePause } from '../core/pause.ts';
import type { LoadedPolicy } from '../core/policy.ts';
import type { StatusReport } from '../core/status.ts';
import { VERSION } from '../core/version.ts';
import { decodeLastGood } from '../policy/last-good.ts';
import { consentView } from '../privacy/consent.ts';
import { decodeReceipts, readRevocation, revocationPathOf } from '../privacy/consent-file.ts';
import { listStage } from '../spool/folders.ts';
import { HEALTH_FILE, parseToldHealth } from '../spool/health-file.ts';
import { parsePauses } from '../spool/pauses-file.ts';
import { peekRequests } from '../spool/request-files.ts';
import { readSent } from '../spool/sent-log.ts';
import { restingPlace } from './daemon.ts';
import { exemptionsAtRest } from './exemptions-at-rest.ts';
import type { CliIo } from './io.ts';
import { decoded } from './state-files.ts';

/**
 * The status of a daemon that is down, from the files it left: what is stored and sent, consent, pauses and policy as
 * of its end. What only a running daemon knows has its "not known" value. Only reads.
 */
export function stoppedReport(io: CliIo): StatusReport {
  const place = restingPlace(io);
  const { stateDir } = place;
  const lastGood = decoded(stateDir, 'policy-last-good.json', decodeLastGood);
  return {
    schema: 1,
    daemon: {
      version: VERSION,
      pid: null,
      startedAt: null,
      mode: place.kind === 'system' ? 'system' : 'user',
      simulated: false,
      stateDir,
    },
    collection: { state: 'stopped', since: null, until: null, reasons: reasons(stateDir, io) },
    capture: {
      backend: lastGood?.policy.capture.backend ?? 'auto',
      backendWhy: '',
      alive: false,
      pid: null,
      lastEventAt: null,
      events: { recorded: 0, thinned: 0, redacted: 0, dropped: 0 },
      restarts: 0,
      focus: null,
    },
    spool: storedPart(stateDir, lastGood),
    upload: uploadPart(stateDir, lastGood, io.clock.now().wallMs),
    conditions: {
      power: 'unknown',
      network: { kind: 'unknown', metered: 'unknown', ssidAllowed: null },
      session: { lock: 'unknown', sources: [] },
    },
    consent: consentPart(stateDir, lastGood, readRevocation(revocationPathOf(place.identityPath)) !== null),
    exemptions: exemptionsAtRest(stateDir, io).exemptions.map(({ view }) => view),
    requests: peekRequests(stateDir).map(({ id, kind, destination, createdAt }) => ({
      id,
      kind,
      destination,
      createdAt,
      attempts: 0,
      nextAttemptAt: null,
      problem: '',
    })),
    policy: {
      source: lastGood === undefined ? (place.policyPaths.find(existsSync) ?? 'defaults') : 'last-good',
      id: lastGood?.id ?? null,
      keys: lastGood?.policy.capture.keys ?? 'shortcuts',
      problems: [],
    },
    cost: {
      cpuSeconds: 0,
      cpuPercent: 0,
      wakeupsPerMinute: 0,
      rssBytes: 0,
      bytesPerActiveHour: 0,
      activeHours: 0,
      processes: [],
    },
  };
}

const DOWN: Reason = {
  code: 'daemon-down',
  text: 'The daemon is not running; nothing is captured.',
  hint: 'telemetryd run',
};

function reasons(stateDir: string, io: CliIo): Reason[] {
  const { bootMs } = io.clock.now();
  const standing = (decoded(stateDir, 'pauses.json', parsePauses) ?? []).flatMap(
    (pause) => restorePause(pause, io.clock) ?? [],
  );
  if (standing.length === 0) return [DOWN];
  const left = formatDuration(Math.max(...standing.map(({ untilBootMs }) => untilBootMs - bootMs)));
  return [
    DOWN,
    {
      code: 'paused',
      text: `A pause of another ${left} holds at its next start.`,
      hint: 'telemetryctl resume',
    },
  ];
}

/** Counted as the daemon counts: segments without quarantine, bytes with it, the oldest of what was not sent. */
function storedPart(stateDir: string, lastGood: LoadedPolicy | undefined): StatusReport['spool'] {
  const unsent = (['journal', 'sealed', 'outbox'] as const).flatMap((stage) => listStage(stateDir, stage));
  const journals = unsent.filter(({ stage }) => stage === 'journal');
  const sent = listStage(stateDir, 'sent');
  const quarantined = listStage(stateDir, 'quarantine');
  const oldestMs = Math.min(...unsent.map(({ id }) => startOf(id)));
  return {
    segments: unsent.length + sent.length,
    bytes: total([...unsent, ...sent, ...quarantined]),
    limitBytes: lastGood?.policy.spool.limitBytes ?? 0,
    oldestAt: unsent.length === 0 ? null : new Date(oldestMs).toISOString(),
    waiting: { segments: journals.length, bytes: total(journals) },
    quarantined: quarantined.length,
    problem: null,
  };
}

/** A segment's id is a UUID of version 7, which begins with the millisecond it was made (RFC 9562, section 5.7). */
function startOf(id: string): number {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}

/** What the receipts are worth under the last good policy; without one, as they stand. */
function consentPart(
  stateDir: string,
  lastGood: LoadedPolicy | undefined,
  isRevoked: boolean,
): StatusReport['consent'] {
  const receipts = decoded(stateDir, 'consent.json', decodeReceipts) ?? [];
  const last = receipts.at(-1);
  if (last === undefined)
    return { state: isRevoked ? 'revoked' : 'missing', noticeId: null, grantedAt: null };
  const policy = lastGood?.policy ?? last.policy;
  const { state, receipt } = consentView(receipts, { policy, noticeId: last.noticeId });
  return {
    state: isRevoked ? 'revoked' : state,
    noticeId: last.noticeId,
    grantedAt: receipt?.grantedAt ?? null,
  };
}

function uploadPart(
  stateDir: string,
  lastGood: LoadedPolicy | undefined,
  nowMs: number,
): StatusReport['upload'] {
  const waiting = [...listStage(stateDir, 'sealed'), ...listStage(stateDir, 'outbox')];
  const sent = [...readSent(stateDir)];
  const today = new Date(nowMs).setHours(0, 0, 0, 0);
  const month = new Date(today).setDate(1);
  const charged = (sinceMs: number): number =>
    sent
      .filter(({ atWallMs }) => atWallMs >= sinceMs)
      .reduce((sum, { chargedBytes }) => sum + chargedBytes, 0);
  const last = sent.at(-1);
  return {
    gate: 'closed',
    blockers: [],
    queued: { segments: waiting.length, bytes: total(waiting) },
    lastSuccessAt: last === undefined ? null : new Date(last.atWallMs).toISOString(),
    nextAttemptAt: null,
    sent: {
      todayBytes: charged(today),
      monthBytes: charged(month),
      totalBytes: sent.reduce((sum, { bytes }) => sum + bytes, 0),
      totalSegments: sent.length,
    },
    budget: {
      dailyBytes: lastGood?.policy.upload.dailyBudgetBytes ?? 0,
      monthlyBytes: lastGood?.policy.upload.monthlyBudgetBytes ?? 0,
    },
    destination: lastGood?.policy.upload.url ?? '',
    isSending: false,
    health: decoded(stateDir, HEALTH_FILE, parseToldHealth) ?? null,
  };
}

function total(files: readonly { readonly sizeBytes: number }[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
