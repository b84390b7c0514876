import type { RequestOutcome } from './person-requests.ts';

/** A collector that is not done with it is asked again in so long. */
const ASK_AGAIN_MS = 60_000;

/** A request is settled when the collector is done with each of the ids that were asked for. */
export function settledOnceAllDone(asked: unknown, done: ReadonlySet<string>): RequestOutcome {
  return idsIn(asked).every((id) => done.has(id))
    ? { kind: 'settled' }
    : { kind: 'again', afterMs: ASK_AGAIN_MS };
}

/** The ids of a list in a request or a reply. */
export function idsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((id): id is string => typeof id === 'string') : [];
}
