import { get, post } from '../control/calls.ts';
import { locations } from '../control/locations.ts';
import { TelemetryError } from '../core/errors.ts';
import { EXEMPTION_MS } from '../core/exemption.ts';
import { parseScope } from '../core/exemption-scope.ts';
import type { ExemptionView } from '../core/exemption-view.ts';
import { recipientFingerprint } from '../segment/age-recipient.ts';
import { askDaemon } from './daemon.ts';
import { durationArgument } from './duration-argument.ts';
import type { CliIo } from './io.ts';
import { spanArgument, untilArgument } from './until-argument.ts';

/** The options of `exempt request`. */
export interface ExemptOptions {
  readonly reason?: string;
  readonly scope?: string;
  readonly for?: string;
  readonly until?: string;
  readonly yes?: true;
}

/** Where nothing else is said. */
const DEFAULTS = { scope: 'all', span: '7d' };

/** Asks for what is missing where somebody can answer, seals the reason, and hands the request to the daemon. */
export async function requestExemption(io: CliIo, options: ExemptOptions): Promise<ExemptionView> {
  const nowMs = io.clock.now().wallMs;
  // What is wrong is said before anything is asked.
  const given = { scope: options.scope, durationMs: givenDuration(options, nowMs) };
  if (given.scope !== undefined) checkScope(given.scope);
  const { policy } = await askDaemon(io, (socketPath) => get(socketPath, 'policy'));
  const { recipients } = policy.exemptions;
  const isAsking = io.canAsk && options.yes !== true;
  const reason = (options.reason ?? (isAsking ? await askReason(io, recipients) : '')).trim();
  const scope = given.scope ?? (isAsking ? await askScope(io) : DEFAULTS.scope);
  const durationMs =
    given.durationMs ?? checkSpan(spanArgument(isAsking ? await askSpan(io) : DEFAULTS.span, nowMs));
  const sealed = await seal(io, reason, recipients);
  return askDaemon(io, (socketPath) =>
    post(socketPath, 'exempt', { scope, durationMs, ...(sealed === null ? {} : { reason: sealed }) }),
  );
}

function givenDuration(options: ExemptOptions, nowMs: number): number | undefined {
  if (options.for !== undefined && options.until !== undefined)
    throw usage('--for and --until say the same thing twice', 'one of them');
  if (options.for !== undefined)
    return checkSpan(durationArgument(options.for, 'telemetryctl exempt request --for'));
  return options.until === undefined ? undefined : checkSpan(untilArgument(options.until, nowMs));
}

function checkSpan(durationMs: number): number {
  if (durationMs < EXEMPTION_MS.least) throw usage('less than a minute is too short', 'telemetryctl pause');
  if (durationMs > EXEMPTION_MS.most)
    throw usage('more than a year is too long', 'telemetryctl consent revoke, which nobody must agree to');
  return durationMs;
}

function checkScope(scope: string): string {
  if (parseScope(scope) !== undefined) return scope;
  throw usage(
    `${JSON.stringify(scope)} is not what one can be exempt from`,
    '--scope all, --scope app:Signal or --scope "hours:Mon-Fri 12:00-13:00"',
  );
}

async function askReason(io: CliIo, recipients: readonly string[]): Promise<string> {
  if (recipients.length === 0) return '';
  const keys = recipients.map(recipientFingerprint).join(', ');
  return io.ask(`Why? You need not say; only whoever has ${keys} can read it.\n> `);
}

async function askScope(io: CliIo): Promise<string> {
  const answer = await io.ask('From what? all, app:NAME or hours:SPEC [all] ');
  return checkScope(answer.trim() || DEFAULTS.scope);
}

async function askSpan(io: CliIo): Promise<string> {
  const answer = await io.ask('For how long, or until which day? [7d] ');
  return answer.trim() || DEFAULTS.span;
}

/** Encrypted here, for those who decide and for its author: the daemon and the collector never see it. */
async function seal(io: CliIo, reason: string, recipients: readonly string[]): Promise<string | null> {
  if (reason === '') return null;
  // Loaded here alone: the library behind it is large.
  const { MAX_REASON_CHARACTERS, sealReason } = await import('../privacy/exemption-reason.ts');
  if (reason.length > MAX_REASON_CHARACTERS)
    throw usage(`a reason has at most ${MAX_REASON_CHARACTERS} characters`, 'fewer words');
  if (recipients.length === 0) {
    io.err(
      'telemetryctl: the policy names nobody who could read a reason (exemptions.recipients),\n' +
        'so yours is neither kept nor sent. The request goes without it.\n',
    );
    return null;
  }
  const { readOwnerIdentities } = await import('../privacy/owner-identity.ts');
  const { recipientOf } = await import('../segment/age-file.ts');
  const [own] = readOwnerIdentities(locations(io.around).identityPath) ?? [];
  return sealReason([...recipients, ...(own === undefined ? [] : [await recipientOf(own)])], reason);
}

function usage(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`, {
    op: 'ask for an exemption',
    hint,
  });
}
