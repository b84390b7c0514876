import { type ErrorCode, TelemetryError } from '../core/errors.ts';

/** A refusal by the protocol itself, with the HTTP status that says which. */
export class Refusal extends TelemetryError {
  readonly status: number;

  constructor(status: number, code: ErrorCode, message: string, hint = '') {
    super(code, message, { op: 'serve a request', hint });
    this.status = status;
  }
}
