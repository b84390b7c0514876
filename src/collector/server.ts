import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../core/clock.ts';
import { messageOf } from '../core/errors.ts';
import type { KeyPair } from '../signing/ed25519.ts';
import { errorBody, sendError } from './api-error.ts';
import { DELETIONS_PATH, handleDeletions } from './deletions-route.ts';
import type { DeviceBook } from './device-book.ts';
import { DEVICE_HEALTH_PATH, handleDeviceHealth } from './device-health-route.ts';
import type { Doorman } from './doorman.ts';
import { ENROL_PATH, handleEnrol } from './enrol-route.ts';
import type { ExemptionBook } from './exemption-book.ts';
import { EXEMPTIONS_PATH, handleExemption } from './exemption-route.ts';
import type { HealthBook } from './health-book.ts';
import { StorageFullError } from './object-store.ts';
import { handlePut, PUT_SEGMENT_PATH } from './put-route.ts';
import type { SegmentKeeper } from './put-segment.ts';
import { discardRest } from './refused-body.ts';
import { signReply } from './reply-signing.ts';
import type { ServerLimits } from './server-limits.ts';
import type { SignedRequest } from './signed-request.ts';
import { serverFactory, type TlsFiles } from './tls-server.ts';

/** What the server stands on. */
export interface ServerParts {
  readonly keeper: SegmentKeeper;
  readonly exemptions: ExemptionBook;
  readonly devices: DeviceBook;
  readonly health: HealthBook;
  readonly doorman: Doorman;
  /** Signs what is said to enrolled devices. */
  readonly identity: KeyPair;
  /** `null`: plain HTTP. */
  readonly tls: TlsFiles | null;
  readonly limits: ServerLimits;
  /** Counts of requests that were refused, by status. */
  readonly refusals: Map<number, number>;
  readonly log: Log;
  /** Aborted: new requests get 503 and every reply closes its connection. */
  readonly stopping: AbortSignal;
}

/** Room is made by people, so not at once: 5 minutes. */
const FULL_RETRY_SECONDS = 300;
const STOPPING_RETRY_SECONDS = 10;

/** The HTTP server, with its routes, not yet listening. */
export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const { keeper, exemptions, devices, health, doorman, identity, tls, limits, refusals, log, stopping } =
    parts;
  // Loaded here, so that `ls` starts without it.
  const { fastify } = await import('fastify');
  const app = fastify({
    logger: false,
    return503OnClosing: false,
    connectionTimeout: limits.idleTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    ...(tls === null ? {} : { serverFactory: serverFactory(tls, limits) }),
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: limits.checkEveryMs },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, _request, reply) => {
      void answerFailure(error, reply, log);
    },
  });
  app.server.maxConnections = limits.maxConnections;
  // Without a listener Node asks for the body before anyone has looked at the request.
  app.server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    app.server.emit('request', request, response);
  });

  // Bodies are read by the handler, from the connection; nothing here may read them first.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  app.addHook('onRequest', async (_request, reply) => {
    if (!stopping.aborted) return;
    await sendError(reply, {
      status: 503,
      code: 'stopping',
      message: 'the collector is stopping',
      hint: 'send it again after Retry-After',
      retryAfterSeconds: STOPPING_RETRY_SECONDS,
    });
  });
  const signed = new WeakMap<FastifyRequest, SignedRequest>();
  app.addHook('onRequest', async (request, reply) => {
    const { device } = request.params as { readonly device?: string };
    if (device === undefined || reply.sent) return;
    const admitted = await doorman.admit(request, device);
    if (admitted === null) return;
    if (!('status' in admitted)) {
      signed.set(request, admitted);
      return;
    }
    log.info({ device, code: admitted.code }, 'a request was refused');
    discardRest(request.raw, keeper.maxSegmentBytes);
    await sendError(reply, admitted);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const asked = signed.get(request);
    if (asked !== undefined && typeof payload === 'string')
      signReply(reply, payload, asked, { identity, wallMs: keeper.wallMs });
    if (stopping.aborted) reply.header('connection', 'close');
    await Promise.resolve();
  });
  app.addHook('onResponse', async (_request, { statusCode }) => {
    if (statusCode >= 400) refusals.set(statusCode, (refusals.get(statusCode) ?? 0) + 1);
    await Promise.resolve();
  });
  app.setNotFoundHandler((request, reply) =>
    sendError(reply, {
      status: 404,
      code: 'not-found',
      message: `there is no ${request.method} here`,
      hint: `PUT ${PUT_SEGMENT_PATH} or GET /healthz`,
    }),
  );
  app.setErrorHandler((error: FastifyError, _request, reply) => answerFailure(error, reply, log));

  app.get('/healthz', async () => {
    await keeper.catalog.find({ device: '', segment: '' });
    return { ok: true, receiving: keeper.admission.active, maxSegmentBytes: keeper.maxSegmentBytes };
  });
  app.post(EXEMPTIONS_PATH, (request, reply) => handleExemption(request, reply, exemptions, log));
  app.post(DEVICE_HEALTH_PATH, (request, reply) => handleDeviceHealth(request, reply, health, keeper.wallMs));
  app.post(DELETIONS_PATH, (request, reply) => handleDeletions(request, reply, keeper, log));
  const vouch = (request: FastifyRequest, asked: SignedRequest): void => void signed.set(request, asked);
  const enrolling = { devices, doorman, collectorKey: identity.publicKey, log, vouch };
  app.post(ENROL_PATH, (request, reply) => handleEnrol(request, reply, enrolling));
  app.put(PUT_SEGMENT_PATH, (request, reply) => handlePut(request, reply, keeper, log));
  return app;
}

function answerFailure(error: Error, reply: FastifyReply, log: Log): FastifyReply {
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
  log.error({ reason: messageOf(error) }, 'request failed');
  return sendError(reply, {
    status: 500,
    code: 'failed',
    message: 'the collector could not do this',
    hint: 'send it again later; the collector’s log says why',
  });
}

/** What Node's parser refuses, or what came too slowly, in the shape of every other error. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
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
