import type { PublicStatus, StatusReport } from '../../core/status.ts';
import type { Heard } from '../doctor/patient.ts';

/**
 * Of a status what tells how the software is: states and codes. What tells how a person works is left out: every count
 * and time of events, files and bytes, words that hold a pause's reason, exemptions, and the windows in use.
 */
export function statusPart(heard: Heard): object {
  switch (heard.kind) {
    case 'own':
      return ownPart(heard.status);
    case 'restricted':
      return othersPart(heard.status);
    case 'down':
    case 'silent':
      return { daemon: heard.kind };
  }
}

function othersPart({ daemon, collection }: PublicStatus): object {
  return { daemon: { version: daemon.version }, collection: { state: collection.state } };
}

function ownPart({
  daemon,
  collection,
  capture,
  spool,
  upload,
  conditions,
  consent,
  policy,
  cost,
}: StatusReport): object {
  const { power, network, session } = conditions;
  return {
    daemon: { version: daemon.version, mode: daemon.mode, simulated: daemon.simulated },
    collection: { state: collection.state, reasons: codesOf(collection.reasons) },
    capture: { backend: capture.backend, alive: capture.alive },
    spool: { hasProblem: spool.problem !== null, hasQuarantine: spool.quarantined > 0 },
    upload: { gate: upload.gate, blockers: codesOf(upload.blockers), isSending: upload.isSending },
    conditions: {
      power,
      network: { kind: network.kind, metered: network.metered },
      lockToldBy: session.sources,
    },
    consent: { state: consent.state },
    policy: { keys: policy.keys, isLastGood: policy.source === 'last-good' },
    memory: cost.processes.map(({ name, rssBytes }) => ({ name, rssBytes })),
  };
}

function codesOf(list: readonly { readonly code: string }[]): string[] {
  return list.map(({ code }) => code);
}
