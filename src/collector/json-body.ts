import type { IncomingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import { BodyError, MeasuredBody } from './measured-body.ts';

/** What was sent as JSON, or why it cannot be taken. */
export type JsonBody =
  | { readonly kind: 'ok'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly kind: 'too-large' | 'not-json' };

/** Reads a small JSON object from a request whose body nobody has touched; reads no further than `maxBytes`. */
export async function readJsonBody(
  raw: IncomingMessage,
  reply: FastifyReply,
  maxBytes: number,
): Promise<JsonBody> {
  if (raw.headers.expect !== undefined) reply.raw.writeContinue();
  const body = new MeasuredBody(
    raw.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
    maxBytes,
  );
  const parts: Uint8Array[] = [];
  try {
    for await (const part of body) parts.push(part);
  } catch (error) {
    if (!(error instanceof BodyError)) throw error;
    return { kind: error.reason === 'too-large' ? 'too-large' : 'not-json' };
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return { kind: 'ok', value: { ...value } };
  } catch {
    // Said below: what is no JSON and what is no object are the same mistake.
  }
  return { kind: 'not-json' };
}
