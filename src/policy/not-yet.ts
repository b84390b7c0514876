import { isLoopbackUrl } from '../core/gate.ts';
import type { Policy } from '../core/policy.ts';

/** A field that this version accepts but does not act on, or not fully; told only where a file sets it. */
export interface NotYet {
  /** Dotted path in file spelling. */
  readonly path: string;
  /** Whether it concerns this policy. */
  readonly applies: (policy: Policy) => boolean;
  /** Goes after `upload.metered is accepted, but `. */
  readonly text: string;
  readonly hint: string;
}

const always = (): boolean => true;
const NO_FOCUS = 'this version cannot tell which application is in use';

/** The one list of what is accepted and not acted on yet. Whoever builds one of these takes its row out. */
export const NOT_YET: readonly NotYet[] = [
  {
    path: 'capture.full_apps',
    applies: always,
    text: `${NO_FOCUS}, so every key is recorded nowhere`,
    hint: 'leave it; it asks for nothing by itself',
  },
  {
    path: 'exclude.apps',
    applies: always,
    text: `${NO_FOCUS}: capture.focus_unknown decides instead`,
    hint: 'capture.focus_unknown = "no-keys" (the default) records no keys anywhere',
  },
  {
    path: 'exclude.titles',
    applies: always,
    text: `${NO_FOCUS}: capture.focus_unknown decides instead`,
    hint: 'capture.focus_unknown = "no-keys" (the default) records no keys anywhere',
  },
  {
    path: 'upload.url',
    applies: (policy) => policy.upload.url !== '' && !isLoopbackUrl(policy.upload.url),
    text: 'this version sends to a collector on this machine only: devices cannot enrol yet',
    hint: 'data stays here until then; "http://127.0.0.1:7717" is a collector on this machine',
  },
  {
    path: 'upload.metered',
    applies: always,
    text: 'this version cannot tell whether a network is metered',
    hint: 'upload.networks = ["wifi"] keeps mobile networks out',
  },
  {
    path: 'upload.ssids',
    applies: (policy) => policy.upload.ssids.length > 0,
    text: 'this version cannot tell the name of a Wi-Fi, so nothing is sent over networks',
    hint: 'leave it out to send over any Wi-Fi',
  },
  {
    path: 'notice.server_retention',
    applies: always,
    text: 'this version does not check it with the collector; the notice repeats it as a promise',
    hint: 'see that the collector keeps to it',
  },
  {
    path: 'exemptions.while_pending',
    applies: always,
    text: 'exemptions cannot be asked for in this version',
    hint: 'a pause, or revoking consent, stops capture',
  },
];
