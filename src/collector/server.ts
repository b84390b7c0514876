import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../core/clock.ts';
import type { KeyPair } from '../signing/ed25519.ts';
import { type ApiError, sendError } from './api-error.ts';
import type { Books } from './books.ts';
import type { RouteWord, TurnedAway } from './collector-metrics.ts';
import { handleDeletions } from './deletions-route.ts';
import { handleDeviceHealth } from './device-health-route.ts';
import type { Doorman } from './doorman.ts';
import { handleEnrol } from './enrol-route.ts';
import { handleExemption } from './exemption-route.ts';
import { answerBrokenRequest, answerFailure } from './failure-replies.ts';
import {
  cameThroughProxy,
  type HealthParts,
  handleHealth,
  handleMetrics,
  handleReady,
} from './health-routes.ts';
import { openApiDocument } from './openapi.ts';
import { OPERATIONS, type Operation, type OperationId } from './operations.ts';
import { handlePut, PUT_SEGMENT_PATH } from './put-route.ts';
import { handleErased, handleIndex, handleReadSegment, type Reading } from './reader-routes.ts';
import { discardRest } from './refused-body.ts';
import { signReply } from './reply-signing.ts';
import type { RequestLimiter } from './request-limiter.ts';
import type { ServerLimits } from './server-limits.ts';
import type { SignedRequest } from './signed-request.ts';
import { serverFactory, type TlsFiles } from './tls-server.ts';
import { handleWithdrawals } from './withdrawals-route.ts';

/** What the server stands on. */
export interface ServerParts
  extends Omit<HealthParts, 'connections'>,
    Pick<Books, 'exemptions' | 'use' | 'readers' | 'devices' | 'health'> {
  readonly doorman: Doorman;
  readonly limiter: RequestLimiter;
  /** Signs what is said to enrolled devices. */
  readonly identity: KeyPair;
  /** `null`: plain HTTP. */
  readonly tls: TlsFiles | null;
  readonly limits: ServerLimits;
  /** Whether `GET /metrics` is answered to who asks directly; see `docs/collector.md`. */
  readonly hasMetrics: boolean;
  readonly log: Log;
  /** Aborted: new requests get 503 and every reply closes its connection. */
  readonly stopping: AbortSignal;
}

/** By then whoever watches has started it again, or a balancer has turned to another. */
const STOPPING_RETRY_SECONDS = 10;

/** The HTTP server, with its routes, not yet listening. */
export async function createServer(parts: ServerParts): Promise<FastifyInstance> {
  const { tls, limits, log } = parts;
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
  app.setNotFoundHandler((_request, reply) => sendError(reply, NOT_FOUND));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    discardRest(request.raw, parts.keeper.maxSegmentBytes);
    return answerFailure(error, reply, log);
  });

  const signed = new WeakMap<FastifyRequest, SignedRequest>();
  addHooks(app, parts, signed);
  for (const [id, handler] of Object.entries(handlersOf(app, parts, signed)) as [OperationId, Handler][]) {
    const { method, path }: Operation = OPERATIONS[id];
    app.route({ method, url: path, handler });
  }
  return app;
}

const NOT_FOUND: ApiError = {
  status: 404,
  code: 'not-found',
  message: 'there is no such thing here',
  hint: `PUT ${PUT_SEGMENT_PATH} or GET /openapi.json`,
};

const NO_METRICS: ApiError = {
  ...NOT_FOUND,
  message: 'metrics are not given to whoever can reach this address',
  hint: 'telemetry-collector serve --metrics-listen 127.0.0.1:7718',
};

const STOPPING: ApiError = {
  status: 503,
  code: 'stopping',
  message: 'the collector is stopping',
  hint: 'send it again after Retry-After',
  retryAfterSeconds: STOPPING_RETRY_SECONDS,
};

/** Whoever watches the collector is answered at all times. */
const WATCHING: readonly string[] = [OPERATIONS.health.path, OPERATIONS.ready.path, OPERATIONS.metrics.path];

/** Everything that is decided before a request is read: whether it may come in at all. */
function addHooks(
  app: FastifyInstance,
  { keeper, doorman, limiter, identity, log, metrics, stopping }: ServerParts,
  signed: WeakMap<FastifyRequest, SignedRequest>,
): void {
  app.addHook('onRequest', async (request, reply) => {
    const route = request.routeOptions.url;
    if (route === undefined || WATCHING.includes(route)) return;
    const turnAway = async (why: TurnedAway, error: ApiError): Promise<void> => {
      metrics.turnedAway(why);
      discardRest(request.raw, keeper.maxSegmentBytes);
      await sendError(reply, error);
    };
    if (stopping.aborted) return turnAway('draining', STOPPING);
    // Devices send and ask; what is read is read by those who have a token, which the route looks at.
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    const { device } = isReading ? {} : (request.params as { readonly device?: string });
    if (device !== undefined) {
      const admitted = await doorman.admit(request, device);
      if (admitted !== null && 'status' in admitted) {
        log.info({ device, code: admitted.code }, 'a request was refused');
        return turnAway('signature', admitted);
      }
      if (admitted !== null) signed.set(request, admitted);
    }
    const refusal = limiter.judge(device ?? null);
    if (refusal !== null) return turnAway('rate', refusal);
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const asked = signed.get(request);
    if (asked !== undefined && typeof payload === 'string')
      signReply(reply, payload, asked, { identity, wallMs: keeper.wallMs });
    // Closed under a body that still comes, a connection is reset, and the reply may be lost with it.
    if (stopping.aborted && request.raw.complete) reply.header('connection', 'close');
    await Promise.resolve();
  });
  app.addHook('onResponse', async (request, reply) => {
    metrics.answered(wordOf(request.routeOptions.url), reply.statusCode, reply.elapsedTime / 1000);
    await Promise.resolve();
  });
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | Promise<FastifyReply>;

function handlersOf(
  app: FastifyInstance,
  parts: ServerParts,
  signed: WeakMap<FastifyRequest, SignedRequest>,
): Record<OperationId, Handler> {
  const { keeper, exemptions, use, readers, devices, health, doorman, identity, log, metrics, hasMetrics } =
    parts;
  const { wallMs, store, erasureLog } = keeper;
  const reading: Reading = { use, readers, store, wallMs, log };
  const vouch = (request: FastifyRequest, asked: SignedRequest): void => void signed.set(request, asked);
  const enrolling = { devices, doorman, collectorKey: identity.publicKey, log, vouch };
  const connections = (): Promise<number> => connectionsOf(app);
  const document = openApiDocument();
  return {
    putSegment: (request, reply) => handlePut(request, reply, keeper, { log, metrics }),
    readSegment: (request, reply) => handleReadSegment(request, reply, reading),
    listUsable: (request, reply) => handleIndex(request, reply, reading),
    listErased: (request, reply) => handleErased(request, reply, reading),
    withdraw: (request, reply) => handleWithdrawals(request, reply, { use, erasureLog, wallMs, log }),
    eraseSegments: (request, reply) => handleDeletions(request, reply, keeper, log),
    tellHealth: (request, reply) => handleDeviceHealth(request, reply, health, wallMs),
    askExemption: (request, reply) => handleExemption(request, reply, exemptions, log),
    enrol: (request, reply) => handleEnrol(request, reply, enrolling),
    health: (_request, reply) => handleHealth(reply, parts),
    ready: (_request, reply) => handleReady(reply, parts),
    metrics: (request, reply) =>
      hasMetrics && !cameThroughProxy(request)
        ? handleMetrics(reply, { ...parts, connections })
        : sendError(reply, NO_METRICS),
    openapi: (_request, reply) => reply.send(document),
  };
}

const WORDS: Readonly<Record<string, RouteWord>> = {
  [OPERATIONS.putSegment.path]: 'segments',
  [OPERATIONS.eraseSegments.path]: 'deletions',
  [OPERATIONS.askExemption.path]: 'exemptions',
  [OPERATIONS.enrol.path]: 'enrol',
};

function wordOf(route: string | undefined): RouteWord {
  return WORDS[route ?? ''] ?? 'other';
}

/** How many connections are open. */
export function connectionsOf({ server }: Pick<FastifyInstance, 'server'>): Promise<number> {
  return new Promise((resolve) =>
    server.getConnections((error, count) => resolve(error === null ? count : 0)),
  );
}
