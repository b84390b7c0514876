import { type ErrorCode, TelemetryError } from '../core/errors.ts';
import { StorageFullError } from './object-store.ts';

/** What an SQLSTATE means here (PostgreSQL manual, appendix A): the code, what to say, what to try. */
const AT_START: Readonly<Record<string, readonly [ErrorCode, string, string]>> = {
  '28P01': [
    'not-permitted',
    'PostgreSQL does not know this user and password',
    'the right line in PGPASSFILE',
  ],
  '28000': ['not-permitted', 'PostgreSQL does not let this user in', 'a line for it in pg_hba.conf'],
  '3D000': ['bad-configuration', 'there is no such database', 'createdb --owner=USER NAME'],
  '42501': ['not-permitted', 'this user may not do that in the database', 'createdb --owner=USER NAME'],
};

/** States of a server that is going, coming, crowded or a standby that writes nothing. */
const PASSING = /^(08...|57P0[1-5]|53300|53400|25006|40001|40P01)$/;

const DISK_FULL = '53100';

/** Whether the server itself said no to a statement, after which its connection is as good as before. */
export function isStatementError(error: unknown): boolean {
  return stateOf(error) !== '' && !/^(08|57P)/.test(stateOf(error));
}

/** Whether two transactions came between each other: the one that hears of it begins anew. */
export function isSerializationFailure(error: unknown): boolean {
  return ['40001', '40P01'].includes(stateOf(error instanceof TelemetryError ? error.cause : error));
}

/** The error in our words. What passes by itself is `unavailable` and retryable. */
export function postgresError(error: unknown, what: string): Error {
  const state = stateOf(error);
  if (state === DISK_FULL) return new StorageFullError(`write ${what}`, error);
  const [code, message, hint] = AT_START[state] ?? [];
  if (code !== undefined && message !== undefined)
    return new TelemetryError(code, message, { op: `open ${what}`, hint: hint ?? '', cause: error });
  // No state at all: the connection broke, was refused or fell silent.
  if (state !== '' && !PASSING.test(state) && error instanceof Error) return error;
  return new TelemetryError('unavailable', `the ${what} does not answer`, {
    op: `use ${what}`,
    hint: 'see whether PostgreSQL runs at the address of --catalog',
    retryable: true,
    // One for each address of a name that has several.
    cause: error instanceof AggregateError ? error.errors[0] : error,
  });
}

function stateOf(error: unknown): string {
  const state = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^[0-9A-Z]{5}$/.test(state) && !state.startsWith('E') ? state : '';
}
