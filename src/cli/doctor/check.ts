import { EXIT } from '../../core/errors.ts';

/** `skipped`: it could not be looked at, or there is nothing to look at; never a pass. */
export type Severity = 'ok' | 'warn' | 'fail' | 'skipped';

/** The names of all checks, stable, in the order in which they are shown: what must stand first comes first. */
export const CHECK_NAMES = [
  'daemon',
  'socket',
  'unit',
  'policy',
  'consent',
  'display',
  'permissions',
  'backend',
  'state-folder',
  'disk-space',
  'clock',
  'power',
  'network',
  'enrolment',
  'collector',
] as const;

/** One of {@link CHECK_NAMES}. */
export type CheckName = (typeof CHECK_NAMES)[number];

/** One thing that was looked at. */
export interface Check {
  readonly name: CheckName;
  readonly severity: Severity;
  /** What was found, in a sentence. */
  readonly text: string;
  /** What to do about it, in words; `""` where there is nothing to do. */
  readonly fix: string;
}

/** It is as it should be, or as the person wants it. */
export function ok(name: CheckName, text: string): Check {
  return { name, severity: 'ok', text, fix: '' };
}

/** It works, but somebody should know. */
export function warn(name: CheckName, text: string, fix: string): Check {
  return { name, severity: 'warn', text, fix };
}

/** It does not work. */
export function failed(name: CheckName, text: string, fix: string): Check {
  return { name, severity: 'fail', text, fix };
}

/** It was not looked at, and why not. */
export function skipped(name: CheckName, text: string, fix = ''): Check {
  return { name, severity: 'skipped', text, fix };
}

/** The gravest severity of all; `ok` where everything else was skipped. */
export function worstOf(checks: readonly Check[]): Exclude<Severity, 'skipped'> {
  const found = (['fail', 'warn'] as const).find((severity) =>
    checks.some((check) => check.severity === severity),
  );
  return found ?? 'ok';
}

/**
 * The exit code of a diagnosis: a refused policy (12) explains what else fails, a daemon that is down (10) comes next,
 * any other failure is 1. Warnings and what was skipped are 0: they are for people to read.
 */
export function exitCodeOf(checks: readonly Check[]): number {
  const fails = checks.filter(({ severity }) => severity === 'fail').map(({ name }) => name);
  if (fails.includes('policy')) return EXIT.badConfiguration;
  if (fails.includes('daemon')) return EXIT.daemonDown;
  return fails.length > 0 ? EXIT.failed : EXIT.ok;
}
