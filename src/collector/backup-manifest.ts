import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TelemetryError } from '../core/errors.ts';

/** Lies in a backup and is written last: a folder without it is no whole backup. */
export const MANIFEST = 'backup.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const manifestSchema = z.object({
  schema: z.literal(1),
  /** Everything that was acknowledged before this is in it. */
  startedAt: z.iso.datetime(),
  collector: z.string(),
  /** Books and key, by name. */
  files: z.record(z.string().regex(/^[\w.-]+$/), sha256),
  segments: z.int().min(0),
  bytes: z.int().min(0),
  /** Rows whose objects were gone or damaged, as `device/segment`. */
  missing: z.array(z.string()),
});

/** What a backup says of itself. */
export type Manifest = z.infer<typeof manifestSchema>;

/** The manifest of a backup, or an error that says that it is none. */
export async function readManifest(folder: string): Promise<Manifest> {
  try {
    return manifestSchema.parse(JSON.parse(await readFile(join(folder, MANIFEST), 'utf8')));
  } catch (cause) {
    throw new TelemetryError('failed', `${folder} is not a whole backup of a collector`, {
      op: 'read backup',
      hint: 'name the folder that telemetry-collector backup --to was given and that it said was done',
      cause: cause instanceof z.ZodError ? undefined : cause,
    });
  }
}
