import { createHash } from 'node:crypto';
import type { RequestReply, Round, SegmentResult } from '../control/protocol.ts';
import { parseDestination, segmentPath, targetUri } from '../core/destination.ts';
import { type PersonRequest, requestBody, requestPath } from '../core/person-request.ts';
import { isReplyProven } from '../signing/reply-check.ts';
import { contentDigest } from '../upload/reply-policy.ts';
import type { Pinned } from './enrolment-keeper.ts';

/** A collector's answer to a request that can be acted on. */
export type TrustedReply = Readonly<Record<string, unknown>>;

/**
 * The place where a reply to a person's request is judged; `null` when nothing may be done because of it. It must name the
 * request, which a sign-in page or a proxy does not. Where this device is enrolled it must also be signed by the key that
 * was pinned then, for this very request: its address (and so the device), body and nonce. Elsewhere, which is on this
 * machine only, the connection vouches for the collector.
 */
export function trustReply(
  request: PersonRequest,
  reply: RequestReply,
  pinned: Pick<Pinned, 'collectorKey'> | null,
): TrustedReply | null {
  if (reply.status !== 200 && reply.status !== 201 && reply.status !== 202) return null;
  if (pinned !== null && !isRequestReplySigned(request, reply, pinned.collectorKey)) return null;
  try {
    const json: unknown = JSON.parse(reply.body);
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return null;
    return 'request' in json && json.request === request.id ? { ...json } : null;
  } catch {
    return null;
  }
}

/**
 * Whether a collector's word about a segment counts: that it is to be gone (410), and after enrolment also that it is
 * stored (200, 201). Anybody on the way could say either otherwise, and have recordings deleted or lost. The pinned key
 * must have signed it for this device, this segment and this request.
 */
export function isSegmentReplyTrusted(
  result: SegmentResult,
  round: Pick<Round, 'url' | 'device' | 'segments'>,
  pinned: Pick<Pinned, 'collectorKey'>,
): boolean {
  if (result.proof === undefined) return false;
  const destination = parseDestination(round.url);
  const about = round.segments.find(({ id }) => id === result.id)?.about;
  const path = segmentPath(destination, round.device, result.id, about);
  return isReplyProven(pinned.collectorKey, result.proof, {
    status: result.status,
    request: {
      method: 'PUT',
      targetUri: targetUri(destination, path),
      contentDigest: contentDigest(Buffer.from(result.sha256, 'hex').toString('base64')),
    },
  });
}

function isRequestReplySigned(
  request: PersonRequest,
  { status, body, proof }: RequestReply,
  collectorKey: string,
): boolean {
  if (proof === undefined || proof.contentDigest !== digestOf(body)) return false;
  const destination = parseDestination(request.destination);
  return isReplyProven(collectorKey, proof, {
    status,
    request: {
      method: 'POST',
      targetUri: targetUri(destination, `${destination.basePath}${requestPath(request)}`),
      contentDigest: digestOf(requestBody(request)),
    },
  });
}

function digestOf(text: string): string {
  return contentDigest(createHash('sha256').update(text).digest('base64'));
}
