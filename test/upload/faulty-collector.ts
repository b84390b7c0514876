import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What a collector may do wrong. `good` is the receipt rule as it should be. */
export type Fault =
  | 'good'
  | 'already-there'
  | 'kept-a-day'
  | 'no-digest'
  | 'wrong-digest'
  | 'no-content'
  | 'accepted'
  | 'slow'
  | 'hang'
  | 'endless-body'
  | 'body-never-ends'
  | 'redirect'
  | 'cut-mid-body'
  | 'cut-reply'
  | 'close-after'
  | 'garbage'
  | { readonly status: number; readonly retryAfter?: string; readonly early?: boolean };

/** One request as the collector saw it. */
export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly connection: number;
}

/** A collector that misbehaves as told: one fault per request in order, the last one for ever. Real HTTP on loopback. */
export class FaultyCollector {
  readonly seen: Seen[] = [];
  /** Bytes of bodies as they arrive, also of requests that never end. */
  bodyBytes = 0;
  connections = 0;
  /** Connections that took up the TLS session of one before. */
  resumed = 0;
  /** Connections that ended with a reset or an end before their request was through. */
  cuts = 0;
  #faults: Fault[];
  readonly #server: Server;
  readonly #sockets = new Map<Socket, number>();

  constructor(faults: readonly Fault[] = ['good'], tls?: { key: string; cert: string }) {
    this.#faults = [...faults];
    const take = (request: IncomingMessage, response: ServerResponse): void => {
      void this.#take(request, response).catch(() => undefined); // the client went away
    };
    this.#server = tls === undefined ? createServer(take) : createSecureServer(tls, take);
    this.#server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      this.#sockets.set(socket, ++this.connections);
      if (socket instanceof TLSSocket && socket.isSessionReused()) this.resumed++;
      socket.on('error', () => undefined);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async start(host = '127.0.0.1'): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve));
    return `http://${host}:${this.port}`;
  }

  /** From the next request on. */
  behave(faults: readonly Fault[]): void {
    this.#faults = [...faults];
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.#faults.length > 1 ? (this.#faults.shift() ?? 'good') : (this.#faults[0] ?? 'good');
    if (typeof fault === 'object' && fault.early === true) {
      this.#answer(fault, response, '');
      return;
    }
    const parts: Buffer[] = [];
    try {
      for await (const part of request as AsyncIterable<Buffer>) {
        parts.push(part);
        this.bodyBytes += part.length;
        if (fault === 'cut-mid-body') request.socket.destroy();
        if (fault === 'slow') await new Promise((resolve) => setTimeout(resolve, 20));
      }
    } catch (error) {
      this.cuts++;
      throw error;
    }
    const body = Buffer.concat(parts);
    this.seen.push({
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body,
      connection: this.#sockets.get(request.socket) ?? 0,
    });
    this.#answer(fault, response, `sha-256=:${createHash('sha256').update(body).digest('base64')}:`);
  }

  #answer(fault: Fault, response: ServerResponse, digest: string): void {
    const good = { 'Content-Digest': digest };
    if (typeof fault === 'object') {
      response.writeHead(fault.status, {
        ...good,
        ...(fault.retryAfter === undefined ? {} : { 'Retry-After': fault.retryAfter }),
      });
      response.end('{"error":"told to"}');
      return;
    }
    switch (fault) {
      case 'good':
      case 'slow':
      case 'cut-mid-body':
        response.writeHead(201, good).end('{}');
        return;
      case 'already-there':
        response.writeHead(200, { 'Content-Digest': `sha-512=:AAAA:, ${digest}` }).end('{}');
        return;
      case 'kept-a-day':
        response
          .writeHead(201, { ...good, Date: 'Thu, 26 Nov 2026 10:00:00 GMT' })
          .end('{"expires":"2026-11-27T10:00:00.000Z"}');
        return;
      case 'close-after':
        response.writeHead(201, { ...good, Connection: 'close' }).end('{}');
        return;
      case 'no-digest':
        response.writeHead(201).end('{}');
        return;
      case 'wrong-digest':
        response
          .writeHead(201, { 'Content-Digest': `sha-256=:${Buffer.alloc(32).toString('base64')}:` })
          .end('{}');
        return;
      case 'no-content':
        response.writeHead(204, good).end();
        return;
      case 'accepted':
        response.writeHead(202, good).end('{}');
        return;
      case 'hang':
        return;
      case 'endless-body': {
        response.writeHead(201, good);
        const pour = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(16_384, 0x20)));
        };
        response.on('drain', pour);
        pour();
        return;
      }
      case 'body-never-ends':
        response.writeHead(201, good).write('{');
        return;
      case 'redirect':
        response.writeHead(307, { ...good, Location: `http://127.0.0.1:${this.port}/elsewhere` }).end();
        return;
      case 'cut-reply':
        response.socket?.end('HTTP/1.1 201 Crea');
        return;
      case 'garbage':
        response.socket?.end('220 mail.example.com ESMTP\r\n');
        return;
    }
  }
}
