import { expect, it } from 'vitest';
import type { ObjectStore } from '../../src/collector/object-store.ts';
import { collect, newKey, sha256 } from './support.ts';

/** What every `ObjectStore` does. `make` gives one that has been started and is empty. */
export function objectStoreContract(make: () => Promise<ObjectStore>): void {
  const hello = Buffer.from('hello');

  it('shows an object only once it is published', async () => {
    const store = await make();
    const key = newKey();
    const staged = await store.stage(key, bodyOf('he', '', 'llo'));
    expect(await store.describe(key)).toBeNull();
    expect(await store.digest(key)).toBeNull();
    expect(await collect(store.list())).toEqual([]);

    expect(await staged.publish()).toBe('published');
    expect(await store.describe(key)).toMatchObject({ sizeBytes: 5 });
    expect(await store.digest(key)).toBe(sha256(hello));
    expect(await collect(store.list())).toEqual([key]);
  });

  it('gives the bytes that were stored, in pieces', async () => {
    const store = await make();
    const key = newKey();
    expect(await store.read(key)).toBeNull();
    const large = 'x'.repeat(200_000);
    await (await store.stage(key, bodyOf(large, 'end'))).publish();
    const bytes = await store.read(key);
    const read = Buffer.concat(await collect(bytes ?? bodyOf())).toString();
    expect([read.length, read.slice(-4)]).toEqual([200_003, 'xend']);
    await store.remove(key);
    expect(await store.read(key)).toBeNull();
  });

  it('says when an object was written', async () => {
    const store = await make();
    const key = newKey();
    await (await store.stage(key, bodyOf('hello'))).publish();
    expect(Math.abs(((await store.describe(key))?.writtenAtMs ?? 0) - Date.now())).toBeLessThan(10_000);
  });

  it('never replaces an object', async () => {
    const store = await make();
    const key = newKey();
    await (await store.stage(key, bodyOf('hello'))).publish();
    const second = await store.stage(key, bodyOf('other'));
    expect(await second.publish()).toBe('exists');
    await second.discard();
    expect(await store.digest(key)).toBe(sha256(hello));
  });

  it('lets one of many that publish the same key at once win', async () => {
    const store = await make();
    const key = newKey();
    const staged = await Promise.all(Array.from({ length: 8 }, () => store.stage(key, bodyOf('hello'))));
    const outcomes = await Promise.all(staged.map((one) => one.publish()));
    expect(outcomes.filter((outcome) => outcome === 'published')).toHaveLength(1);
    expect(await collect(store.list())).toEqual([key]);
  });

  it('keeps nothing of what is discarded, and discards twice without complaint', async () => {
    const store = await make();
    const key = newKey();
    const staged = await store.stage(key, bodyOf('hello'));
    await staged.discard();
    await staged.discard();
    expect(await collect(store.list())).toEqual([]);
    expect(await (await store.stage(key, bodyOf('hello'))).publish()).toBe('published');
  });

  it('hands out the error of a body that breaks and keeps nothing of it', async () => {
    const store = await make();
    const key = newKey();
    const broken = new Error('broken');
    await expect(store.stage(key, bodyThatThrows(broken))).rejects.toBe(broken);
    expect(await collect(store.list())).toEqual([]);
  });

  it('keeps the same segment id of two devices apart', async () => {
    const store = await make();
    const one = newKey();
    const two = { ...newKey(), segment: one.segment };
    await (await store.stage(one, bodyOf('hello'))).publish();
    await (await store.stage(two, bodyOf('other'))).publish();
    expect(await store.digest(one)).toBe(sha256(hello));
    expect(await store.digest(two)).toBe(sha256(Buffer.from('other')));
  });

  it('removes what is there and does not mind what is not', async () => {
    const store = await make();
    const key = newKey();
    await store.remove(key);
    await (await store.stage(key, bodyOf('hello'))).publish();
    await store.remove(key);
    expect(await store.describe(key)).toBeNull();
  });
}

async function* bodyOf(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}

async function* bodyThatThrows(error: Error): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from('some'));
  throw error;
}
