import { join } from 'node:path';
import type { ToldHealth } from '../core/health.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** `health.json`; `null` when nothing was told yet, or nobody knows any more, which costs one more telling. */
export function readToldHealth(stateDir: string): ToldHealth | null {
  const read = readStateFile(pathIn(stateDir), parseToldHealth);
  return read.kind === 'ok' ? read.value : null;
}

/** Replaces it, durably. */
export function writeToldHealth(stateDir: string, told: ToldHealth): void {
  writeStateFile(pathIn(stateDir), { schema: 1, ...told });
}

/** The name of the file, for whoever reads it with the daemon down. */
export const HEALTH_FILE = 'health.json';

/** Checks what the file held; throws when it is something else. */
export function parseToldHealth(json: unknown): ToldHealth {
  const { destination, day, version, backend, codes } = json as Partial<Record<string, unknown>>;
  if (
    typeof destination !== 'string' ||
    typeof day !== 'string' ||
    typeof version !== 'string' ||
    typeof backend !== 'string' ||
    !Array.isArray(codes)
  )
    throw new Error('no health');
  return { destination, day, version, backend, codes: codes.filter((code) => typeof code === 'string') };
}

function pathIn(stateDir: string): string {
  return join(stateDir, HEALTH_FILE);
}
