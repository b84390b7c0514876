import { isLoopbackUrl } from '../core/gate.ts';
import type { Policy, PolicyProblem } from '../core/policy.ts';
import { missingForUpload } from '../core/upload-needs.ts';

/** A rule over more than one field of a policy. */
export interface CrossCheck {
  readonly severity: PolicyProblem['severity'];
  /** The fields it is about; a problem is shown at the first that the file sets. */
  readonly paths: readonly string[];
  /** What is wrong; `null` when nothing is. */
  readonly find: (policy: Policy) => { readonly text: string; readonly hint: string } | null;
}

/** What must hold between fields: errors make no sense together, notices close something that is said here. */
export const CROSS_CHECKS: readonly CrossCheck[] = [
  {
    severity: 'error',
    paths: ['segment.flush', 'segment.roll'],
    find: ({ segment }) =>
      segment.flushMs <= segment.rollMs
        ? null
        : {
            text: 'segment.flush is longer than segment.roll: a file would end before anything is written to it',
            hint: 'segment.flush = "5s", the default, or a longer segment.roll',
          },
  },
  {
    severity: 'error',
    paths: ['upload.hold_back', 'spool.retention'],
    find: ({ upload, spool }) =>
      upload.url === '' || upload.holdBackMs < spool.retentionMs
        ? null
        : {
            text: 'upload.hold_back is not shorter than spool.retention: all would be deleted before it may leave',
            hint: 'a shorter upload.hold_back or a longer spool.retention',
          },
  },
  {
    severity: 'error',
    paths: ['upload.schedule'],
    find: ({ upload }) =>
      upload.url === '' || upload.schedule.split(' ').length === 5 || isLoopbackUrl(upload.url)
        ? null
        : {
            text: 'upload.schedule has a sixth field, for seconds, which would keep the machine and its network awake',
            hint: 'upload.schedule = "*/15 * * * *", the default; seconds are for a collector on this machine',
          },
  },
  {
    severity: 'notice',
    paths: ['capture.keys', 'capture.full_apps'],
    find: ({ capture }) =>
      (capture.keys === 'full') === capture.fullApps.length > 0
        ? null
        : {
            text: 'capture.keys = "full" and capture.full_apps go together: one without the other records no more keys',
            hint: 'name applications in capture.full_apps and set capture.keys = "full", or neither',
          },
  },
  { severity: 'notice', paths: ['upload.url'], find: missingForNotice },
];

/** People must be told these before anything leaves their machine; until then nothing does. */
function missingForNotice(policy: Policy): { text: string; hint: string } | null {
  if (policy.upload.url === '' || isLoopbackUrl(policy.upload.url)) return null;
  const missing = missingForUpload(policy).join(', ');
  if (missing === '') return null;
  return {
    text: `upload.url is not on this machine, and nothing is sent there without ${missing}`,
    hint: `give ${missing}`,
  };
}
