import { counted } from '../../core/amounts.ts';
import type { CollectionName } from '../../core/collection.ts';
import type { StatusReport } from '../../core/status.ts';
import type { Colour } from './colour.ts';
import { localTime, relative, roughSpan } from './moments.ts';

/** Each state of collection in words, and the colour that goes with it. */
export const STATE_WORDS: Readonly<
  Record<CollectionName, { readonly words: string; readonly colour: Colour }>
> = {
  capturing: { words: 'Capturing', colour: 'green' },
  paused: { words: 'Paused', colour: 'yellow' },
  exempt: { words: 'Exempt', colour: 'yellow' },
  locked: { words: 'Not capturing: the session is locked', colour: 'yellow' },
  'awaiting-consent': { words: 'Not capturing: waiting for consent', colour: 'yellow' },
  blocked: { words: 'Not capturing: blocked', colour: 'red' },
  stopped: { words: 'Stopped', colour: 'red' },
};

/** What is said after the state's words: since when, until when, and how long that is. */
export function whenWords(collection: StatusReport['collection'], nowMs: number): string {
  const { since, until } = collection;
  const parts: string[] = [];
  if (until !== null) {
    parts.push(`until ${localTime(until, nowMs)} (${roughSpan(Date.parse(until) - nowMs)} left)`);
  }
  if (since !== null) parts.push(`since ${localTime(since, nowMs)} (${relative(since, nowMs)})`);
  return parts.join(', ');
}

/** What a policy's key mode keeps of the keyboard. */
export function keyWords(keys: string): string {
  switch (keys) {
    case 'off':
      return 'no keys';
    case 'activity':
      return 'that a key was pressed, and of which class, never which key';
    case 'shortcuts':
      return 'shortcuts and navigation keys; of typed text only that a key was pressed';
    case 'full':
      return 'every key, in the applications that the policy names';
    default:
      return `keys: ${keys}`;
  }
}

/** Packing costs CPU, so it waits for mains power, for two hours at most. */
export function unsealedWords({ waiting }: StatusReport['spool']): string[] {
  return waiting.segments === 0
    ? []
    : [`${counted(waiting.segments, 'segment')} to be packed on mains power first`];
}
