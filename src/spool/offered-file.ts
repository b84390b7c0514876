import { join } from 'node:path';
import type { FileSystem } from './file-system.ts';
import { isUuid } from './identifiers.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

/** Segments that were given to an uploader and not recorded as sent: by id, where they may have arrived all the same. */
export type Offered = ReadonlyMap<string, string>;

/** Reads `offered.json`. A damaged one is kept aside and counts as empty. */
export function readOffered(stateDir: string, files: FileSystem): Map<string, string> {
  const read = readStateFile(pathOf(stateDir), parse, files);
  return read.kind === 'ok' ? read.value : new Map<string, string>();
}

/** Replaces it; durable when it returns. */
export function writeOffered(stateDir: string, offered: Offered, files: FileSystem): void {
  writeStateFile(pathOf(stateDir), { schema: 1, offered: Object.fromEntries(offered) }, files);
}

function parse(json: unknown): Map<string, string> {
  if (typeof json !== 'object' || json === null || !('offered' in json)) throw new Error('not such a file');
  const entries = Object.entries(json.offered ?? {});
  return new Map(
    entries.filter((entry): entry is [string, string] => isUuid(entry[0]) && typeof entry[1] === 'string'),
  );
}

function pathOf(stateDir: string): string {
  return join(stateDir, 'offered.json');
}
