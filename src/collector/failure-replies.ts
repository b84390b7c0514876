import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';
import type { Log } from '../core/clock.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { errorBody, sendError } from './api-error.ts';
import { StorageFullError } from './object-store.ts';
import { PUT_SEGMENT_PATH } from './put-route.ts';

/** Room is made by people, so not at once: 5 minutes. */
const FULL_RETRY_SECONDS = 300;
/** A database or store that fails over is back within a minute; clients multiply this by a random 1 to 2. */
const AWAY_RETRY_SECONDS = 30;

/** An error that no route made an answer of. */
export function answerFailure(error: Error, reply: FastifyReply, log: Log): FastifyReply {
  const status = 'statusCode' in error ? Number(error.statusCode) : 500;
  if (status >= 400 && status < 500) {
    const hint = `PUT ${PUT_SEGMENT_PATH} or GET /healthz`;
    return sendError(reply, { status, code: 'bad-request', message: messageOf(error), hint });
  }
  if (error instanceof StorageFullError) {
    log.error({ op: error.op }, 'the storage is full');
    return sendError(reply, {
      status: 507,
      code: 'storage-full',
      message: 'the collector has no room left; nothing was kept',
      hint: 'send it again after Retry-After',
      retryAfterSeconds: FULL_RETRY_SECONDS,
    });
  }
  if (error instanceof TelemetryError && error.retryable) {
    log.error({ reason: messageOf(error), cause: messageOf(error.cause) }, 'database or store are away');
    return sendError(reply, {
      status: 503,
      code: 'unavailable',
      message: 'the collector cannot reach what it keeps things in',
      hint: 'send it again after Retry-After',
      retryAfterSeconds: AWAY_RETRY_SECONDS,
    });
  }
  log.error({ reason: messageOf(error) }, 'request failed');
  return sendError(reply, {
    status: 500,
    code: 'failed',
    message: 'the collector could not do this',
    hint: 'send it again later; the collector’s log says why',
  });
}

/** What Node's parser refuses, or what came too slowly, in the shape of every other error. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (socket.writable && error.code !== 'ECONNRESET') {
    const isSlow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    const body = isSlow
      ? errorBody({ code: 'timeout', message: 'the request came too slowly', hint: 'send it again' })
      : errorBody({ code: 'bad-request', message: 'this is not HTTP/1.1', hint: 'check the client' });
    const status = isSlow ? '408 Request Timeout' : '400 Bad Request';
    const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    socket.write(`${head}Connection: close\r\n\r\n${body}`);
  }
  socket.destroy(error);
}
