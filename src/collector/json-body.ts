import type { IncomingMessage } from 'node:http';

/** What a person asks is some kilobytes: five hundred segment ids are twenty. */
const MAX_BODY_BYTES = 64 * 1024;

/** The JSON object in a request's body; `null` when it is none, or larger than 64 KiB. */
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
  try {
    const json: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : null;
  } catch {
    return null;
  }
}
