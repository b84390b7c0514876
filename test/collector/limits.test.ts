import { randomBytes } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SERVER_LIMITS } from '../../src/collector/server-limits.ts';
import {
  digestField,
  errorCode,
  eventually,
  keptFiles,
  newKey,
  pathOf,
  put,
  startCollector,
  temporaryFolder,
} from './support.ts';
import { open, rawConnection, rawPut, receiving, replyTo, rows, textUntilClosed } from './wire.ts';

describe('limits', () => {
  it('takes a segment of just the limit', async () => {
    const { url } = await startCollector(await temporaryFolder(), { maxSegmentBytes: 5000 });
    expect((await put(url, newKey(), randomBytes(5000))).status).toBe(201);
  });

  it('answers 413 to a Content-Length over the limit without reading the body', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder(), { maxSegmentBytes: 5000 });
    const request = open(url, pathOf(newKey()), {
      'content-digest': digestField(Buffer.from('x')),
      'content-length': '5001',
    });
    request.flushHeaders();
    const reply = await replyTo(request);
    request.destroy();
    expect([reply.status, errorCode(reply)]).toEqual([413, 'too-large']);
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('answers 413 to a chunked body that grows over the limit, and keeps nothing', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder(), { maxSegmentBytes: 100_000 });
    const body = randomBytes(150_000);
    const request = open(url, pathOf(newKey()), {
      'content-digest': digestField(body),
      'transfer-encoding': 'chunked',
    });
    request.end(body);
    const reply = await replyTo(request);
    expect([reply.status, errorCode(reply)]).toEqual([413, 'too-large']);
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('answers a body without end, stops reading it, and closes its connection', async () => {
    const limits = { ...SERVER_LIMITS, keepAliveTimeoutMs: 200 };
    const { url, dataDir } = await startCollector(await temporaryFolder(), {
      maxSegmentBytes: 100_000,
      limits,
    });
    const socket = await rawPut(url, [
      'content-digest: ' + digestField(Buffer.from('x')),
      'transfer-encoding: chunked',
    ]);
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    let sentBytes = 0;
    const pump = (): void => {
      while (!socket.destroyed && socket.write(chunk)) sentBytes += chunk.length;
    };
    socket.on('drain', pump);
    pump();
    expect(await textUntilClosed(socket)).toContain('413');
    expect(sentBytes).toBeLessThan(50_000_000);
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('keeps nothing of a body that goes on after its Content-Length and has the digest of all of it', async () => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const socket = await rawPut(url, [
      `content-digest: ${digestField(Buffer.from('hello, world'))}`,
      'content-length: 5',
    ]);
    socket.write('hello, world');
    expect(await textUntilClosed(socket)).toMatch(/^HTTP\/1\.1 400 /);
    await eventually(async () => (await keptFiles(dataDir)).length === 0);
    expect(rows(dataDir)).toEqual([]);
  });

  it.each(['end', 'destroy'] as const)('keeps nothing of a body cut short by %s', async (how) => {
    const { url, dataDir } = await startCollector(await temporaryFolder());
    const socket = await rawPut(url, [
      `content-digest: ${digestField(Buffer.from('hello'))}`,
      'content-length: 50000',
    ]);
    socket.write('hello');
    await eventually(async () => (await keptFiles(dataDir)).some((name) => name.startsWith('incoming/')));
    socket[how]();
    await eventually(async () => (await keptFiles(dataDir)).length === 0);
    await eventually(async () => (await receiving(url)) === 0);
    expect(rows(dataDir)).toEqual([]);
  });

  it('answers 429 with Retry-After, before it asks for the body, while all places are taken', async () => {
    const { url } = await startCollector(await temporaryFolder(), { maxBodies: 1 });
    const slow = open(url, pathOf(newKey()), {
      'content-digest': digestField(Buffer.from('hello')),
      'content-length': '5',
    });
    slow.write('hel');
    await eventually(async () => (await receiving(url)) === 1);

    let isAsked = false;
    const headers = {
      'content-digest': digestField(Buffer.from('x')),
      'content-length': '1',
      expect: '100-continue',
    };
    const refused = open(url, pathOf(newKey()), headers);
    refused.on('continue', () => (isAsked = true));
    refused.flushHeaders();
    const reply = await replyTo(refused);
    expect([reply.status, errorCode(reply), isAsked]).toEqual([429, 'busy', false]);
    expect(Number(reply.retryAfter)).toBeGreaterThan(0);

    slow.end('lo');
    expect((await replyTo(slow)).status).toBe(201);
    const later = open(url, pathOf(newKey()), headers);
    later.on('continue', () => later.end('x'));
    later.flushHeaders();
    expect((await replyTo(later)).status).toBe(201);
  });

  it('closes a connection on which nothing moves, and frees its place', async () => {
    const limits = { ...SERVER_LIMITS, idleTimeoutMs: 200 };
    const { url, dataDir } = await startCollector(await temporaryFolder(), { limits });
    const socket = await rawPut(url, [
      `content-digest: ${digestField(Buffer.from('x'))}`,
      'content-length: 50',
    ]);
    socket.write('x');
    await textUntilClosed(socket);
    await eventually(async () => (await receiving(url)) === 0);
    expect(await keptFiles(dataDir)).toEqual([]);
  });

  it('answers 408 to a body that trickles for too long', async () => {
    const limits = { ...SERVER_LIMITS, headersTimeoutMs: 300, requestTimeoutMs: 300, checkEveryMs: 50 };
    const { url, dataDir } = await startCollector(await temporaryFolder(), { limits });
    const socket = await rawPut(url, [
      `content-digest: ${digestField(Buffer.from('x'))}`,
      'content-length: 5000',
    ]);
    const trickle = setInterval(() => socket.write('x'), 20);
    onTestFinished(() => clearInterval(trickle));
    const text = await textUntilClosed(socket);
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    expect(errorCode({ body: text.split('\r\n\r\n')[1] ?? '' })).toBe('timeout');
    await eventually(async () => (await keptFiles(dataDir)).length === 0);
  });

  it('does not take more connections than it may', async () => {
    const { url } = await startCollector(await temporaryFolder(), {
      limits: { ...SERVER_LIMITS, maxConnections: 2 },
    });
    const kept = [await rawConnection(url), await rawConnection(url)];
    const third = await rawConnection(url);
    expect(await textUntilClosed(third)).toBe('');
    expect(kept.every((socket) => !socket.destroyed)).toBe(true);
  });
});

describe('the rest of the server', () => {
  it('says that it is well', async () => {
    const { url } = await startCollector(await temporaryFolder());
    const reply = await fetch(`${url}/healthz`);
    expect([reply.status, await reply.json()]).toEqual([200, expect.objectContaining({ ok: true })]);
  });

  it('answers in one shape to what it does not have and to what is no HTTP', async () => {
    const { url } = await startCollector(await temporaryFolder());
    for (const path of ['/', '/v1/devices', '/%zz']) {
      const reply = await fetch(url + path);
      expect(errorCode({ body: await reply.text() })).toBe(
        reply.status === 404 ? 'not-found' : 'bad-request',
      );
    }
    const socket = await rawConnection(url);
    socket.write('hello\r\n\r\n');
    expect(errorCode({ body: (await textUntilClosed(socket)).split('\r\n\r\n')[1] ?? '' })).toBe(
      'bad-request',
    );
  });
});
