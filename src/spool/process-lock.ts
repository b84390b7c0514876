import { linkSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { TelemetryError } from '../core/errors.ts';
import { diskError, errnoOf } from './disk-error.ts';
import { ensureFolder, readPlainFile, removeFile, writeDurably } from './durable-file.ts';
import { isRunning, ownIdentity, type ProcessIdentity } from './process-identity.ts';

const LOCK_NAME = /^daemon\.lock\.([1-9]\d{0,14})$/;

/** A held lock. */
export interface ProcessLock {
  /** Idempotent. */
  release(): void;
}

/**
 * Takes the state folder (created when missing) for this process, or throws a {@link TelemetryError} that names the one that has it. A dead
 * holder (kill -9, reboot, its number reused) is succeeded.
 *
 * Locks are numbered: `daemon.lock.<n>`, the highest counts. A successor *links* n+1, which only one process can, and
 * never removes or replaces n first; so there is no moment in which two could both believe that they cleared a stale
 * lock. Lower ones are removed by the holder of a higher one. Releasing leaves the file, marked free, because the
 * highest number must not come down.
 */
export function acquireProcessLock(stateDir: string, bootId: string): ProcessLock {
  ensureFolder(stateDir, true);
  const draft = join(stateDir, `daemon.lock.tmp-${process.pid}`);
  writeDurably(draft, encode(ownIdentity(bootId)));
  try {
    for (;;) {
      const top = highest(stateDir);
      const holder = top === 0 ? undefined : holderOf(lockPath(stateDir, top));
      if (holder !== undefined && isRunning(holder, bootId)) throw heldBy(holder, stateDir);
      const mine = top + 1;
      if (!tryLink(draft, lockPath(stateDir, mine))) continue;
      // Someone may have gone past n+1 and removed it between our look and our link: then ours counts for nothing.
      if (highest(stateDir) !== mine) {
        removeFile(lockPath(stateDir, mine));
        continue;
      }
      removeBelow(stateDir, mine);
      return heldLock(lockPath(stateDir, mine), bootId);
    }
  } finally {
    removeFile(draft);
  }
}

/** The process that holds a state folder; `undefined` when none does. Changes nothing. */
export function findLockHolder(stateDir: string, bootId: string): ProcessIdentity | undefined {
  const top = highest(stateDir);
  const holder = top === 0 ? undefined : holderOf(lockPath(stateDir, top));
  return holder !== undefined && isRunning(holder, bootId) ? holder : undefined;
}

function highest(stateDir: string): number {
  return Math.max(0, ...lockNumbers(stateDir));
}

function lockNumbers(stateDir: string): number[] {
  try {
    return readdirSync(stateDir).flatMap((name) => {
      const digits = LOCK_NAME.exec(name)?.[1];
      return digits === undefined ? [] : [Number(digits)];
    });
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT') return [];
    throw diskError('read', stateDir, cause);
  }
}

function lockPath(stateDir: string, n: number): string {
  return join(stateDir, `daemon.lock.${n}`);
}

/** Who wrote a lock; nobody when it is free, gone, or damaged (it was whole when linked: only a power cut does that). */
function holderOf(path: string): ProcessIdentity | undefined {
  const bytes = readPlainFile(path);
  if (bytes === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json !== 'object' || json === null) return undefined;
    if (!('pid' in json) || !('startTime' in json) || !('bootId' in json)) return undefined;
    const { pid, startTime, bootId } = json;
    if (typeof pid !== 'number' || typeof startTime !== 'string' || typeof bootId !== 'string')
      return undefined;
    return pid > 0 ? { pid, startTime, bootId } : undefined;
  } catch {
    return undefined;
  }
}

function heldBy(holder: ProcessIdentity, stateDir: string): TelemetryError {
  return new TelemetryError('unavailable', `another telemetryd (pid ${holder.pid}) uses ${stateDir}`, {
    op: 'lock state folder',
    hint: `stop it (kill ${holder.pid}), or set TELEMETRYD_STATE_DIR to another folder`,
  });
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return false;
    throw diskError('create', path, cause);
  }
}

function removeBelow(stateDir: string, n: number): void {
  for (const lower of lockNumbers(stateDir)) if (lower < n) removeFile(lockPath(stateDir, lower));
}

function heldLock(path: string, bootId: string): ProcessLock {
  let isHeld = true;
  return {
    release: () => {
      if (isHeld) writeDurably(path, encode({ pid: 0, startTime: '', bootId }));
      isHeld = false;
    },
  };
}

function encode(identity: ProcessIdentity): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(identity)}\n`);
}
