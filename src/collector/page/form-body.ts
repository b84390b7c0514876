import type { IncomingMessage } from 'node:http';

/** The longest answer to a person, escaped for a form, is 9 KB. */
const MAX_FORM_BYTES = 16 * 1024;

/** The fields of a posted form; `null` for anything else, or more than fits. */
export async function readForm(raw: IncomingMessage): Promise<URLSearchParams | null> {
  const [type = ''] = (raw.headers['content-type'] ?? '').split(';');
  if (type.trim().toLowerCase() !== 'application/x-www-form-urlencoded') return null;
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > MAX_FORM_BYTES) return null;
    parts.push(part);
  }
  return new URLSearchParams(Buffer.concat(parts).toString('utf8'));
}
