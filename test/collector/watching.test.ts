import { randomBytes } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Readiness } from '../../src/collector/readiness.ts';
import { requestLimits } from '../../src/collector/request-limiter.ts';
import {
  digestField,
  errorCode,
  eventually,
  newKey,
  pathOf,
  put,
  startCollector,
  temporaryFolder,
} from './support.ts';
import { open, replyTo } from './wire.ts';

async function metricsOf(url: string): Promise<Map<string, number>> {
  const reply = await fetch(`${url}/metrics`);
  expect([reply.status, reply.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  const text = await reply.text();
  expect(text.endsWith('\n')).toBe(true);
  const values = new Map<string, number>();
  for (const line of text.trimEnd().split('\n')) {
    if (/^# (HELP|TYPE) telemetry_collector_\w+ \S/.test(line)) continue;
    const [, name = '', value] =
      /^(telemetry_collector_\w+(?:\{(?:\w+="[^"\\]*",?)+\})?) (\S+)$/.exec(line) ?? [];
    expect(name, line).not.toBe('');
    values.set(name.replace('telemetry_collector_', ''), Number(value));
  }
  return values;
}

describe('a rate limit', () => {
  it('is told before the body is asked for, and counts one device alone', async () => {
    const { url } = await startCollector(await temporaryFolder(), { requests: requestLimits(1, 1000) });
    const key = newKey();
    const statuses: number[] = [];
    for (let n = 0; n < 12; n++) {
      statuses.push((await put(url, { ...key, segment: newKey().segment }, randomBytes(10))).status);
    }
    expect(statuses.slice(0, 10)).toEqual(Array(10).fill(201));
    let isAsked = false;
    const refused = open(url, pathOf({ ...key, segment: newKey().segment }), {
      'content-digest': digestField(Buffer.from('x')),
      'content-length': '1',
      expect: '100-continue',
    });
    refused.on('continue', () => (isAsked = true));
    refused.flushHeaders();
    const reply = await replyTo(refused);
    expect([reply.status, errorCode(reply), reply.retryAfter, isAsked]).toEqual([429, 'busy', '60', false]);
    expect((await put(url, newKey(), randomBytes(10))).status).toBe(201);
    const metrics = await metricsOf(url);
    expect(metrics.get('turned_away_total{why="rate"}')).toBeGreaterThan(0);
  });
});

describe('metrics', () => {
  it('count what was kept and refused, and name nobody', async () => {
    const { url } = await startCollector(await temporaryFolder());
    const key = newKey();
    const body = randomBytes(1234);
    await put(url, key, body);
    await put(url, key, body);
    await put(url, key, randomBytes(5));
    await put(url, { ...key, segment: 'x' }, body);
    // An answer is counted once it is out.
    await eventually(async () => (await metricsOf(url)).get('segment_duration_seconds_count') === 4);
    const metrics = await metricsOf(url);
    const wanted = {
      'segments_total{outcome="created"}': 1,
      'segments_total{outcome="present"}': 1,
      'segments_total{outcome="conflict"}': 1,
      segment_bytes_total: 1234,
      'requests_total{route="segments",status="201"}': 1,
      'requests_total{route="segments",status="400"}': 1,
      'segment_duration_seconds_bucket{le="+Inf"}': 4,
      bodies_in_flight: 0,
      ready: 1,
    };
    expect(Object.fromEntries(metrics)).toMatchObject(wanted);
    expect(metrics.get('disk_free_bytes')).toBeGreaterThan(0);
    const text = await (await fetch(`${url}/metrics`)).text();
    for (const secret of [key.device, key.segment, '127.0.0.1']) expect(text).not.toContain(secret);
  });

  it('are given to this machine alone: not through a proxy, not where others reach the address', async () => {
    const { url } = await startCollector(await temporaryFolder());
    const proxied = await fetch(`${url}/metrics`, { headers: { 'x-forwarded-for': '10.0.0.1' } });
    expect(errorCode({ body: await proxied.text() })).toBe('not-found');
    const open = await startCollector(await temporaryFolder(), {
      publicUrl: 'https://collector.example.com',
    });
    expect((await fetch(`${open.url}/metrics`)).status).toBe(404);
    const apart = await startCollector(await temporaryFolder(), {
      metricsListen: { host: '127.0.0.1', port: 0 },
    });
    expect((await fetch(`${apart.url}/metrics`)).status).toBe(404);
    const { url: own } = apart.log.find(({ message }) => message === 'metrics')?.fields as { url: string };
    expect((await metricsOf(own)).get('ready')).toBe(1);
    expect((await fetch(`${own}/healthz`)).status).toBe(404);
  });
});

describe('readiness', () => {
  it('ends when the store is gone, and says so without paths', async () => {
    const { url, dataDir, log } = await startCollector(await temporaryFolder());
    await rename(join(dataDir, 'incoming'), join(dataDir, 'elsewhere'));
    const reply = await fetch(`${url}/readyz`);
    expect([reply.status, await reply.json()]).toEqual([503, { ready: false, reasons: ['store'] }]);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    expect(JSON.stringify(log)).toContain('ENOENT');
  });

  it('ends when the catalogue fails or is silent, and when a segment would not fit', async () => {
    const never = new Promise<never>(() => undefined);
    const stage = () => Promise.resolve({ publish: () => never, discard: () => Promise.resolve() });
    const judge = (find: () => Promise<never>, freeBytes: number): Promise<string[]> => {
      const parts = {
        store: { stage },
        catalog: { find },
        freeBytes: () => Promise.resolve(freeBytes),
        maxSegmentBytes: 1000,
        monoMs: () => 0,
        delay: (_ms: number, signal: AbortSignal) => delay(10, undefined, { signal }),
        draining: new AbortController().signal,
      } as unknown as ConstructorParameters<typeof Readiness>[0];
      return new Readiness(parts).problems().then((problems) => problems.map(({ code }) => code));
    };
    expect(await judge(() => Promise.reject(new Error('locked')), 1000)).toEqual(['catalogue']);
    expect(await judge(() => never, 999)).toEqual(['catalogue', 'disk-full']);
  });
});
