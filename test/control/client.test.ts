import { chownSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { request, stream } from '../../src/control/client.ts';
import { ResponseReader } from '../../src/control/http-response.ts';
import { LineSplitter } from '../../src/control/reply.ts';
import { hostileServer, startServer, temporaryFolder } from './sockets.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const never = new AbortController().signal;

function says(...pieces: readonly (string | Buffer)[]): (socket: Socket) => void {
  return (socket) => {
    for (const piece of pieces) socket.write(piece);
    socket.end();
  };
}

describe('the control client', () => {
  it.each([
    ['with a length', `${HEAD}Content-Length: 7\r\n\r\n{"a":1}`],
    ['in chunks', `${HEAD}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n`],
    ['until the end of the connection', `${HEAD}\r\n{"a":1}`],
  ])('reads a reply %s', async (_how, text) => {
    expect(await request(await hostileServer(says(text)), 'GET', '/v1/status')).toEqual({ a: 1 });
  });

  it('does not wait for the other side to close once the reply is complete', async () => {
    const path = await hostileServer((socket) => void socket.write(`${HEAD}Content-Length: 2\r\n\r\n{}`));
    expect(await request(path, 'GET', '/v1/status')).toEqual({});
  });

  it.each([
    ['closes at once', says()],
    ['speaks something else', says('SSH-2.0-OpenSSH_9.6\r\n\r\n')],
    ['closes half-way through its headers', says(`${HEAD}Content-`)],
    ['closes half-way through its body', says(`${HEAD}Content-Length: 100\r\n\r\n{}`)],
    ['closes between chunks', says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n`)],
    [
      'sends a chunk longer than it says',
      says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n`),
    ],
    [
      'sends a chunk of negative length',
      says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n`),
    ],
    [
      'sends a chunk length without end',
      says(`${HEAD}Transfer-Encoding: chunked\r\n\r\n${'1'.repeat(5000)}`),
    ],
    ['gives a length that is none', says(`${HEAD}Content-Length: 2e9\r\n\r\n{}`)],
    ['gives two lengths', says(`${HEAD}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`)],
    ['gives a length and chunks', says(`${HEAD}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`)],
    ['compresses', says(`${HEAD}Transfer-Encoding: gzip\r\n\r\n{}`)],
    ['answers with what is no JSON', says(`${HEAD}Content-Length: 5\r\n\r\nhello`)],
    ['answers with more than anyone asks for', says(`${HEAD}\r\n`, Buffer.alloc(5_000_000, 0x20))],
  ])('says that the daemon is unavailable when the other side %s', async (_what, answer) => {
    await expect(request(await hostileServer(answer), 'GET', '/v1/status')).rejects.toMatchObject({
      name: 'TelemetryError',
      code: 'unavailable',
    });
  });

  it('gives up on headers without an end, in bounded memory', async () => {
    let sentBytes = 0;
    const path = await hostileServer((socket) => {
      socket.write(HEAD);
      const more = (): void => {
        sentBytes += 4096;
        if (!socket.destroyed) socket.write(`X: ${'x'.repeat(4090)}\r\n`, () => setImmediate(more));
      };
      more();
    });
    await expect(request(path, 'GET', '/v1/status')).rejects.toThrow('its headers have no end');
    expect(sentBytes).toBeLessThan(4_000_000);
  });

  it('waits no longer than it was told, for silence and for dripping alike', async () => {
    const silent = await hostileServer(() => undefined);
    await expect(request(silent, 'GET', '/v1/status', undefined, { timeoutMs: 60 })).rejects.toThrow(
      'in time',
    );
    const dripping = await hostileServer((socket) => {
      socket.write(`${HEAD}Content-Length: 1000\r\n\r\n`);
      const drip = setInterval(() => socket.write(' '), 10);
      socket.on('close', () => clearInterval(drip));
    });
    await expect(request(dripping, 'GET', '/v1/status', undefined, { timeoutMs: 80 })).rejects.toMatchObject({
      code: 'unavailable',
      retryable: true,
    });
  });

  it('says that the daemon is down when there is no socket, a dead one, or something else', async () => {
    const folder = temporaryFolder();
    const missing = request(join(folder, 'none.sock'), 'GET', '/v1/status');
    await expect(missing).rejects.toMatchObject({ code: 'daemon-down', hint: 'telemetryd run' });
    writeFileSync(join(folder, 'file.sock'), '');
    await expect(request(join(folder, 'file.sock'), 'GET', '/v1/status')).rejects.toMatchObject({
      code: 'daemon-down',
    });
    const { path, server } = await startServer();
    symlinkSync(path, join(folder, 'link.sock'));
    await expect(request(join(folder, 'link.sock'), 'GET', '/v1/status')).rejects.toMatchObject({
      code: 'daemon-down',
    });
    await server.stop();
    await expect(request(path, 'GET', '/v1/status')).rejects.toMatchObject({ code: 'daemon-down' });
  });

  it.runIf(process.getuid?.() === 0)('refuses a socket that belongs to somebody else', async () => {
    const { path } = await startServer();
    chownSync(path, 4321, 4321);
    await expect(request(path, 'GET', '/v1/status')).rejects.toMatchObject({ code: 'not-permitted' });
  });

  it('passes on an error it does not know as a failure', async () => {
    const body = '{"error":{"code":"new-thing","message":"Odd.","hint":"wait"}}';
    const path = await hostileServer(
      says(`HTTP/1.1 418 Odd\r\nContent-Length: ${body.length}\r\n\r\n${body}`),
    );
    await expect(request(path, 'GET', '/v1/status')).rejects.toMatchObject({
      code: 'failed',
      message: 'Odd.',
      hint: 'wait',
    });
  });
});

describe('a stream of the control client', () => {
  it('gives each line once it is whole', async () => {
    const path = await hostileServer(says(`${HEAD}\r\n{"n":1}\n{"n"`, ':2}\n\n', '{"n":3}\n'));
    const seen: unknown[] = [];
    await stream(path, '/v1/watch', (message) => seen.push(message), never);
    expect(seen).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  });

  it('rejects a line without an end, and one that is no JSON', async () => {
    const endless = await hostileServer(says(`${HEAD}\r\n`, Buffer.alloc(5_000_000, 0x20)));
    await expect(stream(endless, '/v1/watch', () => undefined, never)).rejects.toThrow('without an end');
    const wrong = await hostileServer(says(`${HEAD}\r\nhello\n`));
    await expect(stream(wrong, '/v1/watch', () => undefined, never)).rejects.toThrow('not JSON');
  });

  it('rejects with the refusal of a daemon that has no such stream', async () => {
    const { path } = await startServer();
    await expect(stream(path, '/v1/nothing', () => undefined, never)).rejects.toThrow('no such route');
  });

  it('ends with an error of whoever takes the messages', async () => {
    const path = await hostileServer((socket) => void socket.write(`${HEAD}\r\n{}\n`));
    const taking = stream(
      path,
      '/v1/watch',
      () => {
        throw new Error('full');
      },
      never,
    );
    await expect(taking).rejects.toThrow('full');
  });

  it('ends at once when it is cancelled, also before it began', async () => {
    const path = await hostileServer((socket) => void socket.write(`${HEAD}\r\n`));
    const cancelling = new AbortController();
    const taking = stream(path, '/v1/watch', () => undefined, cancelling.signal);
    setTimeout(() => cancelling.abort(), 30);
    await expect(taking).resolves.toBeUndefined();
    await expect(stream(path, '/v1/watch', () => undefined, AbortSignal.abort())).resolves.toBeUndefined();
  });
});

describe('taking a response apart', () => {
  it('does not depend on how it was cut into pieces', () => {
    const whole = Buffer.from(
      `${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0b;e\r\n, you there\r\n0\r\n\r\n`,
    );
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length), { maxLength: 12 }), (cuts) => {
        const reader = new ResponseReader();
        const edges = [0, ...cuts.toSorted((a, b) => a - b), whole.length];
        const parts = edges.slice(1).flatMap((end, at) => reader.push(whole.subarray(edges[at], end)));
        const body = Buffer.concat(parts.flatMap((part) => (part.type === 'body' ? [part.bytes] : [])));
        expect(body.toString()).toBe('hello, you there');
        expect(parts.at(-1)).toEqual({ type: 'end' });
      }),
    );
  });

  it('either throws an error of ours or gives parts, whatever the bytes', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .stringMatching(/^HTTP\/1\.1 200\r\n[a-z:\r\n 0-9]{0,60}\r\n\r\n[0-9a-f\r\n;]{0,60}$/)
        .map((text) => Buffer.from(text)),
    );
    fc.assert(
      fc.property(noise, (bytes) => {
        try {
          new ResponseReader().push(Buffer.from(bytes));
        } catch (error) {
          expect(error).toMatchObject({ name: 'TelemetryError', code: 'unavailable' });
        }
      }),
    );
  });

  it('splits lines the same however they arrive', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 9 }), (text, size) => {
        const bytes = Buffer.from(`${text}\n`);
        const splitter = new LineSplitter(10_000);
        const lines: string[] = [];
        for (let at = 0; at < bytes.length; at += size)
          lines.push(...splitter.push(bytes.subarray(at, at + size)));
        expect(lines).toEqual(
          bytes
            .toString()
            .split('\n')
            .filter((line) => line !== ''),
        );
      }),
    );
  });
});
