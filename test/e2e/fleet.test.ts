import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { booksInPostgres } from '../../src/collector/books.ts';
import { S3ObjectStore } from '../../src/collector/object-store-s3.ts';
import { readPostgresUrl } from '../../src/collector/postgres-url.ts';
import { adoptOrphans } from '../../src/collector/reconcile.ts';
import { readS3Url } from '../../src/collector/s3-url.ts';
import type { SegmentKey } from '../../src/collector/segment-key.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from '../collector/postgres-server.ts';
import {
  hasRadosGateway,
  type RadosGateway,
  S3_CREDENTIALS,
  startRadosGateway,
} from '../collector/radosgw-server.ts';
import {
  COLLECTOR_PROGRAM,
  collect,
  digestField,
  errorCode,
  type Listed,
  newKey,
  put,
  runProgram,
  sha256,
} from '../collector/support.ts';
import { Desk, Program, until } from './desk.ts';

const programs = await postgresPrograms();
const isSkipped = programs === null || !hasRadosGateway();
if (isSkipped)
  console.warn('skipped: no PostgreSQL or Ceph (apt-get install postgresql radosgw ceph-mon ceph-osd)');

const PATIENCE_MS = 60_000;
const MINUTE_MS = 60_000;

describe.skipIf(isSkipped)('collectors on one bucket and one database', () => {
  let gateway: RadosGateway;
  let database: PostgresServer;
  let folder: string;
  let catalog: string;
  let bucket: string;
  let env: Record<string, string>;
  let running: Program[] = [];

  beforeAll(async () => {
    [gateway, database] = await Promise.all([startRadosGateway(), startPostgres(programs ?? '')]);
    folder = mkdtempSync(path.join(tmpdir(), 'fleet-test-'));
    env = { ...S3_CREDENTIALS, PGPASSFILE: database.passFile };
    Object.assign(process.env, env);
    [bucket, catalog] = [await gateway.newBucket(), await database.newDatabase()];
  });
  afterEach(async () => {
    for (const program of running) await program.stop('SIGKILL');
    running = [];
  });
  afterAll(async () => {
    for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name);
    await Promise.all([gateway.remove(), database.remove()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const place = (identity = 'key.json'): string[] => [
    ...['--store', bucket, '--catalog', catalog, '--identity', path.join(folder, identity)],
  ];
  const start = async (): Promise<string> => {
    const words = [COLLECTOR_PROGRAM, 'serve', ...place(), '--listen', '127.0.0.1:0'];
    const program = new Program(process.execPath, words, env);
    running.push(program);
    const [, url = ''] = await until(
      'the collector to listen',
      () => /listening on (http:\S+)/.exec(program.out),
      PATIENCE_MS,
    );
    return url;
  };
  const listed = async (...more: string[]): Promise<Listed[]> => {
    const { code, stdout, stderr } = await runProgram(COLLECTOR_PROGRAM, [
      ...['ls', '--json', '--catalog', catalog, ...more],
    ]);
    expect([code, stderr]).toEqual([0, '']);
    return (JSON.parse(stdout) as { segments: Listed[] }).segments;
  };
  /** The store as one more instance sees it. */
  const openStore = async (): Promise<S3ObjectStore> => {
    const store = new S3ObjectStore(readS3Url(bucket, {}), folder);
    onTestFinished(() => store.stop());
    await store.start();
    return store;
  };
  const erase = async (url: string, { device, segment }: SegmentKey) =>
    fetch(`${url}/v1/devices/${device}/deletions`, {
      method: 'POST',
      body: JSON.stringify({ request: newKey().segment, segments: [segment] }),
    });

  it('keep a segment once that comes to two of them at once, and erase it for all', async () => {
    const urls = await Promise.all([start(), start()]);
    const sent = Array.from({ length: 12 }, () => ({ key: newKey(), body: randomBytes(30_000) }));
    for (const { key, body } of sent) {
      const replies = await Promise.all(urls.map((url) => put(url, key, body)));
      for (const reply of replies) {
        expect([200, 201]).toContain(reply.status);
        expect(reply.headers['content-digest']).toBe(digestField(body));
      }
    }
    const rows = await listed();
    expect(rows).toHaveLength(sent.length);
    const store = await openStore();
    for (const { key, body } of sent) {
      const row = rows.find(({ segment }) => segment === key.segment);
      expect(row).toMatchObject({ ...key, sizeBytes: 30_000, sha256: sha256(body) });
      expect(row?.path).toBe(
        `s3://${new URL(bucket).hostname}/fleet/segments/${key.device}/${key.segment}.tlm`,
      );
      expect(await store.digest(key)).toBe(sha256(body));
    }
    const [one, two] = urls;
    const other = await put(two, sent[0]?.key ?? newKey(), randomBytes(100));
    expect([other.status, errorCode(other)]).toEqual([409, 'conflict']);
    for (const { key } of sent) expect((await erase(one, key)).status).toBe(200);
    expect(await gateway.keysIn(bucket)).toEqual([]);
    const again = await put(two, sent[0]?.key ?? newKey(), sent[0]?.body ?? Buffer.alloc(0));
    expect([again.status, errorCode(again)]).toEqual([410, 'erased']);
  });

  it('leave nothing of what one erases while another takes it', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    for (let round = 0; round < 8; round++) {
      const key = newKey();
      const [stored, erased] = await Promise.all([put(one, key, randomBytes(20_000)), erase(two, key)]);
      expect([201, 410]).toContain(stored.status);
      expect(erased.status).toBe(200);
    }
    expect(await gateway.keysIn(bucket)).toEqual([]);
    expect(await listed()).toEqual([]);
  });

  it('look after what one that died left, and after nothing that is young', async () => {
    await start();
    const books = booksInPostgres(readPostgresUrl(catalog, process.env), 'read-write', Date.now);
    onTestFinished(() => books.catalog.stop());
    await books.catalog.start();
    const store = await openStore();
    const [lost, erased] = [newKey(), newKey()];
    for (const key of [lost, erased]) {
      await books.catalog.announce(key, Date.now());
      await (await store.stage(key, oneChunk(`of ${key.device}`))).publish();
    }
    const { device, segment } = erased;
    await books.catalog.erase({ device, request: segment, segments: [segment], atMs: Date.now() });
    expect(await adoptOrphans(store, books.catalog, Date.now())).toBe(0);
    expect(await gateway.keysIn(bucket)).toHaveLength(2);
    expect(await adoptOrphans(store, books.catalog, Date.now() + 16 * MINUTE_MS)).toBe(1);
    expect(await listed()).toMatchObject([{ ...lost, sha256: sha256(Buffer.from(`of ${lost.device}`)) }]);
    expect(await collect(store.list())).toEqual([lost]);
    expect(await collect(books.catalog.unsettled(Date.now() + 60 * MINUTE_MS))).toEqual([]);
    await store.remove(lost);
    const { device: lostDevice, segment: lostSegment } = lost;
    await books.catalog.erase({ device: lostDevice, request: segment, segments: [lostSegment], atMs: 1 });
  });

  it('refuse the key of another, and another store', async () => {
    await start();
    const serve = (words: string[]) => runProgram(COLLECTOR_PROGRAM, ['serve', ...words]);
    const stranger = await serve(place('no-such-key.json'));
    expect([stranger.code, stranger.stderr]).toEqual([
      12,
      expect.stringMatching(/trust the key[^]*\nTry: copy/),
    ]);
    const elsewhere = place();
    elsewhere[1] = await gateway.newBucket();
    const moved = await serve(elsewhere);
    expect([moved.code, moved.stderr]).toEqual([
      12,
      expect.stringMatching(/lists what is in s3:[^]*\nTry: --store/),
    ]);
    const token = await runProgram(COLLECTOR_PROGRAM, ['enroll', '--json', '--catalog', catalog]);
    expect([token.code, token.stderr]).toEqual([0, '']);
  });

  it('show a daemon’s segments to ls, and nothing of them once its person has purged them', async () => {
    const desk = new Desk();
    onTestFinished(() => desk.close());
    desk.collectorPlace = place();
    desk.collectorEnv = env;
    await desk.startRecording({
      capture: { focus_unknown: '"record"' },
      segment: { roll: '"5s"', flush: '"1s"' },
    });
    await desk.waitFor('capture', ({ collection }) => collection.state === 'capturing');
    await desk.display.input('mousemove 100 100 sleep 0.2', 'mousemove 300 200 sleep 0.2');
    const rows = await until(
      'a segment to arrive',
      async () => {
        await desk.ctl('upload', 'now', '--json');
        const found = await listed();
        return found.length > 0 && found;
      },
      PATIENCE_MS,
    );
    expect(rows[0]?.path).toMatch(/^s3:\/\/bucket\d+\/fleet\/segments\//);
    expect(await gateway.keysIn(bucket)).not.toEqual([]);
    await desk.ok('purge', '--all', '--yes');
    await desk.waitFor('the collector to confirm', ({ requests }) => requests.length === 0);
    await until(
      'the bucket to be empty',
      async () => (await gateway.keysIn(bucket)).length === 0,
      PATIENCE_MS,
    );
    expect(await listed()).toEqual([]);
  });

  // The last, as a gateway that comes back is slow for half a minute.
  it('answer 503 with Retry-After while database or store are away, and lose nothing', async () => {
    const url = await start();
    const answered = new Map<string, string>();
    const refused: string[] = [];
    const sent = new Map<string, { readonly key: SegmentKey; readonly body: Buffer }>();
    let isDone = false;
    const worker = async (): Promise<void> => {
      while (!isDone) {
        const [key, body] = [newKey(), randomBytes(5000)];
        const reply = await put(url, key, body);
        if (reply.status === 201) answered.set(key.segment, sha256(body));
        else {
          expect([reply.status, errorCode(reply)]).toEqual([503, 'unavailable']);
          expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
          refused.push(key.segment);
          sent.set(key.segment, { key, body });
        }
      }
    };
    const more = async (what: string, seen: () => number): Promise<void> => {
      const before = seen();
      await until(what, () => seen() > before + 3, PATIENCE_MS);
    };
    const work = Promise.all([worker(), worker(), worker()]);
    await more('segments to be kept', () => answered.size);
    await database.kill();
    await more('segments to be refused', () => refused.length);
    await database.start();
    await more('segments to be kept again', () => answered.size);
    await gateway.kill();
    await more('segments to be refused', () => refused.length);
    await gateway.start();
    await more('segments to be kept again', () => answered.size);
    isDone = true;
    await work;
    // What was refused is sent again, as a device does; whatever became of it the first time, it is kept once.
    for (const { key, body } of sent.values()) {
      const reply = await until('it to be kept', async () => {
        const again = await put(url, key, body);
        return again.status !== 503 && again;
      });
      expect([200, 201]).toContain(reply.status);
      answered.set(key.segment, sha256(body));
    }
    const rows = new Map((await listed()).map((row) => [row.segment, row.sha256]));
    expect(rows).toEqual(answered);
    expect((await gateway.keysIn(bucket)).length).toBe(answered.size);
  });
});

async function* oneChunk(text: string): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(text));
}
