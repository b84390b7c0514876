import type { CollectionState, Reason } from '../core/collection.ts';
import type { Blocker } from '../core/gate.ts';
import type { PolicyProblem } from '../core/policy.ts';

/** Where faults show. */
export interface FaultSources {
  readonly state: Pick<CollectionState, 'failure'>;
  readonly reasons: readonly Reason[];
  readonly notes: readonly Reason[];
  readonly blockers: readonly Blocker[];
  readonly policyProblems: readonly PolicyProblem[];
  readonly quarantined: number;
}

/** Codes of all that is wrong now, whatever they tell; see `HEALTH_CODES` for those that may leave the machine. */
export function standingFaults(sources: FaultSources): string[] {
  const { state, reasons, notes, blockers, policyProblems, quarantined } = sources;
  const found = [...reasons, ...notes, ...blockers].map(({ code }) => code);
  if (state.failure !== null) found.push(state.failure.code);
  // A mistake in the person's own preferences is theirs to mend.
  const isPolicyWrong = policyProblems.some(
    ({ severity, where }) => severity === 'error' && !where.includes('preferences.toml'),
  );
  if (isPolicyWrong) found.push('policy-refused');
  if (quarantined > 0) found.push('quarantined');
  return found;
}
