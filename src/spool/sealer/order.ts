import type { SealEffort } from '../../segment/seal.ts';
import { parseFacts } from '../facts-file.ts';
import { isUuid } from '../identifiers.ts';
import type { SealResult } from '../sealing.ts';
import { type CutResult, parseCut } from './cut-result.ts';

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
      /** Also encrypt for a key made for this one file, and say which: with it the file can be cut later. */
      readonly hasCutKey: boolean;
    }
  /** Leave out of a segment file what happened from a time on, and make a new sealed file of the rest. */
  | {
      readonly type: 'cut';
      readonly stateDir: string;
      readonly path: string;
      /** The id of what is left; the file stays as it is. */
      readonly newId: string;
      readonly fromWallMs: number;
      /** Opens a sealed file, or is the key (base64) of an encrypted journal; `""` for a file that is not encrypted. */
      readonly identity: string;
      readonly key: string;
      /** Empty for a file that is not to be encrypted, as that of a replay. */
      readonly recipients: readonly string[];
      readonly hasCutKey: boolean;
    };

/** Its answer, one JSON document on its standard output. */
export type SealAnswer =
  | { readonly type: 'wrapped'; readonly wrapped: string }
  | { readonly type: 'done'; readonly result: SealResult; readonly cutIdentity: string | null }
  | { readonly type: 'cut'; readonly result: CutResult; readonly cutIdentity: string | null }
  /** `isDisk`: the disk refused. */
  | { readonly type: 'failed'; readonly message: string; readonly isDisk: boolean };

/** Checks an order that came as JSON; throws when it is none. */
export function parseOrder(json: unknown): SealOrder {
  const fields = fieldsOf(json);
  const recipients = fields['recipients'];
  if (!Array.isArray(recipients) || !recipients.every((item) => typeof item === 'string'))
    throw new Error('no recipients');
  switch (fields['type']) {
    case 'wrap':
      return { type: 'wrap', key: text(fields, 'key'), recipients };
    case 'cut': {
      const newId = text(fields, 'newId');
      if (!isUuid(newId)) throw new Error('the id is not a UUID');
      return {
        type: 'cut',
        stateDir: text(fields, 'stateDir'),
        path: text(fields, 'path'),
        newId,
        fromWallMs: time(fields, 'fromWallMs'),
        identity: text(fields, 'identity'),
        key: text(fields, 'key'),
        recipients,
        hasCutKey: fields['hasCutKey'] === true,
      };
    }
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
        key: text(fields, 'key'),
        recipients,
        effort: fields['effort'] === 'smallest' ? 'smallest' : 'quick',
        hasCutKey: fields['hasCutKey'] === true,
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
      return { type: 'done', result: parseResult(fields['result']), cutIdentity: cutIdentity(fields) };
    case 'cut':
      return { type: 'cut', result: parseCut(fields['result']), cutIdentity: cutIdentity(fields) };
    default:
      throw new Error('no such answer');
  }
}

function cutIdentity(fields: Readonly<Record<string, unknown>>): string | null {
  const identity = fields['cutIdentity'];
  return typeof identity === 'string' ? identity : null;
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

function time(fields: Readonly<Record<string, unknown>>, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`no ${name}`);
  return value;
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
