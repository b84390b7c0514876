import { join } from 'node:path';
import { readStateFile, writeStateFile } from './state-file.ts';

/** Whether `announced.json` says that the person was told in this boot that recording began. In doubt they are told. */
export function wasAnnounced(stateDir: string, bootId: string): boolean {
  const read = readStateFile(pathOf(stateDir), parse);
  return read.kind === 'ok' && read.value === bootId;
}

/** Replaces it; durable when it returns. */
export function writeAnnounced(stateDir: string, bootId: string): void {
  writeStateFile(pathOf(stateDir), { schema: 1, bootId });
}

function parse(json: unknown): string {
  if (typeof json !== 'object' || json === null || !('bootId' in json) || typeof json.bootId !== 'string')
    throw new Error('not such a file');
  return json.bootId;
}

function pathOf(stateDir: string): string {
  return join(stateDir, 'announced.json');
}
