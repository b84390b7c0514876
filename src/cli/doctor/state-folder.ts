import { accessSync, constants, readdirSync, type Stats, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { roughBytes } from '../../core/amounts.ts';
import { STAGES } from '../../spool/folders.ts';
import { type Check, failed, ok, skipped, warn } from './check.ts';
import { look } from './look.ts';
import type { Patient } from './patient.ts';

/** A quarter of an hour of input has at most a few hundred KB, and sealing needs as much again: 8 MB are a day. */
const LEAST_BYTES = 8_000_000;

/** Whether the daemon's folder is there, its own, closed to others, and can be written to. */
export function stateFolder({ stateDir, place, io }: Patient): Check {
  const stats = look(stateDir);
  const closed = skipped(
    'state-folder',
    `${stateDir} is closed to this account, as it should be.`,
    'sudo telemetryctl doctor',
  );
  if (stats === 'closed') return closed;
  if (stats === undefined)
    return skipped('state-folder', `There is no ${stateDir} yet; the first start makes it.`);
  if (!stats.isDirectory())
    return failed('state-folder', `${stateDir} is not a folder.`, `mv ${stateDir} ${stateDir}.old`);
  const { uid } = io.around;
  if (place.kind === 'user' && stats.uid !== uid)
    return failed(
      'state-folder',
      `${stateDir} belongs to uid ${stats.uid}, and the daemon runs as uid ${uid}.`,
      `sudo chown -R ${uid} ${stateDir}`,
    );
  if ((stats.mode & 0o077) !== 0)
    return failed(
      'state-folder',
      `Others may look into ${stateDir} (mode ${octal(stats)}).`,
      `chmod 700 ${stateDir}`,
    );
  if (stats.uid !== uid && uid !== 0) return closed;
  const wrong = wrongWithin(stateDir, stats.uid);
  if (wrong !== undefined) return failed('state-folder', wrong.text, wrong.fix);
  const refusal = refusedWrite(stateDir);
  if (refusal !== null)
    return failed(
      'state-folder',
      `${stateDir} cannot be written to: ${refusal}.`,
      `make it writable for uid ${stats.uid}`,
    );
  return ok('state-folder', `${stateDir} is closed to others and can be written to.`);
}

/** Whether there is room for what is recorded, and how much of it. */
export function diskSpace({ stateDir, heard, policy }: Patient): Check {
  const problem = heard.kind === 'own' ? heard.status.spool.problem : null;
  if (problem !== null)
    return failed(
      'disk-space',
      `The daemon cannot store: ${problem}.`,
      `make room on the disk that holds ${stateDir}`,
    );
  const folder = nearest(stateDir);
  let freeBytes: number;
  let freeFiles: number;
  try {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    freeBytes = bavail * bsize;
    // Some file systems (btrfs) make files as they need them and say 0 of 0.
    freeFiles = files === 0 ? Infinity : ffree;
  } catch {
    return skipped('disk-space', `${folder} does not say how much room it has.`);
  }
  const free = `${roughBytes(freeBytes)} are free where ${stateDir} is`;
  if (freeBytes < LEAST_BYTES)
    return failed('disk-space', `Only ${free}; recording stops when it is full.`, 'make room on that disk');
  if (freeFiles < 100)
    return failed(
      'disk-space',
      `No more files can be made where ${stateDir} is.`,
      'remove small files from that disk',
    );
  const limitBytes =
    heard.kind === 'own' ? heard.status.spool.limitBytes : (policy.policy?.spool.limitBytes ?? 0);
  const usedBytes = heard.kind === 'own' ? heard.status.spool.bytes : 0;
  const wantedBytes = Math.max(0, limitBytes - usedBytes);
  if (freeBytes < wantedBytes)
    return warn(
      'disk-space',
      `${free}, less than the policy lets telemetryd use (${roughBytes(limitBytes)}).`,
      'make room, or set a smaller spool.limit',
    );
  return ok('disk-space', `${free}.`);
}

/** The first thing in the folder that is another's, or open to others. */
function wrongWithin(
  stateDir: string,
  owner: number,
): { readonly text: string; readonly fix: string } | undefined {
  for (const name of readdirSync(stateDir)) {
    const path = join(stateDir, name);
    const stats = look(path);
    if (stats === undefined || stats === 'closed' || stats.isSymbolicLink() || stats.isSocket()) continue;
    if (stats.uid !== owner)
      return {
        text: `${path} belongs to uid ${stats.uid} instead of ${owner}.`,
        fix: `sudo chown -R ${owner} ${stateDir}`,
      };
    const isKey = /^device-key\b.*\.json$/.test(name);
    const isStage = (STAGES as readonly string[]).includes(name);
    if ((isKey || isStage) && (stats.mode & 0o077) !== 0)
      return { text: `Others may read ${path} (mode ${octal(stats)}).`, fix: `chmod go= ${path}` };
  }
  return undefined;
}

/** Why a file could not be made there; asks the kernel and makes none. `null`: it could. */
function refusedWrite(folder: string): string | null {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'EROFS' ? 'the disk is mounted read-only' : 'the account may not';
  }
}

function nearest(path: string): string {
  for (let folder = path; ; folder = dirname(folder)) {
    if (typeof look(folder) === 'object' || folder === dirname(folder)) return folder;
  }
}

function octal({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, '0');
}
