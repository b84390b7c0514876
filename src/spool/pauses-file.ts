import { join } from 'node:path';
import type { Pause, Requester } from '../core/pause.ts';
import { readStateFile, type StateRead, writeStateFile } from './state-file.ts';

const FILE = 'pauses.json';

/**
 * The pauses that stand, as `pauses.json` keeps them over restarts: `{ "schema": 1, "pauses": [Pause, …] }`. The daemon
 * writes it while it runs, `telemetryctl pause` while it does not.
 */
export function readPauses(stateDir: string): StateRead<readonly Pause[]> {
  return readStateFile(join(stateDir, FILE), parsePauses);
}

/** Replaces the file; durable when it returns. */
export function writePauses(stateDir: string, pauses: readonly Pause[]): void {
  writeStateFile(join(stateDir, FILE), { schema: 1, pauses });
}

/** The pauses in the file's JSON, for those who may only look; throws when it is not such a file. */
export function parsePauses(json: unknown): Pause[] {
  if (typeof json !== 'object' || json === null || !('schema' in json) || !('pauses' in json)) {
    throw new Error('not a file of pauses');
  }
  if (json.schema !== 1) throw new Error('written by a newer version');
  if (!Array.isArray(json.pauses)) throw new Error('no list of pauses');
  return json.pauses.map(parsePause);
}

function parsePause(json: unknown): Pause {
  if (typeof json !== 'object' || json === null) throw new Error('not a pause');
  const fields: Readonly<Record<string, unknown>> = { ...json };
  const number = (name: string): number => {
    const value = fields[name];
    if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`a pause without ${name}`);
    return value;
  };
  const { requester, reason, bootId } = fields;
  if (!isRequester(requester)) throw new Error('a pause of nobody');
  if (typeof reason !== 'string' || typeof bootId !== 'string')
    throw new Error('a pause without reason or boot');
  return {
    requester,
    reason,
    askedMs: number('askedMs'),
    startWallMs: number('startWallMs'),
    bootId,
    untilBootMs: number('untilBootMs'),
    untilWallMs: number('untilWallMs'),
    remainingMs: number('remainingMs'),
  };
}

function isRequester(value: unknown): value is Requester {
  return value === 'person' || (typeof value === 'string' && /^uid:\d{1,10}$/.test(value));
}
