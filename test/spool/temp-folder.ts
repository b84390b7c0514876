import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A new empty folder that is gone after the test. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'telemetryd-spool-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file system of 64 KiB of its own; `undefined` where it may not be mounted. */
export function tinyDisk(): string | undefined {
  const folder = tempFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', [folder]));
  return folder;
}

/** Fills a disk to its last byte with a file `ballast`. */
export function fillDisk(folder: string): void {
  const fd = openSync(`${folder}/ballast`, 'w');
  try {
    for (;;) writeSync(fd, new Uint8Array(4096));
  } catch {
    closeSync(fd);
  }
}
