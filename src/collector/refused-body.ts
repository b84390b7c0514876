import type { IncomingMessage } from 'node:http';

/**
 * Lets the rest of a refused body pass unread. A connection closed with bytes still coming is reset, which can destroy
 * the reply on its way. When more comes than any segment could have, reading stops: the reply lies there to be read, and
 * the keep-alive timeout closes the connection.
 */
export function discardRest(raw: IncomingMessage, maxBytes: number): void {
  if (raw.readableEnded || raw.destroyed) return;
  let discardedBytes = 0;
  raw.on('data', (chunk: Uint8Array) => {
    discardedBytes += chunk.byteLength;
    if (discardedBytes > maxBytes) raw.pause();
  });
  raw.resume();
}
