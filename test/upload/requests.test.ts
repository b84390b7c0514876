import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { HEALTH_REPLY, type Round } from '../../src/control/protocol.ts';
import { FakeDaemon } from './fake-daemon.ts';
import { type Fault, FaultyCollector } from './faulty-collector.ts';
import { bundleUploader, Outbox, runUploader } from './uploader-process.ts';

const scratch = mkdtempSync(join(tmpdir(), 'uploader-'));
let program = '';
beforeAll(async () => {
  program = await bundleUploader(scratch);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

const REQUESTS = ['a', 'b'].map((id) => ({
  id,
  path: '/v1/devices/d-1/deletions',
  body: JSON.stringify({ request: id, segments: ['s'] }),
}));

/** One round of two requests and a file. */
async function round(faults: readonly Fault[], more: Partial<Round> = {}) {
  const box = new Outbox();
  cleanups.push(() => box.remove());
  box.add(randomBytes(1000));
  const server = new FaultyCollector(faults);
  const url = await server.start();
  cleanups.push(() => server.stop());
  const daemon = new FakeDaemon(box.folder, box.round(url, { requests: REQUESTS, ...more }));
  await daemon.start();
  cleanups.push(() => daemon.stop());
  const code = await runUploader(program, [daemon.socketPath]).ended;
  return { server, daemon, code };
}

describe('the uploader posts what a person asks', () => {
  it('before any file, and hands over what the collector said without judging it', async () => {
    const { server, daemon, code } = await round(['good', { status: 503, retryAfter: '7' }, 'good']);
    expect(code).toBe(0);
    expect(server.seen.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'POST /v1/devices/d-1/deletions',
      'POST /v1/devices/d-1/deletions',
      expect.stringContaining('PUT /v1/devices/d-1/segments/'),
    ]);
    expect(server.seen[0]?.headers['content-type']).toBe('application/json');
    expect(server.seen[0]?.body.toString()).toBe(REQUESTS[0]?.body);
    expect(daemon.replies).toMatchObject([
      { id: 'a', status: 201, body: '{}', retryAfterMs: null },
      { id: 'b', status: 503, body: '{"error":"told to"}', retryAfterMs: 7000 },
    ]);
    expect(daemon.replies.every(({ chargedBytes }) => chargedBytes > 0)).toBe(true);
  });

  it('and stops at the first that nobody answers', async () => {
    const { server, daemon, code } = await round(['cut-mid-body']);
    expect(code).toBe(3);
    expect(daemon.replies).toMatchObject([{ id: 'a', status: 0, body: '' }]);
    expect(server.seen.filter(({ url }) => url.endsWith('deletions')).length).toBeLessThanOrEqual(1);
  });

  it('and takes no more of a reply than it can pass on', async () => {
    const { daemon } = await round(['endless-body', 'good']);
    expect(daemon.replies).toMatchObject([
      { id: 'a', body: '' },
      { id: 'b', body: '{}' },
    ]);
  });
});

describe('the uploader tells of the program', () => {
  const told = { version: '1.2.3', backend: 'x11', codes: [] };
  const health = { health: told, path: '/v1/devices/d-1/health', body: JSON.stringify(told) };

  it('last of all, over the connection that is there', async () => {
    const { server, daemon, code } = await round(['good', 'good'], { requests: [], health });
    expect(code).toBe(0);
    expect(server.seen.map(({ method }) => method)).toEqual(['PUT', 'POST']);
    expect(server.seen[1]).toMatchObject({ url: health.path, connection: server.seen[0]?.connection });
    expect(server.seen[1]?.body.toString()).toBe(health.body);
    expect(daemon.replies).toMatchObject([{ id: HEALTH_REPLY, status: 201 }]);
    // A kilobyte or so: no connection was made for it.
    expect(daemon.replies[0]?.chargedBytes).toBeGreaterThan(health.body.length);
    expect(daemon.replies[0]?.chargedBytes).toBeLessThan(2000);
  });

  it.each([
    ['the budget is spent', ['good'], { budgetBytes: 7400 }],
    ['the collector has enough to do', [{ status: 503 }], {}],
  ] as const)('not when %s', async (_name, faults, more) => {
    const { server, daemon } = await round(faults, { requests: [], health, ...more });
    expect(server.seen.map(({ method }) => method)).toEqual(['PUT']);
    expect(daemon.replies).toEqual([]);
  });
});
