import { isLoopbackUrl } from '../core/gate.ts';
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
    path: 'upload.url',
    applies: (policy) => policy.upload.url !== '' && !isLoopbackUrl(policy.upload.url),
    text: 'this version sends to a collector on this machine only: devices cannot enrol yet',
    hint: 'data stays here until then; "http://127.0.0.1:7717" is a collector on this machine',
  },
  {
    path: 'notice.server_retention',
    applies: always,
    text: 'this version does not check it with the collector; the notice repeats it as a promise',
    hint: 'see that the collector keeps to it',
  },
];
