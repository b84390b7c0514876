import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { S3ObjectStore, s3KeyOf } from '../../src/collector/object-store-s3.ts';
import { readS3Url } from '../../src/collector/s3-url.ts';
import { objectStoreContract } from './object-store-contract.ts';
import { hasRadosGateway, type RadosGateway, S3_CREDENTIALS, startRadosGateway } from './radosgw-server.ts';
import { collect, eventually, newKey, sha256, temporaryFolder } from './support.ts';

if (!hasRadosGateway())
  console.warn('skipped: Ceph is not installed (apt-get install radosgw ceph-mon ceph-osd)');

describe.skipIf(!hasRadosGateway())('S3ObjectStore', () => {
  let gateway: RadosGateway;
  beforeAll(async () => {
    gateway = await startRadosGateway();
    Object.assign(process.env, S3_CREDENTIALS);
  });
  afterAll(async () => {
    for (const name of Object.keys(S3_CREDENTIALS)) Reflect.deleteProperty(process.env, name);
    await gateway.remove();
  });

  const started = async (url: string, idleTimeoutMs?: number): Promise<S3ObjectStore> => {
    const store = new S3ObjectStore(readS3Url(url, {}), await temporaryFolder(), idleTimeoutMs);
    onTestFinished(() => store.stop());
    await store.start();
    return store;
  };

  objectStoreContract(async () => started(await gateway.newBucket()));

  it('leaves nothing of its own behind, and takes no strange key for a segment', async () => {
    const url = await gateway.newBucket();
    const store = await started(url);
    expect(await gateway.keysIn(url)).toEqual([]);
    const key = newKey();
    await (await store.stage(key, bodyOf('x'))).publish();
    expect(await gateway.keysIn(url)).toEqual([s3KeyOf({ prefix: 'fleet/' }, key)]);
    expect(await collect((await started(url.replace('/fleet', '/fleet/segments'))).list())).toEqual([]);
    await store.remove(key);
    expect(await gateway.keysIn(url)).toEqual([]);
  });

  it('lists more than a page of keys', async () => {
    const store = await started(await gateway.newBucket());
    const keys = Array.from({ length: 1005 }, newKey);
    const queue = [...keys];
    const worker = async (): Promise<void> => {
      for (let key = queue.pop(); key !== undefined; key = queue.pop())
        await (await store.stage(key, bodyOf('x'))).publish();
    };
    await Promise.all(Array.from({ length: 16 }, worker));
    const listed = (await collect(store.list())).map(({ segment }) => segment);
    expect(listed.toSorted()).toEqual(keys.map(({ segment }) => segment).toSorted());
  });

  it('keeps a large body in a file without a name, and sends it whole', async () => {
    const url = await gateway.newBucket();
    const spoolDir = await temporaryFolder();
    const store = new S3ObjectStore(readS3Url(url, {}), spoolDir);
    onTestFinished(() => store.stop());
    await store.start();
    const chunk = Buffer.alloc(64 * 1024, 7);
    const key = newKey();
    const staged = await store.stage(key, bodyOf(...Array.from({ length: 40 }, () => chunk)));
    expect(await readdir(spoolDir)).toEqual([]);
    expect(await staged.publish()).toBe('published');
    expect(await store.digest(key)).toBe(sha256(Buffer.concat(Array.from({ length: 40 }, () => chunk))));
  });

  it('lets one of two instances win', async () => {
    const url = await gateway.newBucket();
    const stores = [await started(url), await started(url)];
    for (let round = 0; round < 5; round++) {
      const key = newKey();
      const staged = await Promise.all(stores.map((store, at) => store.stage(key, bodyOf(`from ${at}`))));
      const outcomes = await Promise.all(staged.map((one) => one.publish()));
      expect(outcomes.toSorted()).toEqual(['exists', 'published']);
      const winner = outcomes.indexOf('published');
      expect(await stores[0]?.digest(key)).toBe(sha256(Buffer.from(`from ${winner}`)));
    }
  });

  it.each([
    ['a key that it does not know', 'not-permitted', /access key/, { AWS_ACCESS_KEY_ID: 'somebody' }],
    ['a wrong secret', 'not-permitted', /secret/, { AWS_SECRET_ACCESS_KEY: 'wrong' }],
  ])('refuses %s', async (_what, code, message, wrong) => {
    const url = await gateway.newBucket();
    Object.assign(process.env, wrong);
    onTestFinished(() => void Object.assign(process.env, S3_CREDENTIALS));
    await expect(started(url)).rejects.toMatchObject({
      code,
      message: matching(message),
      hint: matching(/AWS_/),
    });
  });

  it('refuses a bucket that is not there, and one that keeps what is erased', async () => {
    const url = await gateway.newBucket();
    const none = { code: 'bad-configuration', message: matching(/no such bucket/) };
    await expect(started(url.replace('//bucket', '//nobucket'))).rejects.toMatchObject(none);
    const versioned = { code: 'bad-configuration', message: matching(/old versions/) };
    await expect(started(await gateway.newBucket('Enabled'))).rejects.toMatchObject(versioned);
  });

  // The last: a gateway that comes back waits half a minute for the one before it when buckets change.
  it('is unavailable while the gateway hangs or is down, and goes on by itself', async () => {
    const store = await started(await gateway.newBucket(), 500);
    const unavailable = { code: 'unavailable', retryable: true, hint: matching(/--store/) };
    const key = newKey();
    const put = async () => (await store.stage(key, bodyOf('x'))).publish();
    gateway.freeze();
    await expect(put()).rejects.toMatchObject(unavailable);
    gateway.thaw();
    await eventually(async () => ['published', 'exists'].includes(await put()));

    await gateway.kill();
    await expect(store.describe(key)).rejects.toMatchObject(unavailable);
    await expect(store.digest(key)).rejects.toMatchObject(unavailable);
    await gateway.start();
    expect(await store.digest(key)).toBe(sha256(Buffer.from('x')));
  });
});

describe('the address of a bucket', () => {
  it.each([
    ['s3://fleet', {}, { bucket: 'fleet', prefix: '', endpoint: null, region: null }],
    [
      's3://fleet/a/b/?region=eu-central-1',
      {},
      { bucket: 'fleet', prefix: 'a/b/', endpoint: null, region: 'eu-central-1' },
    ],
    [
      's3://fleet?endpoint=https://s3.example.com',
      { AWS_REGION: 'eu' },
      { bucket: 'fleet', prefix: '', endpoint: 'https://s3.example.com', region: 'eu' },
    ],
    [
      's3://fleet',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:7480' },
      { bucket: 'fleet', prefix: '', endpoint: 'http://127.0.0.1:7480', region: 'us-east-1' },
    ],
  ])('%s with %j', (url, env, place) => {
    expect(readS3Url(url, env)).toEqual(place);
  });

  it.each([
    ['s3://', /not the address|names no bucket/],
    ['/srv/segments', /not the address of a bucket/],
    ['s3://key:secret@fleet', /not the address of a bucket/],
    ['s3://UPPER_case', /names no bucket/],
    ['s3://fleet?endpoint=s3.example.com', /not an endpoint/],
    ['s3://fleet?acl=public', /"acl" means nothing/],
  ])('%s is refused with something to try, and its secret is not said', (url, words) => {
    expect(() => readS3Url(url, {})).toThrow(words);
    expect(() => readS3Url(url, {})).not.toThrow(/secret/);
  });
});

function matching(words: RegExp): unknown {
  return expect.stringMatching(words);
}

async function* bodyOf(...parts: readonly (string | Buffer)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}
