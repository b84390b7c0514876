import type { CollectionName } from '../../src/core/collection.ts';
import type { StatusReport } from '../../src/core/status.ts';

/** A report of a daemon that has just begun, in a state and with so many events. */
export function statusReport(state: CollectionName, recorded: number): StatusReport {
  return {
    schema: 1,
    daemon: {
      version: '0.1.0',
      pid: 1,
      startedAt: null,
      mode: 'foreground',
      simulated: false,
      stateDir: '/state',
    },
    collection: { state, since: null, until: null, reasons: [] },
    capture: {
      backend: 'x11',
      backendWhy: '',
      alive: true,
      pid: 2,
      lastEventAt: null,
      events: { recorded, thinned: 0, redacted: 0, dropped: 0 },
      restarts: 0,
      focus: null,
    },
    spool: {
      segments: 0,
      bytes: 0,
      limitBytes: 1,
      oldestAt: null,
      waiting: { segments: 0, bytes: 0 },
      quarantined: 0,
      problem: null,
    },
    upload: {
      gate: 'open',
      blockers: [],
      queued: { segments: 0, bytes: 0 },
      lastSuccessAt: null,
      nextAttemptAt: null,
      sent: { todayBytes: 0, monthBytes: 0, totalBytes: 0, totalSegments: 0 },
      budget: { dailyBytes: 1, monthlyBytes: 1 },
      destination: 'http://127.0.0.1:7717',
      isSending: false,
    },
    conditions: {
      power: 'ac',
      network: { kind: 'none', metered: 'no', ssidAllowed: null },
      session: { lock: 'unlocked', sources: ['logind'] },
    },
    consent: { state: 'granted', noticeId: null, grantedAt: null },
    exemptions: [],
    requests: [],
    policy: { source: 'policy.toml', id: null, keys: 'shortcuts', problems: [] },
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
