import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FileObjectStore, findSegment, segmentPath } from '../../src/collector/object-store-files.ts';
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

  it('names age files as such, also when their first line comes in pieces, and never keeps one under two names', async () => {
    const dataDir = await temporaryFolder();
    const store = await started(dataDir);
    const key = newKey();
    await (await store.stage(key, parts('age-encry', 'ption.org/v1\n-> X25519'))).publish();
    const path = segmentPath(dataDir, key, 'age');
    expect(path).toMatch(/\.tlm\.age$/);
    expect(await keptFiles(dataDir)).toEqual([`segments/${key.device}/${key.segment}.tlm.age`]);
    expect(await store.describe(key)).toMatchObject({ sizeBytes: 31 });
    expect(await (await store.stage(key, one('plain'))).publish()).toBe('exists');
    expect(await collect(store.list())).toEqual([key]);
    await store.remove(key);
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('goes on with age files that an earlier version kept under the name of plain ones', async () => {
    const dataDir = await temporaryFolder();
    const store = await started(dataDir);
    const key = newKey();
    await mkdir(join(dataDir, 'segments', key.device));
    await writeFile(segmentPath(dataDir, key), 'age-encryption.org/v1\n');
    expect(await store.describe(key)).toMatchObject({ sizeBytes: 22 });
    expect(await (await store.stage(key, one('age-encryption.org/v1\n'))).publish()).toBe('exists');
    expect(await findSegment(dataDir, key)).toBe(segmentPath(dataDir, key));
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

async function* parts(...texts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text));
}

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
