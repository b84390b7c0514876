import type { SealEffort } from '../../segment/seal.ts';
import { parseFacts } from '../facts-file.ts';
import { isUuid } from '../identifiers.ts';
import type { SealResult } from '../sealing.ts';

/** What the sealing program is to do, one JSON document on its standard input; keys never go on a command line. */
export type SealOrder =
  /** Wrap a journal's key (base64) for the recipients. */
  | { readonly type: 'wrap'; readonly key: string; readonly recipients: readonly string[] }
  /** Seal a closed or crashed encrypted journal. */
  | {
      readonly type: 'seal';
      readonly stateDir: string;
      readonly id: string;
      readonly path: string;
      readonly isCrashed: boolean;
      readonly key: string;
      readonly recipients: readonly string[];
      readonly effort: SealEffort;
    };

/** Its answer, one JSON document on its standard output. */
export type SealAnswer =
  | { readonly type: 'wrapped'; readonly wrapped: string }
  | { readonly type: 'done'; readonly result: SealResult }
  /** `isDisk`: the disk refused. */
  | { readonly type: 'failed'; readonly message: string; readonly isDisk: boolean };

/** Checks an order that came as JSON; throws when it is none. */
export function parseOrder(json: unknown): SealOrder {
  const fields = fieldsOf(json);
  const recipients = fields['recipients'];
  if (!Array.isArray(recipients) || !recipients.every((item) => typeof item === 'string'))
    throw new Error('no recipients');
  const key = text(fields, 'key');
  switch (fields['type']) {
    case 'wrap':
      return { type: 'wrap', key, recipients };
    case 'seal': {
      const id = text(fields, 'id');
      if (!isUuid(id)) throw new Error('the id is not a UUID');
      const isCrashed = fields['isCrashed'] === true;
      return {
        type: 'seal',
        stateDir: text(fields, 'stateDir'),
        id,
        path: text(fields, 'path'),
        isCrashed,
        key,
        recipients,
        effort: fields['effort'] === 'smallest' ? 'smallest' : 'quick',
      };
    }
    default:
      throw new Error('no such order');
  }
}

/** Checks an answer that came as JSON; throws when it is none. */
export function parseAnswer(json: unknown): SealAnswer {
  const fields = fieldsOf(json);
  switch (fields['type']) {
    case 'wrapped':
      return { type: 'wrapped', wrapped: text(fields, 'wrapped') };
    case 'failed':
      return { type: 'failed', message: text(fields, 'message'), isDisk: fields['isDisk'] === true };
    case 'done':
      return { type: 'done', result: parseResult(fields['result']) };
    default:
      throw new Error('no such answer');
  }
}

function parseResult(json: unknown): SealResult {
  const fields = fieldsOf(json);
  switch (fields['kind']) {
    case 'sealed':
      return { kind: 'sealed', facts: parseFacts(fields['facts']) };
    case 'empty':
      return { kind: 'empty', id: text(fields, 'id') };
    case 'quarantined':
      return { kind: 'quarantined', id: text(fields, 'id'), why: text(fields, 'why') };
    default:
      throw new Error('no such result');
  }
}

function fieldsOf(json: unknown): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null) throw new Error('not an object');
  return { ...json };
}

function text(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new Error(`no ${name}`);
  return value;
}
