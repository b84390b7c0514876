import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { html } from '../../core/markup.ts';
import type { AdminBook } from '../admin-book.ts';
import { hashOfSecret } from '../enrolment-token.ts';
import { discardRest } from '../refused-body.ts';
import type { ServerLimits } from '../server-limits.ts';
import { serverFactory, type TlsFiles } from '../tls-server.ts';
import { document, PLACES, type Viewer } from './document.ts';
import { type DecisionDesk, decide, showExemption, showExemptions } from './exemption-pages.ts';
import { type FleetDesk, showFleet } from './fleet-page.ts';
import { readForm } from './form-body.ts';
import { isForThisMachine, isFromHere, PAGE_HEADERS, sessionCookie, sessionIn } from './page-guard.ts';
import { isSame, type Session, type SessionKeeper } from './session-keeper.ts';
import { signInPage } from './sign-in-view.ts';
import { STYLE } from './style.ts';

/** What the pages stand on. */
export interface PageParts {
  readonly admins: AdminBook;
  readonly sessions: SessionKeeper;
  readonly fleet: FleetDesk;
  readonly decisions: DecisionDesk;
  /** `null`: plain HTTP, for this machine alone. */
  readonly tls: TlsFiles | null;
  readonly limits: ServerLimits;
  readonly log: Log;
}

/** A few people with a few browsers; whoever holds more connections open keeps nobody else's from the collector. */
const MAX_CONNECTIONS = 64;
/** A form is some kilobytes; what comes beyond is not read. */
const MAX_REST_BYTES = 64 * 1024;

/** The pages for whoever runs the programme, with a server of their own, not yet listening. */
export async function createPage(parts: PageParts): Promise<FastifyInstance> {
  const { admins, sessions, fleet, decisions, tls, limits, log } = parts;
  const { fastify } = await import('fastify');
  const app = fastify({
    logger: false,
    return503OnClosing: false,
    connectionTimeout: limits.idleTimeoutMs,
    requestTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    routerOptions: { ignoreTrailingSlash: true },
    ...(tls === null ? {} : { serverFactory: serverFactory(tls, limits) }),
    http: { headersTimeout: limits.headersTimeoutMs, connectionsCheckingInterval: limits.checkEveryMs },
  });
  app.server.maxConnections = MAX_CONNECTIONS;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));

  const isSecure = tls !== null;
  const viewers = new WeakMap<FastifyRequest, Session>();
  const viewerOf = (request: FastifyRequest): Viewer => viewers.get(request) ?? { name: '', formToken: '' };

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(PAGE_HEADERS);
    if (!isSecure && !isForThisMachine(request.raw)) {
      await refuse(
        reply,
        421,
        'Not through a proxy',
        'Reach this page by an SSH tunnel, or have it speak TLS itself: telemetry-collector serve --help.',
      );
      return;
    }
    if (request.method === 'POST' && !isFromHere(request.raw, isSecure)) {
      await refuse(reply, 403, 'Not from here', 'This form was not posted from this page; nothing was done.');
      return;
    }
    if (!isForSignedIn(request)) return;
    const id = sessionIn(request.headers, isSecure);
    const session = sessions.find(id);
    // A revoked token ends its sessions with the next click.
    if (session !== null && (await admins.find(session.tokenHash)) !== null) {
      viewers.set(request, session);
      return;
    }
    sessions.end(id);
    discardRest(request.raw, MAX_REST_BYTES);
    await reply.redirect(PLACES.signIn, 303);
  });

  /** The fields of a form that somebody who signed in posted; answers itself when it is none. */
  const formOf = async (request: FastifyRequest, reply: FastifyReply): Promise<URLSearchParams | null> => {
    const form = await readForm(request.raw);
    if (form !== null && isSame(form.get('form') ?? '', viewerOf(request).formToken)) return form;
    await refuse(
      reply,
      403,
      'Not from here',
      'This form is not of your session; go back, load the page again, and repeat.',
    );
    return null;
  };

  app.get(PLACES.style, (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE));
  app.get(PLACES.signIn, (_request, reply) => sendPage(reply, 200, signInPage(sessions.signInForm(), null)));
  app.post(PLACES.signIn, async (request, reply) => {
    const form = await readForm(request.raw);
    discardRest(request.raw, MAX_REST_BYTES);
    return signIn(form, request, reply, parts);
  });
  app.post(PLACES.signOut, async (request, reply) => {
    if ((await formOf(request, reply)) === null) return reply;
    sessions.end(sessionIn(request.headers, isSecure));
    return reply.header('set-cookie', sessionCookie('', isSecure)).redirect(PLACES.signIn, 303);
  });
  app.get(PLACES.fleet, async (request, reply) =>
    sendPage(reply, 200, await showFleet(viewerOf(request), fleet)),
  );
  app.get(PLACES.exemptions, async (request, reply) =>
    sendPage(reply, 200, await showExemptions(viewerOf(request), decisions)),
  );
  app.get(`${PLACES.exemptions}/:id`, async (request, reply) => {
    const { id } = request.params as { readonly id: string };
    const { done } = request.query as { readonly done?: string };
    const page = await showExemption(id, viewerOf(request), decisions, { isJustDecided: done === '1' });
    return page === null ? sendUnknown(reply) : sendPage(reply, 200, page);
  });
  app.post(`${PLACES.exemptions}/:id`, async (request, reply) => {
    const form = await formOf(request, reply);
    if (form === null) return reply;
    const { id } = request.params as { readonly id: string };
    const outcome = await decide(id, form, viewerOf(request), decisions);
    if (outcome.kind === 'decided') return reply.redirect(`${PLACES.exemptions}/${outcome.id}?done=1`, 303);
    return outcome.page === null ? sendUnknown(reply) : sendPage(reply, outcome.status, outcome.page);
  });
  app.setNotFoundHandler((request, reply) => {
    discardRest(request.raw, MAX_REST_BYTES);
    return request.url === '/' ? reply.redirect(PLACES.fleet, 303) : sendUnknown(reply);
  });
  app.setErrorHandler((error: Error, _request, reply) => {
    log.error({ reason: messageOf(error) }, 'a page failed');
    return sendProblem(reply, 500, 'It failed', 'The collector could not do this; its log says why.');
  });
  return app;
}

/** Takes a token. What is wrong is said, but not which of it. */
async function signIn(
  form: URLSearchParams | null,
  request: FastifyRequest,
  reply: FastifyReply,
  { admins, sessions, tls, log }: PageParts,
): Promise<FastifyReply> {
  const again = (status: number, problem: string): FastifyReply =>
    sendPage(reply, status, signInPage(sessions.signInForm(), problem));
  if (form === null || !sessions.isSignInForm(form.get('form') ?? ''))
    return again(403, 'The form was too old, or not of this page. Try again.');
  if (!sessions.mayTry(request.ip)) {
    reply.header('retry-after', '900');
    return again(429, 'Too many wrong tokens from here. Try again in a quarter of an hour.');
  }
  const tokenHash = hashOfSecret((form.get('token') ?? '').trim());
  const admin = await admins.find(tokenHash);
  if (admin === null) {
    sessions.wrong(request.ip);
    log.warn({ from: request.ip }, 'a wrong admin token');
    return again(403, 'That token is not right, or was revoked.');
  }
  const isSecure = tls !== null;
  sessions.end(sessionIn(request.headers, isSecure));
  log.info({ by: admin.name }, 'signed in to the page');
  const cookie = sessionCookie(sessions.begin(admin.name, tokenHash), isSecure);
  return reply.header('set-cookie', cookie).redirect(PLACES.fleet, 303);
}

/** Signing in and the style are for everyone; an address that is none tells nobody anything. */
function isForSignedIn({ routeOptions }: FastifyRequest): boolean {
  return (
    routeOptions.url !== undefined && ![PLACES.signIn, PLACES.style].some((open) => open === routeOptions.url)
  );
}

function sendPage(reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).type('text/html; charset=utf-8').send(page);
}

function sendProblem(reply: FastifyReply, status: number, title: string, text: string): FastifyReply {
  const main = html`<p>${text}</p>
<p><a href="${PLACES.fleet}">To the fleet</a></p>`;
  return sendPage(reply, status, document({ title, viewer: null, main }));
}

/** Says why a form is not taken, which nobody has read. */
function refuse(reply: FastifyReply, status: number, title: string, text: string): FastifyReply {
  discardRest(reply.request.raw, MAX_REST_BYTES);
  return sendProblem(reply, status, title, text);
}

function sendUnknown(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, 404, 'Not here', 'There is no such page, or no such request.');
}
