import { join } from 'node:path';
import type { ErasureRequest, PurgedSegment, PurgeScope } from '../core/purge.ts';
import { removeFile } from './durable-file.ts';
import { isUuid } from './identifiers.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** A purge that has begun: whatever ends the process, the next one finishes it. */
export interface PurgeIntent {
  readonly id: string;
  readonly scope: PurgeScope;
  /** Milliseconds since the epoch. */
  readonly startedWallMs: number;
  /** What collectors are to be asked; `null` while that is not known, and then nothing was deleted yet. */
  readonly erasures: readonly ErasureRequest[] | null;
  /** What it had found: some of that may be gone already, and belongs on the receipt. */
  readonly found: readonly PurgedSegment[];
}

/** Writes `purge.json`; durable when it returns. */
export function writePurgeIntent(stateDir: string, intent: PurgeIntent): void {
  writeStateFile(pathOf(stateDir), { schema: 1, ...intent });
}

/** The purge that was interrupted; `null` when none was. A damaged file is kept aside and purges nothing. */
export function readPurgeIntent(stateDir: string): PurgeIntent | null {
  const read = readStateFile(pathOf(stateDir), parse);
  return read.kind === 'ok' ? read.value : null;
}

/** It is done. */
export function removePurgeIntent(stateDir: string): void {
  removeFile(pathOf(stateDir));
}

function parse(json: unknown): PurgeIntent {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const { id, startedWallMs, erasures } = fields;
  if (typeof id !== 'string' || !isUuid(id) || typeof startedWallMs !== 'number')
    throw new Error('not a purge');
  return {
    id,
    scope: parseScope(fields['scope']),
    startedWallMs,
    erasures: Array.isArray(erasures) ? erasures.map(parseErasure) : null,
    // Written by ourselves under the folder's lock, and only ever shown.
    found: Array.isArray(fields['found']) ? (fields['found'] as PurgedSegment[]) : [],
  };
}

/** Checks a scope that came as JSON. */
function parseScope(json: unknown): PurgeScope {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const { kind, fromWallMs } = fields;
  if (kind === 'unsent' || kind === 'sent' || kind === 'all') return { kind };
  if (kind === 'last' && typeof fromWallMs === 'number' && Number.isFinite(fromWallMs))
    return { kind, fromWallMs };
  throw new Error('not a scope');
}

function parseErasure(json: unknown): ErasureRequest {
  const fields: Readonly<Record<string, unknown>> =
    typeof json === 'object' && json !== null ? { ...json } : {};
  const { request, destination, segments } = fields;
  if (
    typeof request !== 'string' ||
    !isUuid(request) ||
    typeof destination !== 'string' ||
    !Array.isArray(segments)
  )
    throw new Error('not a request');
  return { request, destination, segments: segments.filter((id) => typeof id === 'string') };
}

function pathOf(stateDir: string): string {
  return join(stateDir, 'purge.json');
}
