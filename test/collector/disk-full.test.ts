import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import {
  collect,
  errorCode,
  keptFiles,
  newKey,
  put,
  type RunningCollector,
  startCollector,
  temporaryFolder,
} from './support.ts';

/** A file system of its own that holds so much; needs root. */
async function tinyDisk(size: string): Promise<string | null> {
  const folder = await temporaryFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'tmpfs', folder], {
      stdio: 'ignore',
    });
  } catch {
    return null;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', folder]));
  return folder;
}

const isRoot = process.getuid?.() === 0;

describe.skipIf(!isRoot || process.platform !== 'linux')('on a disk that is full', () => {
  it.each([
    ['bodies', 100_000],
    // Small bodies fill the disk in steps of a page, so that files, folders and rows fail in turn.
    ['files, folders and rows', 900],
  ])(
    'answers 507 with Retry-After for %s, keeps nothing half, and goes on once there is room',
    async (_what, sizeBytes) => {
      const dataDir = await tinyDisk('1200k');
      if (dataDir === null) return;
      const collector = await startCollector(dataDir);
      const kept = new Set<string>();
      let refusals = 0;
      for (let attempt = 0; attempt < 400 && refusals < 12; attempt++) {
        const key = newKey();
        const reply = await put(collector.url, key, randomBytes(sizeBytes));
        if (reply.status === 201) {
          kept.add(`segments/${key.device}/${key.segment}.tlm`);
          continue;
        }
        expect([reply.status, errorCode(reply)]).toEqual([507, 'storage-full']);
        expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
        refusals += 1;
      }
      expect(refusals).toBe(12);
      expect(await keptFiles(dataDir)).toEqual([...kept].sort());
      expect(await listed(collector)).toEqual([...kept].sort());

      // Someone makes room. (Also the write-ahead log needs some.)
      for (const name of [...kept].slice(0, Math.ceil(200_000 / sizeBytes))) await rm(join(dataDir, name));
      expect((await put(collector.url, newKey(), randomBytes(sizeBytes))).status).toBe(201);
    },
  );
});

async function listed({ dataDir }: RunningCollector): Promise<string[]> {
  const { catalog } = booksInFolder(dataDir, 'read-only', Date.now);
  await catalog.start();
  const rows = await collect(catalog.list());
  await catalog.stop();
  return rows.map(({ device, segment }) => `segments/${device}/${segment}.tlm`).sort();
}
