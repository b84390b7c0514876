import { join } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { diskError, errnoOf } from './disk-error.ts';
import { ensureFolder } from './durable-file.ts';
import type { FileSystem } from './file-system.ts';
import { fileSystemNode } from './file-system-node.ts';
import { isUuid } from './identifiers.ts';

/** Where a segment can be; each is a folder, and a change of stage is a rename. In the order of a segment's life. */
export const STAGES = ['journal', 'sealed', 'outbox', 'sent', 'quarantine'] as const;
export type Stage = (typeof STAGES)[number];

/**
 * What a file's name ends in. `closed`: a journal that was closed in good order and waits for sealing. `age`: a sealed
 * segment, encrypted; other encrypted files are journals whose frames are.
 */
const ENDINGS = { plain: '.tlm', closed: '.closed.tlm', age: '.tlm.age' } as const;
export type FileForm = keyof typeof ENDINGS;
const FILE_NAME = /^([0-9a-f-]{36})(\.[1-9]\d{0,5})?(\.tlm|\.closed\.tlm|\.tlm\.age)$/;

/** A segment's file as found on disk. */
export interface FoundFile {
  readonly id: string;
  readonly stage: Stage;
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
  /** Of the last write; a rename does not change it. Milliseconds since the epoch. */
  readonly modifiedWallMs: number;
  readonly form: FileForm;
}

/** Creates what is missing of the state folder and its stages, all 0700; refuses symbolic links among the stages. */
export function ensureStages(stateDir: string, files: FileSystem = fileSystemNode): void {
  ensureFolder(stateDir, true, files);
  for (const stage of STAGES) ensureFolder(join(stateDir, stage), false, files);
}

/** The path of a segment in a stage. Throws when `id` is not a UUID: no other text becomes part of a path. */
export function segmentPath(stateDir: string, stage: Stage, id: string, form: FileForm = 'plain'): string {
  return join(stateDir, stage, `${checkId(id)}${ENDINGS[form]}`);
}

/** The path of the n-th copy of a segment in quarantine, from 1; the first has the plain name. */
export function quarantinePath(stateDir: string, id: string, copy: number, isAge: boolean): string {
  const ending = isAge ? ENDINGS.age : ENDINGS.plain;
  return join(stateDir, 'quarantine', `${checkId(id)}${copy === 1 ? '' : `.${copy}`}${ending}`);
}

function checkId(id: string): string {
  if (isUuid(id)) return id;
  throw new TelemetryError('usage', 'a segment id must be a UUID in small letters', { op: 'name segment' });
}

/**
 * The segment files of one stage by name, that is oldest first for ids of version 7. Symbolic links, folders and names
 * that are none of ours are passed over; a missing folder has no files.
 */
export function listStage(stateDir: string, stage: Stage, files: FileSystem = fileSystemNode): FoundFile[] {
  const folder = join(stateDir, stage);
  if (!isFolder(folder, files)) return [];
  return files
    .readdirSync(folder)
    .sort()
    .flatMap((name) => inspectFile(folder, stage, name, files) ?? []);
}

function inspectFile(folder: string, stage: Stage, name: string, files: FileSystem): FoundFile | undefined {
  const [, id = '', copy = '', ending = ''] = FILE_NAME.exec(name) ?? [];
  const form = (['plain', 'closed', 'age'] as const).find((candidate) => ENDINGS[candidate] === ending);
  if (!isUuid(id) || form === undefined || (copy !== '' && stage !== 'quarantine')) return undefined;
  if (form === 'closed' ? stage !== 'journal' : form === 'age' && stage === 'journal') return undefined;
  const path = join(folder, name);
  const stats = files.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || !stats.isFile()) return undefined;
  const { size: sizeBytes, mtimeMs: modifiedWallMs } = stats;
  return { id, stage, name, path, sizeBytes, modifiedWallMs, form };
}

function isFolder(path: string, files: FileSystem): boolean {
  try {
    return files.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
  } catch (cause) {
    if (errnoOf(cause) === 'ENOTDIR') return false;
    throw diskError('read', path, cause);
  }
}
