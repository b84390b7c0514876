import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Log } from '../core/clock.ts';
import { type ErrorCode, messageOf, TelemetryError } from '../core/errors.ts';
import { type ControlHandlers, MAX_UNREAD_BYTES } from './handlers.ts';
import type { Peer } from './peer.ts';
import { type ErrorBody, ROUTES } from './protocol.ts';
import { Refusal } from './refusal.ts';
import { readJsonBody } from './request-body.ts';
import {
  parseEmptyRequest,
  parseExemptRequest,
  parseGrantRequest,
  parsePauseRequest,
  parsePlanRequest,
  parsePurgeRequest,
  parseRequestReply,
  parseRoundEnd,
  parseSegmentResult,
  parseWithdrawRequest,
} from './validate.ts';

type Emit = (message: object) => void;

type Role = Peer['role'];

/** Besides the person, who may use a route. */
interface Allowed {
  readonly besides: readonly Role[];
}

type Route = Allowed &
  (
    | {
        readonly method: 'GET';
        readonly reply: (handlers: ControlHandlers, peer: Peer) => object | Promise<object>;
      }
    | {
        readonly method: 'GET';
        readonly stream: (handlers: ControlHandlers, emit: Emit, signal: AbortSignal) => Promise<void>;
      }
    | {
        readonly method: 'POST';
        readonly act: (handlers: ControlHandlers, body: unknown, peer: Peer) => object | Promise<object>;
      }
  );

const ANYONE: Allowed = { besides: ['root', 'service', 'other'] };
const ROOT: Allowed = { besides: ['root'] };
const SERVICE: Allowed = { besides: ['service'] };
const PERSON: Allowed = { besides: [] };

/** Every route by its path. */
const TABLE: Readonly<Record<string, Route>> = {
  [ROUTES.status]: { ...ANYONE, method: 'GET', reply: (handlers, peer) => handlers.status(peer) },
  [ROUTES.watch]: {
    ...PERSON,
    method: 'GET',
    stream: (handlers, emit, signal) => handlers.watch(emit, signal),
  },
  [ROUTES.pause]: {
    ...ANYONE,
    method: 'POST',
    act: (handlers, body, peer) => handlers.pause(parsePauseRequest(body), peer),
  },
  [ROUTES.resume]: withoutFields(ANYONE, (handlers, peer) => handlers.resume(peer)),
  [ROUTES.notice]: { ...PERSON, method: 'GET', reply: (handlers) => handlers.notice() },
  [ROUTES.consent]: { ...PERSON, method: 'GET', reply: (handlers) => handlers.consent() },
  [ROUTES.grant]: {
    ...PERSON,
    method: 'POST',
    act: (handlers, body) => handlers.grant(parseGrantRequest(body)),
  },
  [ROUTES.revoke]: withoutFields(PERSON, (handlers) => handlers.revoke()),
  [ROUTES.policy]: { ...PERSON, method: 'GET', reply: (handlers) => handlers.policy() },
  [ROUTES.reload]: withoutFields(ROOT, (handlers) => handlers.reload()),
  [ROUTES.exemptions]: { ...PERSON, method: 'GET', reply: (handlers) => handlers.exemptions() },
  [ROUTES.exempt]: {
    ...PERSON,
    method: 'POST',
    act: (handlers, body) => handlers.exempt(parseExemptRequest(body)),
  },
  [ROUTES.withdraw]: {
    ...PERSON,
    method: 'POST',
    act: (handlers, body) => handlers.withdraw(parseWithdrawRequest(body)),
  },
  [ROUTES.refresh]: withoutFields(PERSON, (handlers) => handlers.refresh()),
  [ROUTES.uploadNow]: withoutFields(PERSON, (handlers) => handlers.uploadNow()),
  [ROUTES.purgePlan]: {
    ...PERSON,
    method: 'POST',
    act: (handlers, body) => handlers.purgePlan(parsePlanRequest(body)),
  },
  [ROUTES.purge]: {
    ...PERSON,
    method: 'POST',
    act: (handlers, body) => handlers.purge(parsePurgeRequest(body)),
  },
  [ROUTES.round]: {
    ...SERVICE,
    method: 'GET',
    stream: (handlers, emit, signal) => handlers.round(emit, signal),
  },
  [ROUTES.roundResult]: {
    ...SERVICE,
    method: 'POST',
    act: async (handlers, body) => {
      await handlers.roundResult(parseSegmentResult(body));
      return {};
    },
  },
  [ROUTES.roundReply]: {
    ...SERVICE,
    method: 'POST',
    act: async (handlers, body) => {
      await handlers.roundReply(parseRequestReply(body));
      return {};
    },
  },
  [ROUTES.roundEnd]: {
    ...SERVICE,
    method: 'POST',
    act: async (handlers, body) => {
      await handlers.roundEnd(parseRoundEnd(body));
      return {};
    },
  },
};

const STATUS_OF: Readonly<Record<ErrorCode, number>> = {
  usage: 400,
  'not-permitted': 403,
  limit: 422,
  'bad-configuration': 422,
  'bad-segment': 422,
  failed: 500,
  partly: 500,
  interrupted: 503,
  unavailable: 503,
  'daemon-down': 503,
};

/**
 * Answers one request; never rejects. `received` is called once the whole request is in. `ending` aborted ends a
 * stream at once.
 */
export async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: ControlHandlers,
  peer: Peer,
  log: Log,
  received: () => void,
  ending: AbortSignal,
): Promise<void> {
  try {
    const route = routeFor(request, peer);
    if (route.method === 'POST') {
      const body = await readJsonBody(request);
      received();
      send(response, 200, await route.act(handlers, body, peer));
    } else if ('reply' in route) {
      received();
      send(response, 200, await route.reply(handlers, peer));
    } else {
      received();
      await stream(response, (emit, signal) => route.stream(handlers, emit, signal), ending);
    }
  } catch (error) {
    received();
    refuse(response, error, log);
  }
}

function withoutFields(
  allowed: Allowed,
  act: (handlers: ControlHandlers, peer: Peer) => object | Promise<object>,
): Route {
  return {
    ...allowed,
    method: 'POST',
    act: (handlers, body, peer) => {
      parseEmptyRequest(body);
      return act(handlers, peer);
    },
  };
}

function routeFor(request: IncomingMessage, peer: Peer): Route {
  // Only a web page sends one, and no page has any business here (a browser extension could reach the socket).
  if (request.headers.origin !== undefined) {
    throw new Refusal(403, 'not-permitted', 'Requests from web pages are refused.');
  }
  const [path = ''] = (request.url ?? '').split('?', 1);
  const route = Object.hasOwn(TABLE, path) ? TABLE[path] : undefined;
  if (route === undefined) throw new Refusal(404, 'usage', 'There is no such route.', 'GET /v1/status');
  if (request.method !== route.method) {
    throw new Refusal(405, 'usage', `This route takes ${route.method} only.`);
  }
  if (peer.role !== 'person' && !route.besides.includes(peer.role)) {
    throw new Refusal(
      403,
      'not-permitted',
      'This is for the person whose input it is, and nobody else.',
      'telemetryctl status shows what others may see; telemetryctl pause 30m is for everyone',
    );
  }
  return route;
}

async function stream(
  response: ServerResponse,
  run: (emit: Emit, signal: AbortSignal) => Promise<void>,
  ending: AbortSignal,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const signal = AbortSignal.any([gone.signal, ending]);
  // The client waits for the end of the stream, not for the handler to notice that the server stops.
  ending.addEventListener('abort', () => response.end(), { once: true, signal: gone.signal });
  response.socket?.setTimeout(0);
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson', 'Cache-Control': 'no-store' });
  response.flushHeaders();
  const emit = (message: object): void => {
    if (signal.aborted || response.writableEnded) return;
    response.write(`${JSON.stringify(message)}\n`);
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
  };
  await run(emit, signal);
  response.end();
}

function refuse(response: ServerResponse, error: unknown, log: Log): void {
  if (!(error instanceof TelemetryError)) {
    log.error({ event: 'control-request-failed', error: messageOf(error) }, 'a control request failed');
  }
  // A stream that fails half-way is cut, so that the client does not take it for a regular end.
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const status =
    error instanceof Refusal ? error.status : error instanceof TelemetryError ? STATUS_OF[error.code] : 500;
  const body: ErrorBody =
    error instanceof TelemetryError
      ? { code: error.code, message: error.message, hint: error.hint }
      : { code: 'failed', message: 'The daemon could not do this; its log says why.', hint: '' };
  send(response, status, { error: body });
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
  });
  response.end(text);
}
