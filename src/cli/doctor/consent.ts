import { type Check, ok, skipped, warn } from './check.ts';
import type { Patient } from './patient.ts';

/** What the person decided. It is theirs to decide: neither answer is a fault. */
export function consent({ heard }: Patient): Check {
  if (heard.kind === 'down' || heard.kind === 'silent')
    return skipped('consent', 'Only a running daemon tells.', 'telemetryctl consent show');
  if (heard.kind === 'restricted') return skipped('consent', 'That is between the person and the daemon.');
  switch (heard.status.consent.state) {
    case 'granted':
      return ok('consent', 'It was given and stands.');
    case 'missing':
      return ok('consent', 'It was not given, so nothing is recorded.');
    case 'revoked':
      return ok('consent', 'It was revoked, so nothing is recorded.');
    case 'stale':
      return warn(
        'consent',
        'It was given for less than the policy takes now, so nothing is recorded.',
        'telemetryctl notice shows what it would be now; to agree is up to you',
      );
  }
}
