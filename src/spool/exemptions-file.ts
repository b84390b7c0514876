import { join } from 'node:path';
import type { Deadline } from '../core/deadline.ts';
import type { Exemption, ExemptionDecision, ExemptionState, RecordingWindow } from '../core/exemption.ts';
import { parseScope } from '../core/exemption-scope.ts';
import { isUuid } from './identifiers.ts';
import { readStateFile, type StateRead, writeStateFile } from './state-file.ts';

const FILE = 'exemptions.json';
const STATES: readonly ExemptionState[] = ['queued', 'pending', 'approved', 'denied', 'withdrawn', 'expired'];

/** The person's exemptions, as `exemptions.json` keeps them: `{ "schema": 1, "exemptions": [Exemption, …] }`. */
export function readExemptions(stateDir: string): StateRead<readonly Exemption[]> {
  return readStateFile(join(stateDir, FILE), parseExemptions);
}

/** Replaces the file; durable when it returns. */
export function writeExemptions(stateDir: string, exemptions: readonly Exemption[]): void {
  writeStateFile(join(stateDir, FILE), { schema: 1, exemptions });
}

/** The exemptions in the file's JSON, for those who may only look; throws when it is not such a file. */
export function parseExemptions(json: unknown): Exemption[] {
  const fields = objectOf(json);
  if (fields['schema'] !== 1) throw new Error('written by a newer version');
  const { exemptions } = fields;
  if (!Array.isArray(exemptions)) throw new Error('no list of exemptions');
  return exemptions.map(parseExemption);
}

function parseExemption(json: unknown): Exemption {
  const fields = objectOf(json);
  const state = STATES.find((known) => known === fields['state']);
  const id = textOf(fields, 'id');
  const scope = textOf(fields, 'scope');
  if (state === undefined || !isUuid(id) || parseScope(scope) === undefined)
    throw new Error('not an exemption');
  return {
    id,
    state,
    scope,
    destination: textOf(fields, 'destination'),
    askedWallMs: numberOf(fields, 'askedWallMs'),
    end: parseDeadline(fields['end']),
    reason: fields['reason'] === null ? null : textOf(fields, 'reason'),
    window: parseWindow(fields['window']),
    decision: fields['decision'] === null ? null : parseDecision(fields['decision']),
    release: fields['release'] === null ? null : parseDeadline(fields['release']),
    isClearing: flagOf(fields, 'isClearing'),
    isWithdrawalDue: flagOf(fields, 'isWithdrawalDue'),
  };
}

function parseDeadline(json: unknown): Deadline {
  const fields = objectOf(json);
  return {
    startWallMs: numberOf(fields, 'startWallMs'),
    bootId: textOf(fields, 'bootId'),
    untilBootMs: numberOf(fields, 'untilBootMs'),
    untilWallMs: numberOf(fields, 'untilWallMs'),
    remainingMs: numberOf(fields, 'remainingMs'),
  };
}

function parseWindow(json: unknown): RecordingWindow {
  const fields = objectOf(json);
  const to = fields['to'] === null ? null : objectOf(fields['to']);
  return {
    fromSequence: numberOf(fields, 'fromSequence'),
    fromWallMs: numberOf(fields, 'fromWallMs'),
    to: to === null ? null : { sequence: numberOf(to, 'sequence'), wallMs: numberOf(to, 'wallMs') },
  };
}

function parseDecision(json: unknown): ExemptionDecision {
  const fields = objectOf(json);
  const { verdict } = fields;
  if (verdict !== 'approved' && verdict !== 'denied') throw new Error('a decision that is none');
  return {
    verdict,
    by: textOf(fields, 'by'),
    reason: textOf(fields, 'reason'),
    atWallMs: numberOf(fields, 'atWallMs'),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function objectOf(json: unknown): Fields {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Error('not an exemption');
  return { ...json };
}

function numberOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new Error(`an exemption without ${name}`);
}

function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value === 'string') return value;
  throw new Error(`an exemption without ${name}`);
}

function flagOf(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value === 'boolean') return value;
  throw new Error(`an exemption without ${name}`);
}
