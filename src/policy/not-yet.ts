import type { Policy } from '../core/policy.ts';

/** A field that this version accepts but does not act on, or not fully; told only where a file sets it. */
export interface NotYet {
  /** Dotted path in file spelling. */
  readonly path: string;
  /** Whether it concerns this policy. */
  readonly applies: (policy: Policy) => boolean;
  /** Goes after `limits.cpu is accepted, but `. */
  readonly text: string;
  readonly hint: string;
}

const always = (): boolean => true;

/** The one list of what is accepted and not acted on yet. Whoever builds one of these takes its row out. */
export const NOT_YET: readonly NotYet[] = [
  {
    path: 'notice.server_retention',
    applies: always,
    text: 'this version does not check it with the collector; the notice repeats it as a promise',
    hint: 'see that the collector keeps to it',
  },
];
