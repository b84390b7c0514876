import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileObjectStore, segmentPath } from '../../src/collector/object-store-files.ts';
import { objectStoreContract } from './object-store-contract.ts';
import { collect, keptFiles, newKey, temporaryFolder } from './support.ts';

describe('FileObjectStore', () => {
  objectStoreContract(async () => started(await temporaryFolder()));

  it('keeps segments in files that only their owner can read', async () => {
    const dataDir = await temporaryFolder();
    const store = await started(dataDir);
    const key = newKey();
    await (await store.stage(key, one('x'))).publish();
    const path = segmentPath(dataDir, key);
    expect(path).toBe(join(dataDir, 'segments', key.device, `${key.segment}.tlm`));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    for (const folder of ['segments', `segments/${key.device}`, 'incoming']) {
      expect((await stat(join(dataDir, folder))).mode & 0o777).toBe(0o700);
    }
    expect(await readdir(join(dataDir, 'incoming'))).toEqual([]);
  });

  it('empties incoming at the start and leaves segments alone', async () => {
    const dataDir = await temporaryFolder();
    await mkdir(join(dataDir, 'incoming'));
    await writeFile(join(dataDir, 'incoming/7.part'), 'half');
    const key = newKey();
    await mkdir(join(dataDir, 'segments', key.device), { recursive: true });
    await writeFile(segmentPath(dataDir, key), 'whole');
    const store = await started(dataDir);
    expect(await keptFiles(dataDir)).toEqual([`segments/${key.device}/${key.segment}.tlm`]);
    expect(await collect(store.list())).toEqual([key]);
  });

  it('does not list what is no segment', async () => {
    const dataDir = await temporaryFolder();
    const store = await started(dataDir);
    const { device } = newKey();
    await mkdir(join(dataDir, 'segments', device));
    await mkdir(join(dataDir, 'segments', 'lost+found'));
    await writeFile(join(dataDir, 'segments', device, 'notes.tlm'), '');
    await writeFile(join(dataDir, 'segments', device, '.tlm'), '');
    expect(await collect(store.list())).toEqual([]);
  });

  it('refuses a folder that another one is using, until that one stops', async () => {
    const dataDir = await temporaryFolder();
    const first = await started(dataDir);
    const second = new FileObjectStore(dataDir);
    onTestFinished(() => second.stop());
    await expect(second.start()).rejects.toThrow('another collector is using this data folder');
    await first.stop();
    await second.start();
  });
});

async function started(dataDir: string): Promise<FileObjectStore> {
  const store = new FileObjectStore(dataDir);
  await store.start();
  onTestFinished(() => store.stop());
  return store;
}

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
