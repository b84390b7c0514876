import { parseDestination } from '../../core/destination.ts';
import { messageOf } from '../../core/errors.ts';
import { isLoopbackUrl } from '../../core/gate.ts';
import { printable } from '../../core/printable.ts';
import { askHealth, type HealthReply } from './ask-health.ts';
import { type Check, failed, ok, skipped, warn } from './check.ts';
import { readEnrolment } from './enrolment.ts';
import type { Patient } from './patient.ts';

/** What asking the collector gave. */
export type Collector =
  | { readonly kind: 'answered'; readonly reply: HealthReply }
  | { readonly kind: 'failed'; readonly text: string; readonly fix: string }
  | { readonly kind: 'not-asked'; readonly why: string; readonly fix: string };

/** Blockers of the gate that are about whose network and whose bytes it would be. */
const SPARED = [
  'no-network',
  'not-wifi',
  'network-unknown',
  'metered',
  'ssid-not-allowed',
  'captive-portal',
  'daily-budget',
  'monthly-budget',
  'outside-hours',
];
/** A certificate is renewed weeks before its end; one with less left was forgotten. */
const RENEWED_MS = 14 * 86_400_000;
const ONLINE = 'telemetryctl doctor --online asks it all the same, for some 6 KB';

/**
 * Asks the collector whether it is well, over one connection, if the daemon's gate lets this network be used: a check
 * that runs on every laptop of a fleet must not use up what people pay for at home. `isOnline`: the person says so.
 */
export async function askCollector(
  { heard, destination, stateDir }: Patient,
  isOnline: boolean,
): Promise<Collector> {
  const notAsked = (why: string, fix = ''): Collector => ({ kind: 'not-asked', why, fix });
  if (destination === null) return notAsked('Without a policy nothing says where it is.');
  if (destination === '') return notAsked('Nothing is sent by this policy.');
  if (!isOnline) {
    const blocker =
      heard.kind === 'own'
        ? heard.status.upload.blockers.find(({ code }) => SPARED.includes(code))
        : undefined;
    if (blocker !== undefined)
      return notAsked(`It was not asked, since the gate spares this network: ${blocker.text}`, ONLINE);
    if (heard.kind !== 'own' && !isLoopbackUrl(destination))
      return notAsked(
        'It was not asked: only a running daemon of one’s own knows whether this network may be used.',
        ONLINE,
      );
  }
  const enrolment = readEnrolment(stateDir);
  // Whose certificate to believe is in a file that this account may not read.
  if (enrolment === 'closed')
    return notAsked('Whom to trust as the collector is not for this account to read.');
  const ca = typeof enrolment === 'object' ? enrolment.ca : null;
  try {
    return { kind: 'answered', reply: await askHealth(parseDestination(destination), ca) };
  } catch (error) {
    return { kind: 'failed', ...explained(error, destination) };
  }
}

/** Whether the collector of the policy can be reached, is who it says, and is well. */
export function collector({ destination, io }: Patient, answer: Collector): Check {
  if (answer.kind === 'not-asked') return skipped('collector', answer.why, answer.fix);
  if (answer.kind === 'failed') return failed('collector', answer.text, answer.fix);
  const { status, isOurs, certificateEndsMs } = answer.reply;
  const where = destination ?? '';
  if (!isOurs)
    return failed(
      'collector',
      `What answers at ${where} is no telemetry-collector (status ${status}).`,
      'check upload.url, and proxies on the way',
    );
  if (status !== 200)
    return failed(
      'collector',
      `${where} says that it is not well (status ${status}).`,
      'tell whoever runs it; files wait here meanwhile',
    );
  const leftMs = certificateEndsMs === null ? Infinity : certificateEndsMs - io.clock.now().wallMs;
  if (leftMs < RENEWED_MS)
    return warn(
      'collector',
      `${where} is well, but its certificate ends in ${Math.max(0, Math.floor(leftMs / 86_400_000))} days.`,
      'tell whoever runs it',
    );
  return ok(
    'collector',
    certificateEndsMs === null ? `${where} is well.` : `${where} is well, and its certificate is trusted.`,
  );
}

const UNREACHABLE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'names cannot be looked up now',
  ENETUNREACH: 'there is no way there',
  EHOSTUNREACH: 'there is no way there',
  ECONNRESET: 'the connection was cut',
};

function explained(error: unknown, destination: string): { text: string; fix: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const why = UNREACHABLE[code];
  if (why !== undefined)
    return {
      text: `${destination} cannot be reached: ${why}.`,
      fix: 'check the network, upload.url, and whether the collector runs',
    };
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME|SIGNATURE/.test(code))
    return {
      text: `${destination} shows a certificate that is not trusted: ${printable(messageOf(error))} (${code}).`,
      fix: 'send nothing there; with an authority of your own: telemetryctl enroll … --ca FILE',
    };
  return {
    text: `${destination} gave no answer: ${printable(messageOf(error))}.`,
    fix: 'check the network and upload.url',
  };
}
