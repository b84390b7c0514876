import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { ServerLimits } from './server-limits.ts';

/** PEM texts. */
export interface TlsFiles {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Makes the server itself, for fastify: over TLS, with the limits that it would set on one of its own. */
export function serverFactory({ cert, key }: TlsFiles, limits: ServerLimits) {
  return (handler: (request: IncomingMessage, response: ServerResponse) => void): Server => {
    const options = {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: limits.checkEveryMs,
    };
    const server = createServer({ ...options, cert, key, minVersion: 'TLSv1.2' }, handler);
    server.setTimeout(limits.idleTimeoutMs);
    return server;
  };
}
