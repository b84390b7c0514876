import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { parseDestination } from '../../src/core/destination.ts';
import { CollectorLink, type LinkLimits } from '../../src/upload/collector-link-node.ts';
import type { LinkRequest } from '../../src/upload/exchange.ts';
import { type Fault, FaultyCollector } from './faulty-collector.ts';
import { makeCertificate } from './self-signed.ts';

const SHORT: LinkLimits = { connectMs: 300, idleMs: 300, replyBytes: 1000 };
const NEVER = new AbortController().signal;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function collector(
  faults: readonly Fault[],
  tls?: { key: string; cert: string },
  host?: string,
): Promise<FaultyCollector> {
  const server = new FaultyCollector(faults, tls);
  await server.start(host);
  cleanups.push(() => server.stop());
  return server;
}

function linkTo(url: string, limits: LinkLimits = SHORT): CollectorLink {
  const link = new CollectorLink(parseDestination(url), { limits });
  cleanups.push(() => link.close());
  return link;
}

function put(body: Buffer, pieceBytes = 10_000): LinkRequest {
  return {
    method: 'PUT',
    path: '/v1/devices/d/segments/s',
    headers: {},
    sizeBytes: body.length,
    body: async function* () {
      for (let at = 0; at < body.length; at += pieceBytes)
        yield await Promise.resolve(body.subarray(at, at + pieceBytes));
    },
  };
}

describe('the link to a collector', () => {
  it('gives up on a collector that takes everything and never answers', async () => {
    const server = await collector(['hang']);
    const start = performance.now();
    const answer = await linkTo(`http://127.0.0.1:${server.port}`).send(put(randomBytes(1000)), NEVER);
    expect(answer).toMatchObject({ failure: 'no byte for too long' });
    expect(performance.now() - start).toBeLessThan(1500);
  });

  it('gives up on a server that accepts the connection and reads nothing', async () => {
    const server = createServer((socket) => socket.pause().on('error', () => undefined));
    const port = await listen(server);
    const answer = await linkTo(`http://127.0.0.1:${port}`).send(put(Buffer.alloc(20_000_000)), NEVER);
    expect(answer).toMatchObject({ failure: 'no byte for too long' });
  });

  it('gives up on a TLS handshake that does not end', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined));
    const port = await listen(server);
    const answer = await linkTo(`https://127.0.0.1:${port}`).send(put(Buffer.alloc(10)), NEVER);
    expect(answer).toMatchObject({ failure: 'connecting took too long' });
  });

  it('takes the receipt of a reply whose body hangs, and needs a new connection for the next file', async () => {
    const server = await collector(['body-never-ends', 'good']);
    const link = linkTo(`http://127.0.0.1:${server.port}`);
    expect(await link.send(put(Buffer.from('one')), NEVER)).toMatchObject({ status: 201 });
    expect(await link.send(put(Buffer.from('two')), NEVER)).toMatchObject({ status: 201 });
    expect(server.connections).toBe(2);
  });

  it('repeats a request once when the idle connection turns out to be closed', async () => {
    const server = await collector(['good']);
    // A proxy that forgets a connection after its first exchange, without telling the client until it is used.
    let uses = 0;
    const proxy = createServer((client) => {
      const upstream = connect(server.port, '127.0.0.1');
      let isFirst = true;
      client.on('error', () => undefined);
      upstream.on('error', () => undefined);
      client.on('data', (data: Buffer) => {
        if (data.includes('PUT ') && !isFirst) client.resetAndDestroy();
        else upstream.write(data);
        if (data.includes('PUT ')) isFirst = false;
      });
      upstream.on('data', (data) => client.write(data));
      client.on('close', () => upstream.destroy());
      uses++;
    });
    const link = linkTo(`http://127.0.0.1:${await listen(proxy)}`);
    expect(await link.send(put(Buffer.from('one')), NEVER)).toMatchObject({ status: 201 });
    expect(await link.send(put(Buffer.from('two')), NEVER)).toMatchObject({ status: 201 });
    expect(uses).toBe(2);
    expect(server.seen.map((seen) => seen.body.toString())).toEqual(['one', 'two']);
  });

  it('does not repeat what fails on a fresh connection', async () => {
    const server = await collector(['cut-mid-body', 'good']);
    const answer = await linkTo(`http://127.0.0.1:${server.port}`).send(put(Buffer.alloc(500_000)), NEVER);
    expect(answer).toHaveProperty('failure');
    expect(server.connections).toBe(1);
  });

  it('does not send a file whose end is missing as if it were whole', async () => {
    const server = await collector(['good']);
    const request = { ...put(Buffer.alloc(100)), sizeBytes: 200 };
    const answer = await linkTo(`http://127.0.0.1:${server.port}`).send(request, NEVER);
    expect(answer).toMatchObject({ failure: 'the file could not be read to its end while it was sent' });
    expect(server.seen).toEqual([]);
  });

  it('stops while it connects, and before it begins', async () => {
    const gate = new AbortController();
    const silent = createServer((socket) => socket.on('error', () => undefined));
    const link = linkTo(`https://127.0.0.1:${await listen(silent)}`, { ...SHORT, connectMs: 5000 });
    const start = performance.now();
    const answer = link.send(put(Buffer.alloc(10)), gate.signal);
    setTimeout(() => gate.abort(), 50);
    expect(await answer).toMatchObject({ failure: 'aborted' });
    expect(performance.now() - start).toBeLessThan(500);
    const late = await link.send(put(Buffer.alloc(10)), gate.signal);
    expect(late).toMatchObject({ failure: 'aborted' });
  });

  it('discards what the kernel still holds when it is stopped', async () => {
    let received = 0;
    let wasReset = false;
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('data', (data) => (received += data.length));
      socket.on('error', () => (wasReset = true));
      setTimeout(() => socket.resume(), 300); // a slow line: the sender's kernel is full by now
    });
    const gate = new AbortController();
    const link = linkTo(`http://127.0.0.1:${await listen(server)}`, { ...SHORT, idleMs: 5000 });
    const answer = link.send(put(Buffer.alloc(50_000_000), 65_536), gate.signal);
    setTimeout(() => gate.abort(), 200);
    expect(await answer).toMatchObject({ failure: 'aborted' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(wasReset).toBe(true);
    expect(received).toBeLessThan(link.chargedBytes);
  });

  describe('over TLS', () => {
    const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
    const { key, cert } = makeCertificate(folder);
    rmSync(folder, { recursive: true });

    function trust(): void {
      const trusted = getCACertificates('default');
      setDefaultCACertificates([...trusted, cert]);
      cleanups.push(() => setDefaultCACertificates(trusted));
    }

    it('refuses a certificate that is for another name, though it trusts its signer', async () => {
      const server = await collector(['good'], { key, cert }, '127.0.0.2');
      trust();
      const answer = await linkTo(`https://127.0.0.2:${server.port}`).send(put(Buffer.alloc(10)), NEVER);
      expect(answer).toMatchObject({ failure: 'ERR_TLS_CERT_ALTNAME_INVALID' });
      expect(server.seen).toEqual([]);
    });

    it('takes up its session when it has to connect anew, which costs less', async () => {
      const server = await collector(['close-after'], { key, cert });
      trust();
      const link = linkTo(`https://localhost:${server.port}`);
      const charges: number[] = [];
      for (let before = 0; charges.length < 3; before = link.chargedBytes) {
        expect(await link.send(put(Buffer.alloc(1000)), NEVER)).toMatchObject({ status: 201 });
        charges.push(link.chargedBytes - before);
      }
      expect(server).toMatchObject({ connections: 3, resumed: 2 });
      expect(charges[1]).toBeLessThan(charges[0] ?? 0);
    });

    it('refuses a certificate that nobody it trusts has signed, whatever the environment says', async () => {
      const server = await collector(['good'], { key, cert });
      process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
      cleanups.push(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
      const answer = await linkTo(`https://127.0.0.1:${server.port}`).send(put(Buffer.alloc(10)), NEVER);
      expect(answer).toMatchObject({ failure: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
      expect(server.seen).toEqual([]);
    });

    it('charges what went over the wire, never less, over a connection that it keeps', async () => {
      const server = await collector(['good'], { key, cert });
      let wireBytes = 0;
      const count = (from: Socket, to: Socket): void => {
        from.on('data', (data: Buffer) => {
          wireBytes += data.length;
          to.write(data);
        });
        from.on('error', () => undefined);
        from.on('close', () => to.destroy());
      };
      const proxy = createServer((client) => {
        const upstream = connect(server.port, '127.0.0.1');
        count(client, upstream);
        count(upstream, client);
      });
      const port = await listen(proxy);
      trust();
      const link = linkTo(`https://localhost:${port}`);
      for (const size of [100_000, 300_000]) {
        expect(await link.send(put(randomBytes(size)), NEVER)).toMatchObject({ status: 201 });
        expect(link.isConnected).toBe(true);
        expect(link.chargedBytes).toBe(Math.ceil(wireBytes * 1.06) + 4096);
      }
      expect(server.connections).toBe(1);
    });
  });
});

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  const open = new Set<Socket>();
  server.on('connection', (socket) => open.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of open) socket.destroy();
    await closed;
  });
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
