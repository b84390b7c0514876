import { globSync, lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { isAgeFile } from '../segment/age-recipient.ts';
import { headerOf } from '../segment/read.ts';
import { readSegmentFile, type SegmentOpener } from './segment-file.ts';

/** Bytes that hold every header (`docs/SEGMENT.md`: at most 8192, and the magic and frame around it). */
const HEAD_BYTES = 8192 + 64;

/**
 * The files that the words of a command line mean, each once: a file itself, the segment files in a folder and below, or
 * those that match a pattern the shell left alone. A word that means nothing is kept as a path, for its error.
 */
export function expandInputs(words: readonly string[], cwd: string): string[] {
  const found = new Map<string, string>();
  for (const word of words) {
    for (const path of expand(word, cwd)) {
      const real = realPath(resolve(cwd, path));
      if (!found.has(real)) found.set(real, path);
    }
  }
  return [...found.values()];
}

/**
 * Paths by when their segments began. When all are named by ids, which begin with the time, no file is opened for it;
 * else the headers say, and encrypted files have to be opened. What cannot be read goes last.
 */
export async function inOrderOfTime(
  paths: readonly string[],
  cwd: string,
  opener: SegmentOpener,
): Promise<string[]> {
  const byName = paths.map((path) => ({ path, startMs: timeOfId(basename(path)) }));
  const dated = byName.some(({ startMs }) => Number.isNaN(startMs))
    ? await byHeader(paths, cwd, opener)
    : byName;
  return dated
    .toSorted((a, b) => a.startMs - b.startMs || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    .map(({ path }) => path);
}

function expand(word: string, cwd: string): string[] {
  const kind = kindOf(resolve(cwd, word));
  if (kind === 'folder') return segmentFilesBelow(word, cwd);
  if (kind === 'none' && /[*?[{]/.test(word)) {
    const matches = globSync(word, { cwd }).sort();
    const files = matches.flatMap((match) =>
      kindOf(resolve(cwd, match)) === 'folder' ? segmentFilesBelow(match, cwd) : [match],
    );
    if (files.length > 0) return files;
  }
  return [word];
}

/** Links are not followed: a folder of them could lead anywhere, or round in circles. */
function segmentFilesBelow(folder: string, cwd: string): string[] {
  const entries = readdirSync(resolve(cwd, folder), { withFileTypes: true });
  return entries
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return segmentFilesBelow(path, cwd);
      return entry.isFile() && /\.tlm(\.age)?$/.test(entry.name) ? [path] : [];
    });
}

function kindOf(path: string): 'folder' | 'other' | 'none' {
  try {
    return statSync(path).isDirectory() ? 'folder' : 'other';
  } catch {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'none' : 'other';
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** Milliseconds since the epoch, by an id of version 7 at the start of a name (RFC 9562, 5.7); else NaN. */
function timeOfId(name: string): number {
  const [, high = '', low = ''] = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-/.exec(name) ?? [];
  return Number.parseInt(high + low, 16);
}

async function byHeader(
  paths: readonly string[],
  cwd: string,
  opener: SegmentOpener,
): Promise<{ path: string; startMs: number }[]> {
  const dated: { path: string; startMs: number }[] = [];
  for (const path of paths) dated.push({ path, startMs: await startOf(path, cwd, opener) });
  return dated;
}

/** Last for what cannot be read: its error is for whoever exports it. */
async function startOf(path: string, cwd: string, opener: SegmentOpener): Promise<number> {
  try {
    const head = await readSegmentFile(resolve(cwd, path), HEAD_BYTES);
    const header = isAgeFile(head) ? (await opener.open(path)).segment.header : headerOf(head);
    return header.startWallMs;
  } catch {
    return Number.MAX_VALUE;
  }
}
