import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../core/clock.ts';
import { sendError } from './api-error.ts';
import { eraseSegments } from './erase-segments.ts';
import { readJsonObject } from './json-body.ts';
import type { SegmentKeeper } from './put-segment.ts';
import { parseUuid } from './segment-key.ts';

/** `POST /v1/devices/:device/deletions`: `{ request, segments }`, both UUIDs. */
export const DELETIONS_PATH = '/v1/devices/:device/deletions';

const MAX_SEGMENTS = 1000;

/**
 * Erases segments because their person asked for it, and answers with `{ request, erased, unknown }`: every id that was
 * asked for is in one of the two lists, and is never taken again. The same request again gets the same answer.
 */
export async function handleDeletions(
  request: FastifyRequest,
  reply: FastifyReply,
  keeper: SegmentKeeper,
  log: Log,
): Promise<FastifyReply> {
  const device = parseUuid((request.params as { readonly device: string }).device);
  const body = await readJsonObject(request.raw);
  const id = typeof body?.['request'] === 'string' ? parseUuid(body['request']) : undefined;
  const segments = uuidsIn(body?.['segments']);
  if (device === undefined || id === undefined || segments === null) {
    return sendError(reply, {
      status: 400,
      code: 'bad-request',
      message: `this takes {"request": UUID, "segments": [UUID, …]}, at most ${MAX_SEGMENTS}, for a device`,
      hint: 'POST /v1/devices/UUID/deletions',
    });
  }
  const outcome = await eraseSegments({ device, request: id, segments, atMs: keeper.wallMs() }, keeper);
  log.info({ device, request: id, erased: outcome.erased.length, asked: segments.length }, 'segments erased');
  return reply.code(200).send({ request: id, ...outcome });
}

function uuidsIn(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_SEGMENTS) return null;
  const ids = value.map((text: unknown) => (typeof text === 'string' ? parseUuid(text) : undefined));
  return ids.every((id) => id !== undefined) ? [...new Set(ids)] : null;
}
