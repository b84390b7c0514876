import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Log } from '../core/clock.ts';
import { sendError } from './api-error.ts';
import { deletionAnswer, deletionAsk, deviceParams } from './api-schemas.ts';
import { eraseSegments } from './erase-segments.ts';
import { readJsonObject } from './json-body.ts';
import type { SegmentKeeper } from './put-segment.ts';

/** `POST /v1/devices/:device/deletions`: `{ request, segments }`, both UUIDs. */
export const DELETIONS_PATH = '/v1/devices/:device/deletions';

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
  const params = deviceParams.safeParse(request.params);
  const ask = deletionAsk.safeParse(await readJsonObject(request.raw));
  if (!params.success || !ask.success) {
    return sendError(reply, {
      status: 400,
      code: 'bad-request',
      message: 'this takes {"request": UUID, "segments": [UUID, …]}, at most 1000, for a device',
      hint: 'POST /v1/devices/UUID/deletions',
    });
  }
  const { device } = params.data;
  const { request: id } = ask.data;
  const segments = [...new Set(ask.data.segments)];
  const outcome = await eraseSegments({ device, request: id, segments, atMs: keeper.wallMs() }, keeper);
  log.info({ device, request: id, erased: outcome.erased.length, asked: segments.length }, 'segments erased');
  const answer: z.infer<typeof deletionAnswer> = { request: id, ...outcome };
  return reply.code(200).send(answer);
}
