import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseContentDigest } from './content-digest.ts';
import { readWhole } from './whole-body.ts';

/** What a person asks is some kilobytes: five hundred segment ids are twenty. */
const MAX_BODY_BYTES = 64 * 1024;

/** The JSON object in a request's body; `null` when it is none, larger than 64 KiB, or not what its digest says. */
export async function readJsonObject(
  raw: IncomingMessage,
): Promise<Readonly<Record<string, unknown>> | null> {
  const body = await readWhole(raw, MAX_BODY_BYTES);
  if (body === null || !isAsDigested(body, raw.headers['content-digest'])) return null;
  try {
    const json: unknown = JSON.parse(body.toString('utf8'));
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : null;
  } catch {
    return null;
  }
}

/** Unsigned requests may come without a digest; what is signed has one, as the signature covers it. */
function isAsDigested(body: Buffer, field: string | string[] | undefined): boolean {
  if (field === undefined) return true;
  const digest = parseContentDigest(String(field));
  return digest.kind === 'sha-256' && digest.sha256 === createHash('sha256').update(body).digest('hex');
}
