import type { RequestReply } from '../control/protocol.ts';
import type { PersonRequest } from '../core/person-request.ts';

/** A collector's answer to a request that can be acted on. */
export type TrustedReply = Readonly<Record<string, unknown>>;

/**
 * The one place where a reply to a person's request is judged; `null` when nothing may be done because of it. The
 * connection vouches for the collector (its certificate, or that it is this machine: the uploader talks to the
 * request's own destination and follows no redirect), and the reply must name the request, which a sign-in page or a
 * proxy does not. A signature that binds it to the device belongs here once the collector's key is pinned.
 */
export function trustReply(request: PersonRequest, reply: RequestReply): TrustedReply | null {
  if (reply.status !== 200 && reply.status !== 201 && reply.status !== 202) return null;
  try {
    const json: unknown = JSON.parse(reply.body);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
    return 'request' in json && json.request === request.id ? { ...json } : null;
  } catch {
    return null;
  }
}
