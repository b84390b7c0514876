import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { isLoopbackHost } from '../listen-address.ts';

/**
 * What every answer carries. No script runs and nothing loads but the one style; no other page can frame these, and no
 * cache keeps them. The referrer policy must not be `no-referrer`: with that a browser says `Origin: null` of its forms.
 */
export const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** The name in a `Host` header, without its port. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i;

/**
 * Whether a request without TLS came for this machine by name. One that did not came through a proxy, where the session
 * would travel in a cookie that is not `Secure`, or by a name that somebody pointed here.
 */
export function isForThisMachine({ headers }: IncomingMessage): boolean {
  const match = HOST.exec(headers.host ?? '');
  const name = (match?.[1] ?? match?.[2] ?? '').toLowerCase();
  return name === 'localhost' || (isIP(name) !== 0 && isLoopbackHost(name));
}

/** Whether a form was posted from one of these pages, as the browser says it. */
export function isFromHere({ headers }: IncomingMessage, isSecure: boolean): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined && site !== 'same-origin') return false;
  return origin === `${isSecure ? 'https' : 'http'}://${headers.host ?? ''}`;
}

/** A cookie for these pages only, out of any script's reach, that no other site’s links or forms take along. */
export function sessionCookie(id: string, isSecure: boolean): string {
  const rest = isSecure ? 'Path=/; Secure' : 'Path=/admin';
  return `${cookieName(isSecure)}=${id}; ${rest}; HttpOnly; SameSite=Strict${id === '' ? '; Max-Age=0' : ''}`;
}

/** The session's id that a request brings; `''` without one. */
export function sessionIn({ cookie = '' }: IncomingHttpHeaders, isSecure: boolean): string {
  const wanted = `${cookieName(isSecure)}=`;
  const found = cookie.split(';').find((pair) => pair.trim().startsWith(wanted));
  return found?.trim().slice(wanted.length) ?? '';
}

/** With that prefix a browser takes it over TLS only, and from this very host (RFC 6265bis, section 4.1.3.2). */
function cookieName(isSecure: boolean): string {
  return isSecure ? '__Host-telemetry-admin' : 'telemetry-admin';
}
