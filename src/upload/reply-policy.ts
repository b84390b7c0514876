import type { SegmentResult } from '../control/protocol.ts';

/** What counts of a collector's reply. Headers are `undefined` when absent. */
export interface CollectorReply {
  readonly status: number;
  readonly contentDigest: string | undefined;
  readonly retryAfter: string | undefined;
  /** The server's own clock, against which an HTTP date in `Retry-After` is read. */
  readonly date: string | undefined;
  readonly signatureInput?: string | undefined;
  readonly signature?: string | undefined;
  /** As text, and as much of it as came within the link's limit. */
  readonly body?: string;
}

/** A verdict on a reply: part of a {@link SegmentResult}. */
type Verdict = Pick<SegmentResult, 'outcome' | 'status' | 'detail' | 'retryAfterMs'>;

/** A collector may ask for a day at most, so that a mistake of its (or of a forger) does not silence a device for long. */
const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/** The `Content-Digest` field for a SHA-256 in base64 (RFC 9530, section 2). */
export function contentDigest(sha256Base64: string): string {
  return `sha-256=:${sha256Base64}:`;
}

/**
 * What a reply means for a segment. Only 200 and 201 that echo our digest are a receipt: a proxy, a sign-in page or a
 * mistaken server can answer 200 to anything, and after a receipt the file is given up.
 */
export function judgeReply(reply: CollectorReply, sha256Base64: string, wallMs: number): Verdict {
  const { status } = reply;
  const retryAfterMs = parseRetryAfter(reply, wallMs);
  const verdict = (outcome: Verdict['outcome'], detail: string): Verdict => ({
    outcome,
    status,
    detail,
    retryAfterMs: outcome === 'retry' ? retryAfterMs : null,
  });
  if (status === 200 || status === 201) {
    const echo = sha256Of(reply.contentDigest);
    if (echo === sha256Base64) return verdict('stored', 'stored');
    return verdict(
      'retry',
      `the reply ${echo === undefined ? 'has no digest' : 'has another digest'}: no receipt`,
    );
  }
  switch (status) {
    case 400:
    case 422:
      return verdict('refused', 'the collector cannot take this file');
    case 409:
      return verdict('refused', 'the collector has another file of this id');
    case 410:
      return verdict('refused', 'the collector says that this is to be gone');
    case 401:
    case 403:
      return verdict('unauthorised', 'the collector refused this device');
    case 413:
      return verdict('too-large', 'the file is larger than the collector takes');
    default:
      return verdict('retry', retryDetail(status));
  }
}

function retryDetail(status: number): string {
  if (status >= 300 && status < 400) return `the collector redirects (${status}), which is not followed`;
  if (status >= 200 && status < 300) return `status ${status} is no receipt`;
  if (status === 429) return 'the collector is busy';
  if (status >= 500) return `the collector failed (${status})`;
  return `unexpected status ${status}`;
}

/** The SHA-256 of a digest field that may carry others beside it, as base64. */
function sha256Of(field: string | undefined): string | undefined {
  return /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]+=*):\s*(?=$|[,;])/.exec(field ?? '')?.[1];
}

/** `Retry-After` as seconds or as an HTTP date (RFC 9110, section 10.2.3), in milliseconds, a day at most. */
export function parseRetryAfter(reply: CollectorReply, wallMs: number): number | null {
  const text = reply.retryAfter?.trim() ?? '';
  if (/^\d{1,15}$/.test(text)) return Math.min(Number(text) * 1000, MAX_RETRY_AFTER_MS);
  const untilMs = httpDateMs(text);
  if (untilMs === undefined) return null;
  const serverNowMs = httpDateMs(reply.date) ?? wallMs;
  return Math.min(Math.max(0, untilMs - serverNowMs), MAX_RETRY_AFTER_MS);
}

/** A reply to a PUT has some 200 bytes; more of one is not looked at. */
const MAX_RECEIPT_CHARACTERS = 4096;

/**
 * How long the collector will keep what it took: `expires` of its JSON against its own clock, in milliseconds, 0 at
 * least. `undefined` when it does not say.
 */
export function keptForMs(body: string, date: string | undefined, wallMs: number): number | undefined {
  if (body.length > MAX_RECEIPT_CHARACTERS) return undefined;
  try {
    const json: unknown = JSON.parse(body);
    if (typeof json !== 'object' || json === null || !('expires' in json)) return undefined;
    const { expires } = json;
    if (typeof expires !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(expires))
      return undefined;
    const ms = Date.parse(expires) - (httpDateMs(date) ?? wallMs);
    return Number.isNaN(ms) ? undefined : Math.max(0, ms);
  } catch {
    return undefined;
  }
}

/** Only the one form that senders must use; `Date.parse` would take anything. */
function httpDateMs(text: string | undefined): number | undefined {
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text ?? '')) return undefined;
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
