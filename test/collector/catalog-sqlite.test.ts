import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import type { Catalog } from '../../src/collector/catalog.ts';
import { catalogContract, newRecord } from './catalog-contract.ts';
import { deviceContract } from './device-contract.ts';
import { collect, temporaryFolder } from './support.ts';
import { useContract } from './use-contract.ts';

describe('the device book in SQLite', () => {
  deviceContract(async (wallMs) => {
    const { devices } = booksInFolder(await temporaryFolder(), 'read-write', wallMs);
    onTestFinished(() => devices.stop());
    await devices.start();
    return devices;
  });
});

describe('what may be used, and for how long, in SQLite', () => {
  useContract(async () => {
    const books = booksInFolder(await temporaryFolder(), 'read-write', () => 42);
    const parts = [books.catalog, books.use, books.retention, books.readers];
    onTestFinished(async () => {
      for (const book of parts) await book.stop();
    });
    for (const book of parts) await book.start();
    return books;
  });
});

describe('the catalogue in SQLite', () => {
  catalogContract(async () => opened(await temporaryFolder()));

  it('still has every row when it is opened again, and migrates once', async () => {
    const dataDir = await temporaryFolder();
    const file = join(dataDir, 'catalog.sqlite');
    const record = newRecord();
    const first = await opened(dataDir);
    await first.add(record);
    await first.stop();
    const again = await opened(dataDir);
    expect(await again.find(record)).toEqual(record);
    expect(query(file, 'SELECT version, applied_at FROM migrations')).toEqual([
      { version: 1, applied_at: 42 },
      { version: 2, applied_at: 42 },
      { version: 3, applied_at: 42 },
      { version: 4, applied_at: 42 },
      { version: 5, applied_at: 42 },
      { version: 6, applied_at: 42 },
      { version: 7, applied_at: 42 },
    ]);
  });

  it('uses a write-ahead log in files that only their owner can read', async () => {
    const dataDir = await temporaryFolder();
    const file = join(dataDir, 'catalog.sqlite');
    const catalog = await opened(dataDir);
    await catalog.add(newRecord());
    expect(query(file, 'PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
    for (const suffix of ['', '-wal', '-shm']) expect((await stat(file + suffix)).mode & 0o777).toBe(0o600);
  });

  it('reads the file of an earlier version, and brings it up to date once it may write', async () => {
    const dataDir = await temporaryFolder();
    const file = join(dataDir, 'catalog.sqlite');
    const record = newRecord();
    const first = await opened(dataDir);
    await first.add(record);
    await first.stop();
    const ofLater = ['tombstones', 'erasures', 'device_keys', 'enrolment_tokens'];
    const ofFifth = ['withdrawals', 'readers', 'access_log'];
    for (const table of [...ofLater, ...ofFifth, 'unsettled', 'nonces', 'agreements'])
      query(file, `DROP TABLE ${table}`);
    for (const index of ['segments_expires_at', 'segments_receipt', 'segments_received'])
      query(file, `DROP INDEX ${index}`);
    for (const column of ['ledger_head', 'expires_at', 'sequence', 'receipt'])
      query(file, `ALTER TABLE segments DROP COLUMN ${column}`);
    query(file, 'DELETE FROM migrations WHERE version >= 2');
    expect(await collect((await opened(dataDir, 'read-only')).list())).toEqual([record]);
    const writer = await opened(dataDir);
    const later = newRecord({ ledgerHead: 'ab'.repeat(32) });
    await writer.add(later);
    expect(await writer.find(later)).toEqual(later);
    expect(await writer.find(record)).toEqual(record);
  });

  it('refuses a file that a later version wrote', async () => {
    const dataDir = await temporaryFolder();
    const file = join(dataDir, 'catalog.sqlite');
    await (await opened(dataDir)).stop();
    query(file, 'INSERT INTO migrations VALUES (99, 0)');
    await expect(opened(dataDir)).rejects.toThrow('later version');
  });

  it('reads beside a writer and sees each row once it is added', async () => {
    const dataDir = await temporaryFolder();
    const writer = await opened(dataDir);
    const reader = await opened(dataDir, 'read-only');
    const record = newRecord();
    expect(await reader.find(record)).toBeNull();
    await writer.add(record);
    expect(await reader.find(record)).toEqual(record);
    await expect(reader.add(newRecord())).rejects.toThrow('readonly');
  });

  it('reads a file that is not there as empty and does not make it', async () => {
    const dataDir = await temporaryFolder();
    const file = join(dataDir, 'catalog.sqlite');
    const reader = await opened(dataDir, 'read-only');
    expect(await collect(reader.list())).toEqual([]);
    expect(existsSync(file)).toBe(false);
  });
});

async function opened(dataDir: string, access: 'read-write' | 'read-only' = 'read-write'): Promise<Catalog> {
  const { catalog } = booksInFolder(dataDir, access, () => 42);
  onTestFinished(() => catalog.stop());
  await catalog.start();
  return catalog;
}

function query(file: string, sql: string): object[] {
  const db = new DatabaseSync(file);
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    db.close();
  }
}
