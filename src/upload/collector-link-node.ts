import { once } from 'node:events';
import type { Agent, ClientRequest } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Destination } from '../core/destination.ts';
import { chargeFor } from './charge.ts';
import { Exchange, type LinkFailure, type LinkRequest, type StaleFailure } from './exchange.ts';
import type { CollectorReply } from './reply-policy.ts';

/** How long to wait and how much to read. Milliseconds and bytes. */
export interface LinkLimits {
  /** From opening a connection to the end of its TLS handshake. */
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** Of a reply's body; the connection is given up beyond it. */
  readonly replyBytes: number;
}

/**
 * A connection over a bad mobile or satellite link takes up to 3 s, with one lost packet 6; ten is generous. A collector
 * answers within its disk's flush; thirty seconds without any byte mean that it, or the line, is gone. Replies of
 * ours have a few hundred bytes; the rest is whatever a broken server or a proxy says.
 */
const LINK_LIMITS: LinkLimits = { connectMs: 10_000, idleMs: 30_000, replyBytes: 64 * 1024 };

/**
 * Node gives each of a name's addresses 250 ms before it tries the next, and fails when all are slower: too short
 * for the links above.
 */
const ADDRESS_ATTEMPT_MS = 2500;

interface LinkOptions {
  readonly limits?: LinkLimits;
  /** PEM of the one certificate authority that counts; `null`: the system's. */
  readonly ca?: string | null;
}

/** One kept-alive connection to the collector, and its bill. It follows no redirect and reads no reply to its end. */
export class CollectorLink {
  readonly #destination: Destination;
  readonly #limits: LinkLimits;
  readonly #ca: string | null;
  /** Every connection of this link, the current one last; kept for their byte counts. */
  readonly #sockets: Socket[] = [];
  #agent: Agent | null = null;
  /**
   * The latest TLS session, for a connection after this one: it saves the certificates, 1 to 4 KB. It is not kept for the
   * next round. Servers forget sessions after minutes (five, by the defaults of Node and nginx) and rounds come a
   * quarter of an hour apart at the soonest, so that a secret would lie in a file for nothing.
   */
  #session: Buffer | null = null;

  constructor(destination: Destination, { limits = LINK_LIMITS, ca = null }: LinkOptions = {}) {
    this.#destination = destination;
    this.#limits = limits;
    this.#ca = ca;
  }

  /** Bytes to charge for everything so far. */
  get chargedBytes(): number {
    // The TCP socket below TLS counts what goes over the wire, handshake and records included.
    const wireBytes = this.#sockets.reduce((sum, socket) => sum + socket.bytesWritten + socket.bytesRead, 0);
    return chargeFor(wireBytes, this.#sockets.length);
  }

  get isConnected(): boolean {
    const current = this.#sockets.at(-1);
    return current !== undefined && !current.connecting && !current.destroyed;
  }

  /** Sends one request; `signal` cuts the connection at once. */
  async send(request: LinkRequest, signal: AbortSignal): Promise<CollectorReply | LinkFailure> {
    const answer = await this.#exchange(request, signal);
    // A server may close an idle connection just as it is used again; a PUT may be repeated (RFC 9112, section 9.3.1),
    // and what a person asks has an id, by which it is done once.
    const isStale = 'failure' in answer && answer.isStale && !signal.aborted;
    return isStale ? this.#exchange(request, signal) : answer;
  }

  close(): void {
    this.#agent?.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #exchange(put: LinkRequest, signal: AbortSignal): Promise<CollectorReply | StaleFailure> {
    if (signal.aborted) return { failure: 'aborted', isStale: false };
    const request = this.#request(put);
    const exchange = new Exchange(request, this.#limits.replyBytes, () => this.#drop());
    const onAbort = (): void => {
      // First of all: what the kernel still holds must not leave any more.
      this.#drop();
      exchange.fail('aborted');
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await exchange.send(put);
      return await exchange.answer;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #request(put: LinkRequest): ClientRequest {
    // The module is loaded this way because `import` costs 6 MB of private memory more.
    const http = process.getBuiltinModule('node:http');
    if (this.#agent === null) {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1, maxFreeSockets: 1 });
      agent.createConnection = (_options, callback) => {
        this.#open().then(
          (stream) => callback?.(null, stream),
          // Node takes an error without a stream here; the type insists on both.
          (error: unknown) => (callback as ((error: unknown) => void) | undefined)?.(error),
        );
        return undefined;
      };
      this.#agent = agent;
    }
    return http.request({
      agent: this.#agent,
      method: put.method,
      path: put.path,
      headers: {
        Host: this.#destination.authority,
        ...put.headers,
        ...put.sign?.(),
        'Content-Length': String(put.sizeBytes),
      },
      timeout: this.#limits.idleMs,
    });
  }

  async #open(): Promise<Duplex> {
    const { host, port, isSecure } = this.#destination;
    const socket = connect({
      host,
      port,
      noDelay: true,
      autoSelectFamilyAttemptTimeout: ADDRESS_ATTEMPT_MS,
    });
    this.#sockets.push(socket);
    // Whoever uses the socket hears of its errors; this listener keeps a late one from ending the process.
    socket.on('error', () => undefined);
    const closed = new AbortController();
    socket.once('close', () => closed.abort());
    const timeUp = new Error('connecting took too long');
    const timer = setTimeout(() => socket.destroy(timeUp), this.#limits.connectMs);
    try {
      await once(socket, 'connect');
      if (!isSecure) return socket;
      const secure = process.getBuiltinModule('node:tls').connect({
        socket,
        host,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ...(this.#ca === null ? {} : { ca: this.#ca }),
        ALPNProtocols: ['http/1.1'],
        minVersion: 'TLSv1.2',
        // Also against an environment that switches the check off.
        rejectUnauthorized: true,
        ...(this.#session === null ? {} : { session: this.#session }),
      });
      // With TLS 1.3 it comes after the handshake, and more than once.
      secure.on('session', (session) => (this.#session = session));
      // The end of the connection below is not always an error of the one above.
      await once(secure, 'secureConnect', { signal: closed.signal });
      return secure;
    } catch (error) {
      const isTimeUp = socket.errored === timeUp;
      socket.destroy();
      throw isTimeUp ? timeUp : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends the current connection with a reset, which discards what the kernel has not sent yet (up to megabytes). */
  #drop(): void {
    const socket = this.#sockets.at(-1);
    if (socket === undefined || socket.destroyed) return;
    if (socket.connecting) socket.destroy(new Error('aborted'));
    else socket.resetAndDestroy();
  }
}
