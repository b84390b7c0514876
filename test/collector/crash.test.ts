import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { segmentPath } from '../../src/collector/object-store-files.ts';
import type { SegmentKey } from '../../src/collector/segment-key.ts';
import {
  COLLECTOR_PROGRAM,
  eventually,
  keptFiles,
  listAndVerify,
  newKey,
  put,
  sha256,
  spawnCollector,
  temporaryFolder,
} from './support.ts';

describe('kill -9', () => {
  it('loses nothing that was answered and lists nothing else, at random moments of 50 PUTs', async () => {
    const dataDir = await temporaryFolder();
    const all = Array.from({ length: 50 }, () => ({ key: newKey(), body: randomBytes(60_000) }));
    const answered = new Map<string, string>();
    let waiting = all;
    let kills = 0;
    for (let round = 0; waiting.length > 0; round++) {
      const collector = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
      const isLast = round === 6;
      const killed = isLast
        ? undefined
        : delay(Math.random() * 120).then(() => collector.child.kill('SIGKILL'));
      const left: typeof waiting = [];
      const queue = [...waiting];
      const worker = async (): Promise<void> => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const reply = await put(collector.url, next.key, next.body).catch(() => null);
          if (reply === null) left.push(next);
          else if (reply.status === 201 || reply.status === 200)
            answered.set(next.key.segment, sha256(next.body));
          else throw new Error(`unexpected ${reply.status}: ${reply.body}`);
        }
      };
      await Promise.all(Array.from({ length: 4 }, worker));
      await killed;
      collector.child.kill('SIGKILL');
      if ((await collector.ended) === 'SIGKILL') kills += 1;
      waiting = left;

      const listed = new Map(
        (await listAndVerify(COLLECTOR_PROGRAM, dataDir)).map((row) => [row.segment, row.sha256]),
      );
      for (const [segment, digest] of answered) expect(listed.get(segment)).toBe(digest);
      const known = new Map(all.map(({ key, body }) => [key.segment, sha256(body)]));
      for (const [segment, digest] of listed) expect(known.get(segment)).toBe(digest);
    }
    expect(kills).toBeGreaterThan(0);
    const final = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    expect(await listAndVerify(COLLECTOR_PROGRAM, dataDir)).toHaveLength(50);
    expect(await keptFiles(dataDir)).toHaveLength(50);
    final.child.kill('SIGTERM');
    expect(await final.ended).toBe(0);
  }, 60_000);

  it('between file and row leaves a file that the next start gives its row', async () => {
    const dataDir = await temporaryFolder();
    const key = newKey();
    const body = randomBytes(50_000);
    const collector = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    // Another writer holds the catalogue, so the collector stops just before its row.
    const blocker = new DatabaseSync(join(dataDir, 'catalog.sqlite'));
    onTestFinished(() => blocker.close());
    blocker.exec('BEGIN IMMEDIATE');
    const answer = put(collector.url, key, body).catch(() => 'no answer' as const);
    await eventually(() => existsSync(segmentPath(dataDir, key)));
    await delay(50);
    collector.child.kill('SIGKILL');
    expect(await collector.ended).toBe('SIGKILL');
    expect(await answer).toBe('no answer');
    blocker.exec('ROLLBACK');
    expect(await listAndVerify(COLLECTOR_PROGRAM, dataDir)).toEqual([]);

    const again = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    expect(await listAndVerify(COLLECTOR_PROGRAM, dataDir)).toMatchObject([{ ...key, sha256: sha256(body) }]);
    expect((await put(again.url, key, body)).status).toBe(200);
  }, 20_000);

  it('while a body arrives leaves nothing after the next start', async () => {
    const dataDir = await temporaryFolder();
    const collector = await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    const cut = sendHalf(collector.url, newKey());
    await eventually(async () => (await keptFiles(dataDir)).some((name) => name.startsWith('incoming/')));
    collector.child.kill('SIGKILL');
    await collector.ended;
    await cut;
    expect(await keptFiles(dataDir)).toHaveLength(1);
    await spawnCollector(COLLECTOR_PROGRAM, dataDir);
    expect(await keptFiles(dataDir)).toEqual([]);
    expect(await listAndVerify(COLLECTOR_PROGRAM, dataDir)).toEqual([]);
  }, 20_000);
});

/** A body that says 100 bytes and sends 50. Resolves when the connection ends. */
async function sendHalf(url: string, key: SegmentKey): Promise<void> {
  await put(url, key, randomBytes(50), {
    'content-digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:`,
    'content-length': '100',
  }).catch(() => undefined);
}
