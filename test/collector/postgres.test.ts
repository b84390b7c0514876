import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Books, booksInPostgres } from '../../src/collector/books.ts';
import { passwordFromFile } from '../../src/collector/postgres-password.ts';
import { readPostgresUrl } from '../../src/collector/postgres-url.ts';
import type { SegmentKey } from '../../src/collector/segment-key.ts';
import { catalogContract, newRecord } from './catalog-contract.ts';
import { deviceContract } from './device-contract.ts';
import { exemptionContract, newAsk } from './exemption-contract.ts';
import { fleetContract } from './fleet-contract.ts';
import { type PostgresServer, postgresPrograms, startPostgres } from './postgres-server.ts';
import { collect, temporaryFolder } from './support.ts';
import { useContract } from './use-contract.ts';

const programs = await postgresPrograms();
if (programs === null) console.warn('skipped: PostgreSQL is not installed (apt-get install postgresql)');

describe.skipIf(programs === null)('PostgreSQL', () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await startPostgres(programs ?? '');
    process.env['PGPASSFILE'] = server.passFile;
  });
  afterAll(async () => {
    delete process.env['PGPASSFILE'];
    await server.remove();
  });

  const booksAt = (
    url: string,
    access: 'read-write' | 'read-only' = 'read-write',
    wallMs = () => 42,
  ): Books => booksInPostgres(readPostgresUrl(url, process.env), access, wallMs);
  const opened = async <Part extends 'catalog' | 'devices' | 'exemptions'>(
    part: Part,
    wallMs?: () => number,
  ): Promise<Books[Part]> => {
    const book = booksAt(await server.newDatabase(), 'read-write', wallMs)[part];
    await book.start();
    onTestFinished(() => book.stop());
    return book;
  };

  describe('the catalogue', () => catalogContract(() => opened('catalog')));
  describe('the device book', () => deviceContract((wallMs) => opened('devices', wallMs)));
  describe('what may be used, and for how long,', () =>
    useContract(async () => {
      const books = booksAt(await server.newDatabase());
      const parts = [books.catalog, books.use, books.retention, books.readers];
      onTestFinished(async () => {
        for (const book of parts) await book.stop();
      });
      for (const book of parts) await book.start();
      return books;
    }));
  describe('the books of the fleet', () =>
    fleetContract(async () => {
      const books = booksAt(await server.newDatabase());
      const parts = [books.catalog, books.health, books.admins, books.traffic];
      onTestFinished(async () => {
        for (const book of parts) await book.stop();
      });
      for (const book of parts) await book.start();
      return books;
    }));
  describe('the exemption book', () => exemptionContract((wallMs) => opened('exemptions', wallMs)));

  it('is migrated once by several instances that start at once', async () => {
    const url = await server.newDatabase();
    const instances = Array.from({ length: 4 }, () => booksAt(url).catalog);
    onTestFinished(async () => {
      await Promise.all(instances.map((catalog) => catalog.stop()));
    });
    await Promise.all(instances.map((catalog) => catalog.start()));
    const record = newRecord();
    const outcomes = await Promise.all(instances.map((catalog) => catalog.add(record)));
    expect(outcomes.toSorted()).toEqual(['added', 'exists', 'exists', 'exists']);
    for (const catalog of instances) expect(await collect(catalog.list())).toEqual([record]);
  });

  it('remembers what is being published or was erased, until it is settled', async () => {
    const catalog = await opened('catalog');
    const [added, lost, late] = [newRecord(), newRecord(), newRecord()];
    for (const key of [added, lost]) expect(await catalog.announce(key, 1000)).toBe('clear');
    await catalog.add(added);
    const { device, segment } = late;
    await catalog.erase({ device, request: segment, segments: [segment], atMs: 2000 });
    expect(await collect(catalog.unsettled(1000))).toEqual([]);
    expect(await collect(catalog.unsettled(1001))).toEqual([keyOf(lost)]);
    const both = [keyOf(lost), keyOf(late)].toSorted((a, b) => (a.device < b.device ? -1 : 1));
    expect(await collect(catalog.unsettled(2001))).toEqual(both);
    await catalog.settle(lost);
    expect(await collect(catalog.unsettled(2001))).toEqual([keyOf(late)]);
  });

  it('takes a nonce once, whichever instance it comes to, and forgets it long after it expired', async () => {
    const url = await server.newDatabase();
    const [one, two] = [booksAt(url), booksAt(url)];
    for (const { catalog } of [one, two]) {
      onTestFinished(() => catalog.stop());
      await catalog.start();
    }
    expect(await one.replays.take('key', 'nonce', 5000, 0)).toBe('taken');
    expect(await two.replays.take('key', 'nonce', 5000, 0)).toBe('replayed');
    expect(await two.replays.take('other', 'nonce', 5000, 0)).toBe('taken');
    await one.replays.tidy(6000);
    expect(await two.replays.take('key', 'nonce', 5000, 0)).toBe('replayed');
    await one.replays.tidy(3_600_000);
    expect(await two.replays.take('key', 'nonce', 5000, 0)).toBe('taken');
  });

  it('lets a reader change nothing, and says when no collector has written yet', async () => {
    const url = await server.newDatabase();
    const reader = booksAt(url, 'read-only').catalog;
    await expect(reader.start()).rejects.toMatchObject({ hint: matching(/serve with the same --catalog/) });
    const writer = booksAt(url).catalog;
    onTestFinished(() => writer.stop());
    await writer.start();
    await reader.start();
    onTestFinished(() => reader.stop());
    await expect(reader.add(newRecord())).rejects.toThrow();
    expect(await collect(writer.list())).toEqual([]);
  });

  it('lets nobody change or shorten the audit trail', async () => {
    const url = await server.newDatabase();
    const book = booksAt(url).exemptions;
    onTestFinished(() => book.stop());
    await book.start();
    await book.submit(newAsk());
    for (const act of [
      "UPDATE exemption_audit SET by = 'x'",
      'DELETE FROM exemption_audit',
      'TRUNCATE exemption_audit',
    ])
      await expect(server.query(url, act)).rejects.toThrow('only ever appended');
  });

  it('is unavailable while the server hangs or is down, and goes on by itself', async () => {
    const address = readPostgresUrl(await server.newDatabase(), process.env);
    const { catalog } = booksInPostgres({ ...address, queryTimeoutMs: 1000 }, 'read-write', () => 42);
    onTestFinished(() => catalog.stop());
    await catalog.start();
    const record = newRecord();
    await catalog.add(record);
    const unavailable = { code: 'unavailable', retryable: true, hint: matching(/--catalog/) };
    server.freeze();
    const late = newRecord();
    await expect(catalog.add(late)).rejects.toMatchObject(unavailable);
    server.thaw();
    // What was given up is not what the next one finds itself in.
    expect(['added', 'exists']).toContain(await eventuallyGives(() => catalog.add(late)));
    expect(await catalog.find(late)).toEqual(late);

    await server.kill();
    await expect(catalog.find(record)).rejects.toMatchObject(unavailable);
    await expect(catalog.add(newRecord())).rejects.toMatchObject(unavailable);
    await server.start();
    expect(await eventuallyGives(() => catalog.find(record))).toEqual(record);
  });

  it.each([
    [
      'a wrong password',
      'PGPASSWORD',
      { code: 'not-permitted', hint: matching(/PGPASSFILE/) },
      (url: string) => url,
    ],
    [
      'no such database',
      '',
      { code: 'bad-configuration', hint: matching(/createdb/) },
      (url: string) => `${url}x`,
    ],
    [
      'nobody listening',
      '',
      { code: 'unavailable', hint: matching(/--catalog/) },
      (url: string) => url.replace(/:\d+/, ':1'),
    ],
  ])('says what to do about %s', async (_what, variable, error, change) => {
    const url = change(await server.newDatabase());
    if (variable !== '') process.env[variable] = 'wrong';
    onTestFinished(() => {
      delete process.env['PGPASSWORD'];
    });
    await expect(booksAt(url).catalog.start()).rejects.toMatchObject(error);
  });
});

describe('a file of passwords', () => {
  const server = { host: 'db.example.com', port: 5432, database: 'telemetry', user: 'collector' };
  const passwordIn = async (text: string, mode = 0o600) => {
    const path = join(await temporaryFolder(), 'pgpass');
    await writeFile(path, text, { mode });
    return passwordFromFile({ PGPASSFILE: path }, server);
  };

  it.each([
    ['the first line that fits', '# all\ndb.example.com:5433:*:*:a\n*:*:*:collector:b\n*:*:*:*:c', 'b'],
    ['colons and backslashes', 'db.example.com:5432:telemetry:collector:a\\:b\\\\c\n', 'a:b\\c'],
    ['no line that fits', 'db.example.com:5432:other:collector:a', undefined],
  ])('%s', async (_what, text, password) => {
    expect(await passwordIn(text)).toBe(password);
  });

  it('is refused when others can read it, or when it is named and not there', async () => {
    await expect(passwordIn('*:*:*:*:a', 0o640)).rejects.toMatchObject({ hint: matching(/^chmod 600/) });
    const missing = { PGPASSFILE: join(await temporaryFolder(), 'none') };
    await expect(passwordFromFile(missing, server)).rejects.toMatchObject({ code: 'bad-configuration' });
    expect(await passwordFromFile({ HOME: await temporaryFolder() }, server)).toBeUndefined();
  });
});

describe('the address of a PostgreSQL database', () => {
  const db = { host: 'db.example.com', database: 'telemetry' };

  it.each([
    ['postgres://db.example.com/telemetry', { ...db, ssl: {} }],
    [
      'postgresql://ada%40x@db.example.com:5433/telemetry?sslmode=disable',
      { ...db, user: 'ada@x', port: 5433, ssl: false },
    ],
    ['postgres://127.0.0.1/telemetry', { ...db, host: '127.0.0.1', ssl: false }],
    ['postgres:///telemetry?host=/run/postgresql', { ...db, host: '/run/postgresql', ssl: false }],
    ['postgres://[::1]/telemetry?sslmode=verify-full', { ...db, host: '::1', ssl: {} }],
    ['postgres:///telemetry', { database: 'telemetry', ssl: false }],
  ])('%s', (url, address) => {
    expect(readPostgresUrl(url, {})).toEqual({ ...address, queryTimeoutMs: 10_000 });
  });

  it('is beyond this machine when the environment says so', () => {
    expect(readPostgresUrl('postgres:///x', { PGHOST: 'db.example.com' })).toMatchObject({ ssl: {} });
  });

  it.each([
    ['postgres://ada:secret@db/telemetry', /password on the command line/],
    ['postgres://ada@db/telemetry?password=secret', /password on the command line/],
    ['mysql://ada:secret@db/telemetry', /not the address/],
    ['catalog.sqlite', /not the address/],
    ['postgres://ada@db', /names no database/],
    ['postgres://ada@db/telemetry?sslmode=prefer', /sslmode=prefer proves nothing/],
    ['postgres://ada@db/telemetry?sslrootcert=/nowhere', /cannot be read/],
    ['postgres://ada@db/telemetry?pool=3', /"pool" means nothing/],
  ])('%s is refused with something to try, and its secret is not said', (url, words) => {
    expect(() => readPostgresUrl(url, {})).toThrow(words);
    expect(() => readPostgresUrl(url, {})).not.toThrow(/secret/);
  });
});

async function eventuallyGives<Value>(ask: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === 200) throw error;
      await delay(100);
    }
  }
}

function keyOf({ device, segment }: SegmentKey): SegmentKey {
  return { device, segment };
}

function matching(words: RegExp): unknown {
  return expect.stringMatching(words);
}
