import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { backup as copyDatabase, DatabaseSync } from 'node:sqlite';
import { TelemetryError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import { MANIFEST, type Manifest } from './backup-manifest.ts';
import { booksInFolder } from './books.ts';
import { CATALOG } from './catalog-migrations.ts';
import { codeOf } from './file-error.ts';
import { FolderSyncs } from './folder-syncs.ts';
import { findSegment } from './object-store-files.ts';
import { nameOf, type SegmentKey } from './segment-key.ts';
import { copyDurably, copyVerified, digestOf, syncFile } from './verified-copy.ts';

/** What `backup` was asked to do. */
export interface BackupOptions {
  readonly dataDir: string;
  readonly to: string;
  readonly isJson: boolean;
  readonly wallMs: () => number;
  readonly write: (text: string) => void;
}

/** In one step: between two steps a collector that is serving writes, and SQLite would begin anew, for ever. */
const ALL_PAGES = 0x7fffffff;

/**
 * Copies everything that a collector of this folder has acknowledged, while it serves or while it does not. Books first,
 * then the objects that they name, each read and compared with its row; objects never change, so that the two agree.
 */
export async function backup(options: BackupOptions): Promise<void> {
  const { dataDir, to, isJson, wallMs, write } = options;
  const startedAt = new Date(wallMs()).toISOString();
  await mustBeCollector(dataDir);
  await makeEmptyFolder(to);
  const syncs = new FolderSyncs();
  try {
    const files = await copyFiles(dataDir, to);
    const copied = await copySegments(dataDir, to, { syncs, wallMs });
    // Erasures that came meanwhile have changed it.
    files[CATALOG] = (await digestOf(join(to, CATALOG))) ?? '';
    const manifest: Manifest = { schema: 1, startedAt, collector: VERSION, files, ...copied };
    await writeFile(join(to, 'new'), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600 });
    await syncFile(join(to, 'new'));
    await rename(join(to, 'new'), join(to, MANIFEST));
    for (const folder of [to, dirname(to)]) await syncs.sync(folder);
    write(isJson ? `${JSON.stringify({ ...manifest, to })}\n` : summary(manifest, to));
    if (manifest.missing.length > 0) throw missingError(manifest.missing);
  } finally {
    syncs.stop();
  }
}

/** Rows whose objects are gone or damaged: the rest is there, and this must not pass unseen. */
export function missingError(missing: readonly string[]): TelemetryError {
  const some = missing.slice(0, 3).join(', ');
  return new TelemetryError('partly', `${missing.length} segments are gone or damaged: ${some}`, {
    op: 'read segments',
    hint: `an older backup that has them; all of them are listed in ${MANIFEST} and by --json`,
  });
}

async function mustBeCollector(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch((): string[] => []);
  if (names.includes(CATALOG)) return;
  throw new TelemetryError('failed', `${dataDir} is not the data folder of a collector`, {
    op: 'read data folder',
    hint: 'name the folder that telemetry-collector serve was given, with --data',
  });
}

/** Makes a folder for its owner alone, or takes one that is empty. */
async function makeEmptyFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await readdir(folder)).length === 0) return;
  } catch (cause) {
    throw new TelemetryError('failed', `cannot make ${folder}`, {
      op: 'make folder',
      hint: 'another folder',
      cause,
    });
  }
  throw new TelemetryError('failed', `${folder} is not empty; nothing was written`, {
    op: 'make folder',
    hint: 'a folder that is not there yet',
  });
}

/** Every book through SQLite, every other file of the folder as it is; their digests by name. */
async function copyFiles(dataDir: string, to: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(dataDir, { withFileTypes: true })) {
    const { name } = entry;
    if (!entry.isFile() || /(-wal|-shm|-journal|\.lock|\.tmp)$/.test(name)) continue;
    const target = join(to, name);
    await (name.endsWith('.sqlite') ? copyBook : copyDurably)(join(dataDir, name), target);
    files[name] = (await digestOf(target)) ?? '';
  }
  return files;
}

async function copyBook(from: string, to: string): Promise<void> {
  const live = new DatabaseSync(from, { readOnly: true, timeout: 5000 });
  try {
    await copyDatabase(live, to, { rate: ALL_PAGES });
  } finally {
    live.close();
  }
  await settleBook(to);
}

/** Without files beside it, for its owner alone and durable. */
async function settleBook(path: string): Promise<void> {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA journal_mode=DELETE');
  db.close();
  await syncFile(path);
}

type Copied = Pick<Manifest, 'segments' | 'bytes' | 'missing'>;

async function copySegments(
  dataDir: string,
  to: string,
  { syncs, wallMs }: { readonly syncs: FolderSyncs; readonly wallMs: () => number },
): Promise<Copied> {
  const live = booksInFolder(dataDir, 'read-only', wallMs).catalog;
  const copy = booksInFolder(to, 'read-write', wallMs).catalog;
  await live.start();
  await copy.start();
  const erased: SegmentKey[] = [];
  const missing: string[] = [];
  let [segments, bytes] = [0, 0];
  try {
    for await (const row of copy.list()) {
      const isCopied = await copySegment(dataDir, to, row, syncs);
      // Asked after it was read: an erasure that comes later is a later erasure.
      if (await live.isErased(row)) erased.push(row);
      else if (isCopied) [segments, bytes] = [segments + 1, bytes + row.sizeBytes];
      else missing.push(nameOf(row));
    }
    for (const { device, segment } of erased) {
      await copy.erase({ device, request: randomUUID(), segments: [segment], atMs: wallMs() });
      const path = await findSegment(to, { device, segment });
      if (path !== null) await rm(path);
    }
  } finally {
    await live.stop();
    await copy.stop();
  }
  await settleBook(join(to, CATALOG));
  return { segments, bytes, missing };
}

async function copySegment(
  dataDir: string,
  to: string,
  row: SegmentKey & { readonly sha256: string },
  syncs: FolderSyncs,
): Promise<boolean> {
  const from = await findSegment(dataDir, row);
  if (from === null) return false;
  return copyVerified(from, join(to, relative(dataDir, from)), row.sha256, syncs).catch((error: unknown) => {
    // Erased between the two.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  });
}

function summary({ segments, bytes, startedAt }: Manifest, to: string): string {
  return `${segments} segments, ${bytes} bytes, as of ${startedAt}, are in ${to}.
Segments are hard links where that is on one disk with the data: copy the folder to another machine.
What is erased from now on is still in it; restore is told of that by --erasures.
`;
}
