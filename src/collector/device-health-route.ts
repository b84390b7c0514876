import type { FastifyReply, FastifyRequest } from 'fastify';
import { parseHealth } from '../core/health.ts';
import { sendError } from './api-error.ts';
import type { HealthBook } from './health-book.ts';
import { readJsonObject } from './json-body.ts';
import { parseUuid } from './segment-key.ts';

/**
 * `POST /v1/devices/:device/health` with `{ version, backend, codes }`: what runs on a device, and what is wrong with it.
 * Only the last word is kept, with its day. Answers `{}`.
 */
export const DEVICE_HEALTH_PATH = '/v1/devices/:device/health';

/** Answers one request. It is not logged: the log has times, and would be the history that the book is not. */
export async function handleDeviceHealth(
  request: FastifyRequest,
  reply: FastifyReply,
  book: HealthBook,
  wallMs: () => number,
): Promise<FastifyReply> {
  const device = parseUuid((request.params as { readonly device: string }).device);
  const body = await readJsonObject(request.raw);
  const health = body === null ? null : parseHealth(body);
  if (device === undefined || health === null) {
    return sendError(reply, {
      status: 400,
      code: device === undefined ? 'bad-id' : 'bad-request',
      message: 'this takes {"version", "backend", "codes": […]} and nothing else, for a device',
      hint: 'POST /v1/devices/UUID/health as telemetryd does',
    });
  }
  await book.put({ ...health, device, day: dayOf(wallMs()) });
  return reply.code(200).send({});
}

/** The UTC day of a time. */
export function dayOf(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
