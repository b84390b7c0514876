import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { readConfig } from '../policy/read-config.ts';
import { ensureFolder, writeDurably } from '../spool/durable-file.ts';
import { preferencesPlace } from './daemon.ts';
import type { CliIo } from './io.ts';

/** The person's own `preferences.toml`: where it lies and what it says, `""` when there is none. */
export interface PreferencesFile {
  readonly path: string;
  readonly text: string;
}

/** Reads the person's preferences. Throws when the daemon would refuse the file as it is. */
export function readPreferences(io: CliIo): PreferencesFile {
  const path = preferencesPlace(io);
  const read = readConfig(path, { uids: [io.around.uid], words: 'the person' });
  if (read.kind === 'absent') return { path, text: '' };
  const problem = read.kind === 'refused' ? read.problem : read.unsafe;
  if (read.kind === 'text' && problem === null) return { path, text: read.text };
  throw new TelemetryError(
    'bad-configuration',
    `${problem?.where ?? path} ${problem?.text ?? 'is refused'}.`,
    {
      op: 'read preferences',
      hint: problem?.hint ?? '',
    },
  );
}

/** Replaces the person's preferences: at once and for good, 0600, and never what a symbolic link points to. */
export function writePreferences({ path }: PreferencesFile, text: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    throw new TelemetryError('failed', `${path} is a symbolic link, which is not followed to write.`, {
      op: 'write preferences',
      hint: 'change the file it points to by hand, then telemetryctl policy show',
    });
  }
  ensureFolder(dirname(path));
  writeDurably(path, new TextEncoder().encode(text));
}
