import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseContentDigest } from './content-digest.ts';

/** What a person asks is some kilobytes: five hundred segment ids are twenty. */
const MAX_BODY_BYTES = 64 * 1024;

/** The JSON object in a request's body; `null` when it is none, larger than 64 KiB, or not what its digest says. */
export async function readJsonObject(
  raw: IncomingMessage,
): Promise<Readonly<Record<string, unknown>> | null> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > MAX_BODY_BYTES) return null;
    parts.push(part);
  }
  const body = Buffer.concat(parts);
  if (!isAsDigested(body, raw.headers['content-digest'])) return null;
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
