import { homedir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { follow, post } from '../control/calls.ts';
import type { RequestOptions } from '../control/client.ts';
import { locations } from '../control/locations.ts';
import type { RequestReply, Round, SegmentResult } from '../control/protocol.ts';
import { parseDestination } from '../core/destination.ts';
import { EXIT, exitCodeFor, messageOf, TelemetryError } from '../core/errors.ts';
import { CollectorLink } from './collector-link-node.ts';
import { roundKey } from './device-key.ts';
import { Pace } from './pace.ts';
import { roundLimitMs, runRound } from './run-round.ts';
import { sendHealth } from './send-health.ts';
import { sendRequests } from './send-requests.ts';
import { sendSegment } from './send-segment.ts';
import type { Sending, SendPorts } from './sending.ts';

/**
 * The uploader: one round, then it exits. `telemetry-uploader [SOCKET]`; without an argument the socket is found as
 * telemetryctl finds it. Exit codes: 0 all stored, 3 partly, 10 the daemon is gone, 11 the socket is somebody else's,
 * 12 the address is none to send to, 130 told to stop.
 */
export async function main(
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const interrupted = new AbortController();
  const stop = (): void => interrupted.abort('the uploader was told to stop');
  process.once('SIGTERM', stop).once('SIGINT', stop);
  try {
    const code = await attendRound(argv[0] ?? defaultSocket(env), interrupted.signal);
    return interrupted.signal.aborted ? EXIT.interrupted : code;
  } catch (error) {
    const hint = error instanceof TelemetryError && error.hint !== '' ? ` Try: ${error.hint}` : '';
    process.stderr.write(`telemetry-uploader: ${messageOf(error)}${hint}\n`);
    return exitCodeFor(error);
  } finally {
    process.off('SIGTERM', stop).off('SIGINT', stop);
  }
}

function defaultSocket(env: Readonly<Record<string, string | undefined>>): string {
  const uid = process.getuid?.() ?? 0;
  return locations({ env, uid, platform: process.platform, home: homedir(), cwd: process.cwd() }).socketPath;
}

/** Follows the daemon's side of a round: it gives the work, it may take it back, and without it there is none. */
async function attendRound(socketPath: string, interrupted: AbortSignal): Promise<number> {
  const ending = new AbortController();
  const gate = new AbortController();
  const work = Promise.withResolvers<Round | null>();
  const gone = new AbortController();
  const lose = (error: unknown): void => {
    if (ending.signal.aborted) return;
    gone.abort('the daemon is gone');
    // Half a reply is the same as none: whoever should answer for the round is not there.
    const isCutOff = error instanceof TelemetryError && error.code === 'unavailable';
    work.reject(isCutOff ? daemonGone(error) : error);
  };
  const following = follow(
    socketPath,
    'round',
    (message) => {
      if (message.type === 'round') work.resolve(message.round);
      else work.resolve(null);
      if (message.type === 'abort') gate.abort(`the gate closed: ${message.reason}`);
    },
    ending.signal,
  ).then(() => lose(daemonGone()), lose);
  interrupted.addEventListener('abort', () => work.resolve(null));
  try {
    const round = await work.promise;
    if (round === null) return EXIT.ok;
    const aborted = AbortSignal.any([gate.signal, gone.signal, interrupted]);
    const outcome = await send(round, aborted, {
      result: (result) => report(aborted, (options) => post(socketPath, 'roundResult', result, options)),
      reply: (reply) => report(aborted, (options) => post(socketPath, 'roundReply', reply, options)),
    });
    // Looked at before the daemon hears that this is all, and ends the connection.
    const isGone = gone.signal.aborted;
    // One that closed the gate has ended it already, and waits for this word.
    if (!isGone || gate.signal.aborted) {
      const of = round.requests.length > 0 ? 'requests' : 'segments';
      await report(aborted, (options) => post(socketPath, 'roundEnd', { of }, options));
    }
    if (isGone) return EXIT.daemonDown;
    return outcome === 'done' ? EXIT.ok : EXIT.partly;
  } finally {
    ending.abort();
    await following;
  }
}

/** What is told to the daemon, each before the next is sent. */
interface Telling {
  readonly result: (result: SegmentResult) => Promise<void>;
  readonly reply: (reply: RequestReply) => Promise<void>;
}

async function send(round: Round, aborted: AbortSignal, tell: Telling): Promise<'done' | 'partly'> {
  const destination = parseDestination(round.url);
  const key = roundKey(round, PORTS.wallMs);
  const signer = key?.signer ?? null;
  const link = new CollectorLink(destination, { ca: key?.ca ?? null });
  const overdue = new AbortController();
  const timer = setTimeout(() => overdue.abort(), roundLimitMs(round));
  const pace = new Pace(round.rateBytesPerSecond);
  const sending: Sending = {
    round,
    destination,
    link,
    pace,
    ports: PORTS,
    aborted,
    overdue: overdue.signal,
    signer,
  };
  try {
    const areAnswered = await sendRequests(sending, tell.reply);
    const outcome = await runRound(
      round,
      { send: (segment, leftBytes) => sendSegment(segment, leftBytes, sending), report: tell.result },
      aborted,
    );
    const told = outcome === 'done' ? await sendHealth(sending, round.budgetBytes - link.chargedBytes) : null;
    if (told !== null) await tell.reply(told);
    return areAnswered ? outcome : 'partly';
  } finally {
    clearTimeout(timer);
    link.close();
  }
}

/** A partial attempt must be charged too, but a daemon that went away is not waited for: it would answer at once. */
const LAST_WORD_MS = 2000;

async function report(
  aborted: AbortSignal,
  tell: (options: RequestOptions) => Promise<unknown>,
): Promise<void> {
  try {
    await tell(aborted.aborted ? { timeoutMs: LAST_WORD_MS } : {});
  } catch (cause) {
    if (aborted.aborted) return;
    throw daemonGone(cause);
  }
}

function daemonGone(cause?: unknown): TelemetryError {
  return new TelemetryError('daemon-down', 'The daemon went away during the round.', {
    op: 'send a round',
    hint: 'telemetryctl status',
    cause,
  });
}

const PORTS: SendPorts = {
  monoMs: () => performance.now(),
  wallMs: () => Date.now(),
  sleep: async (ms, signal) => {
    // Being woken early is no error: whoever sleeps looks at the signal next.
    if (ms > 0) await delay(ms, undefined, { signal }).catch(() => undefined);
  },
};
