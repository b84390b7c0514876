import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { missingError } from './backup-command.ts';
import { type Manifest, readManifest } from './backup-manifest.ts';
import { type Books, booksInFolder } from './books.ts';
import type { Catalog } from './catalog.ts';
import { parseErasureLog, type TakenBack } from './erasure-log.ts';
import { codeOf } from './file-error.ts';
import { FolderSyncs } from './folder-syncs.ts';
import { findSegment } from './object-store-files.ts';
import { nameOf } from './segment-key.ts';
import { copyDurably, copyVerified, digestOf } from './verified-copy.ts';

/** What `restore` was asked to do. */
export interface RestoreOptions {
  readonly from: string;
  readonly dataDir: string;
  /** The log of what was erased, or `none`. */
  readonly erasures: string | undefined;
  readonly isJson: boolean;
  readonly wallMs: () => number;
  readonly write: (text: string) => void;
}

/** What it came to. */
interface Restored {
  readonly segments: number;
  readonly bytes: number;
  /** Were in the backup, and were erased since. */
  readonly erased: number;
  readonly missing: readonly string[];
}

/**
 * Makes a data folder from a backup, whole or not at all. What people had erased since then does not come back: its bytes
 * are not even copied, and its tombstones stand before anything can be served.
 */
export async function restore(options: RestoreOptions): Promise<void> {
  const { from, dataDir, isJson, write } = options;
  const manifest = await readManifest(from);
  const taken = await readErasures(options, manifest);
  await mustBeEmpty(dataDir);
  const building = `${dataDir}.restoring`;
  await rm(building, { recursive: true, force: true });
  await mkdir(building, { recursive: true, mode: 0o700 });
  const syncs = new FolderSyncs();
  try {
    for (const [name, sha256] of Object.entries(manifest.files)) {
      await copyDurably(join(from, name), join(building, name)).catch(damaged(from, name));
      if ((await digestOf(join(building, name))) !== sha256) damaged(from, name)();
    }
    const { catalog, use } = booksInFolder(building, 'read-write', options.wallMs);
    await Promise.all([catalog.start(), use.start()]);
    let restored: Restored;
    try {
      const erased = await takeBack(taken, { catalog, use });
      restored = { ...(await copySegments(from, building, catalog, syncs)), erased };
    } finally {
      await use.stop();
      await catalog.stop();
    }
    await syncs.sync(building);
    await rename(building, dataDir);
    await syncs.sync(dirname(dataDir));
    const { startedAt } = manifest;
    write(
      isJson
        ? `${JSON.stringify({ schema: 1, startedAt, ...restored })}\n`
        : summary(options, manifest, restored),
    );
    if (restored.missing.length > 0) throw missingError(restored.missing);
  } finally {
    syncs.stop();
    await rm(building, { recursive: true, force: true });
  }
}

async function readErasures(
  { erasures: file }: RestoreOptions,
  { startedAt }: Manifest,
): Promise<readonly TakenBack[]> {
  if (file === undefined) {
    throw new TelemetryError('usage', `what people had erased since ${startedAt} would come back`, {
      op: 'read --erasures',
      hint: '--erasures FILE, of serve --erasure-log; or --erasures none, when nothing was erased since',
    });
  }
  if (file === 'none') return [];
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new TelemetryError('usage', `cannot read ${file}`, {
      op: 'read --erasures',
      hint: '--erasures FILE',
      cause,
    });
  });
  const { taken, broken } = parseErasureLog(text);
  // One may be the half of a line that a crash left; nobody was told that it was done.
  if (broken <= 1) return taken;
  throw new TelemetryError('failed', `${broken} lines of ${file} cannot be read`, {
    op: 'read --erasures',
    hint: 'bring back a whole copy of the file; with less of it erased segments would come back',
  });
}

async function mustBeEmpty(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw new TelemetryError('failed', `cannot read ${dataDir}`, {
      op: 'restore',
      hint: '--data DIR',
      cause: error,
    });
  });
  if (names.length === 0) return;
  throw new TelemetryError('failed', `${dataDir} is not empty; nothing was changed`, {
    op: 'restore',
    hint: 'move what is there away, or another folder with --data',
  });
}

/** Returns how many segments of the backup are erased by it. */
async function takeBack(
  taken: readonly TakenBack[],
  { catalog, use }: Pick<Books, 'catalog' | 'use'>,
): Promise<number> {
  let erased = 0;
  for (const entry of taken) {
    if ('receipts' in entry) {
      await use.withdraw(entry);
      continue;
    }
    for (const segment of entry.segments)
      if ((await catalog.find({ device: entry.device, segment })) !== null) erased += 1;
    await catalog.erase(entry);
  }
  return erased;
}

async function copySegments(
  from: string,
  to: string,
  catalog: Catalog,
  syncs: FolderSyncs,
): Promise<Omit<Restored, 'erased'>> {
  const missing: string[] = [];
  let [segments, bytes] = [0, 0];
  for await (const row of catalog.list()) {
    const path = await findSegment(from, row);
    const isThere =
      path !== null && (await copyVerified(path, join(to, relative(from, path)), row.sha256, syncs));
    if (isThere) [segments, bytes] = [segments + 1, bytes + row.sizeBytes];
    else missing.push(nameOf(row));
  }
  return { segments, bytes, missing };
}

function damaged(from: string, name: string) {
  return (cause?: unknown): never => {
    throw new TelemetryError(
      'failed',
      `${name} of the backup ${from} is gone or damaged; nothing was restored`,
      {
        op: 'restore',
        hint: 'another backup',
        cause,
      },
    );
  };
}

function summary({ dataDir, erasures }: RestoreOptions, { startedAt }: Manifest, restored: Restored): string {
  const { segments, bytes, erased } = restored;
  const told =
    erasures === 'none'
      ? `Nothing was said of erasures and withdrawals after ${startedAt}: if there were any, they are undone.`
      : `${erased} that were erased since did not come back; withdrawn consents stay withdrawn.`;
  return `${segments} segments, ${bytes} bytes, as of ${startedAt}, are in ${dataDir}.
${told}
Devices and readers revoked, and requests decided, after that time are as they were: look at
telemetry-collector devices list, readers list and exemptions list before you serve.
`;
}
