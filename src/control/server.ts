import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import type { Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { ControlHandlers } from './handlers.ts';
import { checkSocketPath } from './locations.ts';
import { type Peer, type PeerSource, peerFor } from './peer.ts';
import { answer } from './routes.ts';
import { clearSocketPath, prepareSocketFolder } from './socket-path.ts';

/** A person has a handful of clients; beyond this someone is leaking or attacking. */
const MAX_CONNECTIONS = 64;
/** Local clients send a request in one piece; whoever drips one for longer than this is cut off. */
const DEFAULT_LIMITS = { requestTimeoutMs: 10_000 } as const;
/** A connection on which nothing moves; streams are exempt, and no handler takes so long. */
const IDLE_TIMEOUT_MS = 60_000;
/** Our own client sends 100 bytes of headers, curl 80. */
const MAX_HEADER_BYTES = 8 * 1024;
/** Node's own check for slow requests would wake the process every 30 s for ever; connections have a deadline instead. */
const NEVER_MS = 2 ** 31 - 1;
/** The last lines of streams and the answers in hand get this long to reach their clients when the server stops. */
const STOP_GRACE_MS = 300;
/** Anyone may connect where the kernel says who it is; else the socket's owner and root. */
const ACCESS = {
  told: { folder: 0o711, umask: 0o111 },
  untold: { folder: 0o700, umask: 0o177 },
} as const;
/** Of {@link MAX_CONNECTIONS}, so that no other account can keep the person out. */
const MAX_CONNECTIONS_OF_OTHERS = 16;
const MAX_CONNECTIONS_OF_ONE_OTHER = 4;

/** What a test may want shorter. */
interface ServerLimits {
  readonly requestTimeoutMs: number;
}

/** The control protocol on a Unix socket: one request a connection; a stream lasts until either side ends it. */
export class ControlServer {
  readonly #path: string;
  readonly #handlers: ControlHandlers;
  readonly #peers: PeerSource;
  readonly #log: Log;
  readonly #limits: ServerLimits;
  readonly #ending = new AbortController();
  /** Every connection, with who it is. */
  readonly #sockets = new Map<Socket, Peer>();
  /** What to call once the request of a connection is in. */
  readonly #received = new WeakMap<Socket, () => void>();
  #server: Server | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    path: string,
    handlers: ControlHandlers,
    peers: PeerSource,
    log: Log,
    limits: ServerLimits = DEFAULT_LIMITS,
  ) {
    this.#path = path;
    this.#handlers = handlers;
    this.#peers = peers;
    this.#log = log;
    this.#limits = limits;
  }

  /**
   * Listens. Throws when a daemon lives at the path already, when what is there is no socket, and when others could
   * replace it. Aborting `signal` does what {@link stop} does.
   */
  async start(signal?: AbortSignal): Promise<void> {
    checkSocketPath(this.#path, process.platform);
    const access = this.#peers.uidOf === null ? ACCESS.untold : ACCESS.told;
    await prepareSocketFolder(dirname(this.#path), access.folder);
    await clearSocketPath(this.#path);
    signal?.throwIfAborted();
    if (this.#stopped !== undefined) return;
    const server = this.#createServer();
    this.#server = server;
    const umask = process.umask(access.umask);
    try {
      server.listen(this.#path);
    } finally {
      process.umask(umask);
    }
    await once(server, 'listening', { signal: this.#ending.signal });
    server.on('error', (error) =>
      this.#log.error(
        { event: 'control-socket-failed', error: messageOf(error) },
        'the control socket failed',
      ),
    );
    signal?.addEventListener('abort', () => void this.stop(), { once: true });
    if (signal?.aborted === true) await this.stop();
  }

  /** Ends all streams and connections and removes the socket. Safe to call at any time and more than once. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#ending.abort();
    const server = this.#server;
    if (server?.listening !== true) return;
    const closed = once(server, 'close');
    server.close();
    await Promise.race([closed, once(AbortSignal.timeout(STOP_GRACE_MS), 'abort')]);
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
  }

  #createServer(): Server {
    const { createServer } = process.getBuiltinModule('node:http');
    const server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: 0,
      requestTimeout: 0,
      connectionsCheckingInterval: NEVER_MS,
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.maxRequestsPerSocket = 1;
    server.timeout = IDLE_TIMEOUT_MS;
    server.on('connection', (socket: Socket) => this.#welcome(socket));
    server.on('clientError', refuseUnparsed);
    server.on('request', (request, response) => {
      response.shouldKeepAlive = false;
      const received = this.#received.get(request.socket) ?? (() => undefined);
      const peer = this.#sockets.get(request.socket) ?? NOBODY;
      void answer(request, response, this.#handlers, peer, this.#log, received, this.#ending.signal);
    });
    return server;
  }

  #welcome(socket: Socket): void {
    const peer = this.#peerOf(socket);
    if (!this.#hasRoomFor(peer)) {
      socket.destroy();
      return;
    }
    this.#sockets.set(socket, peer);
    socket.once('close', () => this.#sockets.delete(socket));
    const deadline = AbortSignal.timeout(this.#limits.requestTimeoutMs);
    const cutOff = (): void => {
      socket.destroy();
    };
    deadline.addEventListener('abort', cutOff, { once: true });
    this.#received.set(socket, () => deadline.removeEventListener('abort', cutOff));
  }

  /** Whoever the kernel does not name, where it should, has no rights but everyone's. */
  #peerOf(socket: Socket): Peer {
    const { accounts, uidOf } = this.#peers;
    if (uidOf === null) return peerFor(null, accounts);
    const fd = descriptorOf(socket);
    const uid = fd === null ? null : uidOf(fd);
    return uid === null ? NOBODY : peerFor(uid, accounts);
  }

  #hasRoomFor({ role, uid }: Peer): boolean {
    if (role === 'person' || role === 'service') return true;
    const others = [...this.#sockets.values()].filter(
      (peer) => peer.role === 'root' || peer.role === 'other',
    );
    const ofThisOne = others.filter((peer) => peer.uid === uid);
    return others.length < MAX_CONNECTIONS_OF_OTHERS && ofThisOne.length < MAX_CONNECTIONS_OF_ONE_OTHER;
  }
}

/** An account that could not be told: `(uid_t) -1`, which is nobody's (chown(2)). */
const NOBODY: Peer = { role: 'other', uid: 2 ** 32 - 1 };

/** Node has no public name for a socket's descriptor; `_handle.fd` is what its own `cluster` and debuggers go by. */
function descriptorOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}

/** Answers what is not HTTP, or has more headers than anyone needs. */
function refuseUnparsed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}
