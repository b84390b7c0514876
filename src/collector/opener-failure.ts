import { EXIT, TelemetryError } from '../core/errors.ts';

/**
 * Why a program failed that opens for the collector what it cannot: what is wrong and what to do as the program says
 * it on two lines of standard error, else `otherwise`.
 */
export function openerFailure(
  exitCode: number | null,
  said: string,
  otherwise: { readonly message: string; readonly op: string; readonly hint: string },
): TelemetryError {
  const [message = '', hint = ''] = said.split('\n');
  return new TelemetryError(
    exitCode === EXIT.notPermitted ? 'not-permitted' : exitCode === EXIT.usage ? 'usage' : 'failed',
    message === '' ? otherwise.message : message,
    { op: otherwise.op, hint: hint === '' ? otherwise.hint : hint },
  );
}
