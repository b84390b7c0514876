import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeFile } from './durable-file.ts';
import { isUuid } from './identifiers.ts';

/** Where telemetryctl lays what it cut with the person's own key, for the daemon to take: `purge/`, 0700. */
export function stagingFolder(stateDir: string): string {
  return join(stateDir, 'purge');
}

/** The file of a cut that lies ready. */
export function stagedPath(stateDir: string, newId: string): string {
  if (!isUuid(newId)) throw new Error('a segment id must be a UUID');
  return join(stagingFolder(stateDir), `${newId}.cut`);
}

/** Removes what nobody took. */
export function tidyStaging(stateDir: string): void {
  try {
    for (const name of readdirSync(stagingFolder(stateDir))) removeFile(join(stagingFolder(stateDir), name));
  } catch {
    // There was never one.
  }
}
