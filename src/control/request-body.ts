import type { IncomingMessage } from 'node:http';
import { Refusal } from './refusal.ts';

/** The largest request there is, a pause with a reason, is under 3 KiB. */
const MAX_BODY_BYTES = 64 * 1024;

/**
 * The JSON body of a request; `undefined` when it is empty. Rejects with a {@link Refusal}: 415 for another content
 * type (what a web form can send without asking), 413 for more than 64 KiB, 400 for what is not JSON.
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(415, 'usage', 'Requests must be JSON.', 'send Content-Type: application/json');
  }
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) throw tooLarge();
  const text = await readText(request);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Without the parser's own words: they quote the body, which may hold a reason that stays on the device.
    throw new Refusal(400, 'usage', 'The body of the request is not JSON.');
  }
}

/** By events: leaving a `for await` loop early would destroy the connection before the refusal is sent. */
function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (part: Buffer) => {
      sizeBytes += part.length;
      if (sizeBytes <= MAX_BODY_BYTES) parts.push(part);
      else reject(tooLarge());
    });
    request.once('end', () => resolve(Buffer.concat(parts).toString('utf8')));
    request.once('error', () => reject(new Refusal(400, 'usage', 'The request was cut off.')));
  });
}

function tooLarge(): Refusal {
  return new Refusal(413, 'limit', `Requests are at most ${MAX_BODY_BYTES / 1024} KiB.`);
}
