import type { ControlHandlers } from '../../src/control/handlers.ts';
import type { Peer, PeerSource } from '../../src/control/peer.ts';
import type { ConsentReply } from '../../src/control/protocol.ts';
import type { Log } from '../../src/core/clock.ts';
import type { ExemptionView } from '../../src/core/exemption-view.ts';
import type { StatusReport } from '../../src/core/status.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';

/** A report of a daemon that captures and may send. */
export const CAPTURING: StatusReport = {
  schema: 1,
  daemon: {
    version: '0.1.0',
    pid: 4000,
    startedAt: '2026-11-24T11:00:00.000Z',
    mode: 'user',
    simulated: false,
    stateDir: '/home/ada/.local/state/telemetryd',
  },
  collection: { state: 'capturing', since: '2026-11-24T13:57:00.000Z', until: null, reasons: [] },
  capture: {
    backend: 'x11',
    backendWhy: 'this is an X11 session of this machine',
    alive: true,
    pid: 4242,
    lastEventAt: '2026-11-24T14:00:00.000Z',
    events: { recorded: 12_345, thinned: 210, redacted: 57, dropped: 0 },
    restarts: 0,
    focus: 'known',
  },
  spool: {
    segments: 3,
    bytes: 1_234_567,
    limitBytes: 512_000_000,
    oldestAt: '2026-11-24T12:00:00.000Z',
    waiting: { segments: 0, bytes: 0 },
    quarantined: 0,
    problem: null,
  },
  upload: {
    gate: 'open',
    blockers: [],
    queued: { segments: 2, bytes: 45_600 },
    lastSuccessAt: '2026-11-24T13:45:00.000Z',
    nextAttemptAt: '2026-11-24T14:15:00.000Z',
    sent: { todayBytes: 98_000, monthBytes: 3_400_000, totalBytes: 4_500_000, totalSegments: 12 },
    budget: { dailyBytes: 20_000_000, monthlyBytes: 300_000_000 },
    destination: 'http://127.0.0.1:7717',
    isSending: false,
  },
  conditions: {
    power: 'ac',
    network: { kind: 'wifi', metered: 'no', ssidAllowed: null },
    session: { lock: 'unlocked', sources: ['logind'] },
  },
  consent: { state: 'granted', noticeId: '1a2b3c4d', grantedAt: '2026-11-21T14:00:00.000Z' },
  exemptions: [],
  requests: [],
  policy: { source: '/etc/telemetryd/policy.toml', id: '5e6f7a8b9c0d1e2f', keys: 'shortcuts', problems: [] },
  cost: {
    cpuSeconds: 12,
    cpuPercent: 0.31,
    wakeupsPerMinute: 2.4,
    rssBytes: 61_000_000,
    bytesPerActiveHour: 41_000,
    activeHours: 2.5,
    processes: [],
  },
};

/** The same daemon paused, on battery, away from Wi-Fi. */
export const PAUSED: StatusReport = {
  ...CAPTURING,
  collection: {
    state: 'paused',
    since: '2026-11-24T13:58:00.000Z',
    until: '2026-11-24T14:28:00.000Z',
    reasons: [{ code: 'paused', text: 'Paused by you.', hint: 'telemetryctl resume' }],
  },
  capture: { ...CAPTURING.capture, alive: false, pid: null },
  upload: {
    ...CAPTURING.upload,
    gate: 'closed',
    blockers: [
      {
        code: 'on-battery',
        text: 'Running on battery; uploads wait for AC power.',
        since: '2026-11-24T13:50:00.000Z',
      },
      {
        code: 'not-wifi',
        text: 'Connected by Ethernet; the policy allows Wi-Fi.',
        since: '2026-11-24T11:00:00.000Z',
      },
    ],
    nextAttemptAt: null,
  },
  conditions: {
    power: 'battery',
    network: { kind: 'ethernet', metered: 'unknown', ssidAllowed: null },
    session: { lock: 'unlocked', sources: ['logind'] },
  },
  policy: {
    ...CAPTURING.policy,
    source: 'last-good',
    problems: [
      {
        severity: 'error',
        where: '/etc/telemetryd/policy.toml:12:5',
        text: 'upload.daily_budget must be a size such as "20MB"',
        hint: 'daily_budget = "20MB"',
      },
    ],
  },
};

/** An exemption that nobody has decided yet. */
export const PENDING: ExemptionView = {
  id: '019abcde-0000-7000-8000-000000000001',
  state: 'pending',
  scope: 'all',
  askedAt: '2026-11-24T13:30:00.000Z',
  until: '2026-12-01T13:30:00.000Z',
  decidedAt: null,
  decidedBy: '',
  decisionReason: '',
  releaseAt: null,
};

/** The same, approved and denied. */
export const APPROVED: ExemptionView = {
  ...PENDING,
  state: 'approved',
  decidedAt: '2026-11-24T13:45:00.000Z',
  decidedBy: 'Ada Lovelace',
};
export const DENIED: ExemptionView = {
  ...APPROVED,
  state: 'denied',
  decisionReason: 'the study ends on Friday anyway',
  releaseAt: '2026-11-25T13:45:00.000Z',
};

const CONSENT: ConsentReply = { state: 'missing', noticeId: '1a2b3c4d', receipt: null, changes: [] };

/** The person whose input it is. */
export const PERSON: Peer = { role: 'person', uid: 1000 };

/** A server whose socket only its owner can reach, so that it needs to tell nobody apart. */
export const ALONE: PeerSource = { accounts: { personUid: 1000, serviceUid: 1000 }, uidOf: null };

/** Handlers of a daemon that does nothing but answer; each test replaces what it looks at. */
export function handlers(replaced: Partial<ControlHandlers> = {}): ControlHandlers {
  return {
    status: () => CAPTURING,
    watch: (_emit, signal) => untilAborted(signal),
    pause: ({ durationMs }) => ({ until: '2026-11-24T14:30:00.000Z', remainingMs: durationMs }),
    resume: () => CAPTURING,
    notice: () => ({ id: '1a2b3c4d', text: 'What is recorded: mouse and keys.', parts: [] }),
    consent: () => CONSENT,
    grant: () => ({ ...CONSENT, state: 'granted' }),
    revoke: () => ({ ...CONSENT, state: 'revoked' }),
    policy: () => ({ policy: DEFAULT_POLICY, id: '5e6f', source: 'defaults', origins: {}, problems: [] }),
    reload: () => ({ policy: DEFAULT_POLICY, id: '5e6f', source: 'defaults', origins: {}, problems: [] }),
    exemptions: () => ({ exemptions: [{ view: PENDING, reason: null }] }),
    exempt: ({ scope }) => ({ ...PENDING, scope }),
    withdraw: ({ id }) => ({ ...PENDING, id, state: 'withdrawn' }),
    refresh: () => ({ exemptions: [{ view: APPROVED, reason: null }] }),
    uploadNow: () => ({ started: true, blockers: [] }),
    round: (_emit, signal) => untilAborted(signal),
    roundResult: () => undefined,
    purgePlan: () => ({ id: '', hasOpenSegment: false, segments: [] }),
    purge: ({ id, scope }) => ({
      id,
      at: '',
      scope: scope.kind,
      from: null,
      eventsInMemory: 0,
      segments: [],
      erasures: [],
    }),
    roundReply: () => undefined,
    roundEnd: () => undefined,
    ...replaced,
  };
}

/** Resolves when the signal is aborted. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A log that keeps what it is told. */
export function keepingLog(): { readonly log: Log; readonly lines: string[] } {
  const lines: string[] = [];
  const keep =
    (level: string) =>
    (fields: object, message: string): void => {
      lines.push(`${level} ${message} ${JSON.stringify(fields)}`);
    };
  return {
    log: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') },
    lines,
  };
}
