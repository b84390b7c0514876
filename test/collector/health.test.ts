import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, onTestFinished } from 'vitest';
import { booksInFolder } from '../../src/collector/books.ts';
import { fleetContract } from './fleet-contract.ts';
import { post, startCollector, temporaryFolder } from './support.ts';

const HEALTH = { version: '0.1.0', backend: 'x11', codes: ['storage'] };

function tell(url: string, device: string, body: unknown): ReturnType<typeof post> {
  return post(`${url}/v1/devices/${device}/health`, body);
}

function rowsIn(dataDir: string): unknown[] {
  const db = new DatabaseSync(join(dataDir, 'fleet.sqlite'), { readOnly: true });
  try {
    return db.prepare('SELECT * FROM device_health ORDER BY device').all();
  } finally {
    db.close();
  }
}

describe('POST of health', () => {
  it('keeps the last word of a device with its day, and no other', async () => {
    const { url, dataDir, log } = await startCollector(await temporaryFolder());
    const [one, other] = [randomUUID(), randomUUID()].sort() as [string, string];
    expect(await tell(url, one, { ...HEALTH, codes: [] })).toEqual({ status: 200, json: {} });
    await tell(url, one, HEALTH);
    await tell(url, other.toUpperCase(), { ...HEALTH, backend: 'evdev', codes: ['storage', 'paused'] });
    const day = expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/) as string;
    expect(rowsIn(dataDir)).toEqual([
      { device: one, day, version: '0.1.0', backend: 'x11', codes: 'storage' },
      { device: other, day, version: '0.1.0', backend: 'evdev', codes: 'storage unknown-code' },
    ]);
    // No line of the log ties a device to a time either.
    expect(JSON.stringify(log)).not.toContain(one);
  });

  it.each([
    ['an unknown field', JSON.stringify({ ...HEALTH, events: 7 })],
    ['no JSON', 'x'],
    ['a list', '[]'],
    ['too much', JSON.stringify({ ...HEALTH, version: 'x'.repeat(70_000) })],
  ])('refuses %s and keeps nothing', async (_name, body) => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    expect(await tell(url, randomUUID(), body)).toMatchObject({
      status: 400,
      json: { error: { code: 'bad-request' } },
    });
    expect(rowsIn(dataDir)).toEqual([]);
  });

  it('refuses a device that is none, and one that did not sign where that is needed', async () => {
    const { url } = await startCollector(await temporaryFolder());
    expect(await tell(url, 'ada', HEALTH)).toMatchObject({
      status: 400,
      json: { error: { code: 'bad-id' } },
    });
    const strict = await startCollector(await temporaryFolder(), { isEnrolmentRequired: true });
    const refused = await tell(strict.url, randomUUID(), HEALTH);
    expect(refused).toMatchObject({ status: 401, json: { error: { code: 'signature-missing' } } });
    expect(rowsIn(strict.dataDir)).toEqual([]);
  });
});

describe('in SQLite the books of the fleet', () => {
  fleetContract(async () => {
    const books = booksInFolder(await temporaryFolder(), 'read-write', Date.now);
    const parts = [books.catalog, books.health, books.admins, books.traffic];
    onTestFinished(async () => {
      for (const book of parts) await book.stop();
    });
    for (const book of parts) await book.start();
    return books;
  });
});
