import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../core/clock.ts';
import { sendError } from './api-error.ts';
import { readJsonObject } from './json-body.ts';
import { parseUuid } from './segment-key.ts';
import type { UseBook } from './use-book.ts';

/** `POST /v1/devices/:device/withdrawals`: `{ request, receipts }`, UUIDs all. */
export const WITHDRAWALS_PATH = '/v1/devices/:device/withdrawals';

const MAX_RECEIPTS = 1000;

/** What the route stands on. */
interface Withdrawing {
  readonly use: UseBook;
  readonly wallMs: () => number;
  readonly log: Log;
}

/**
 * A person takes consent back. What came under these receipts is used no more from this moment on, and nothing more is
 * taken under them; it stays here until its time is over or the person has it erased. Answers `{ request, withdrawn }`, the
 * same each time.
 */
export async function handleWithdrawals(
  request: FastifyRequest,
  reply: FastifyReply,
  { use, wallMs, log }: Withdrawing,
): Promise<FastifyReply> {
  const device = parseUuid((request.params as { readonly device: string }).device);
  const body = await readJsonObject(request.raw);
  const id = typeof body?.['request'] === 'string' ? parseUuid(body['request']) : undefined;
  const receipts = receiptsIn(body?.['receipts']);
  if (device === undefined || id === undefined || receipts === null) {
    return sendError(reply, {
      status: 400,
      code: 'bad-request',
      message: `this takes {"request": UUID, "receipts": [UUID, …]}, at most ${MAX_RECEIPTS}, for a device`,
      hint: 'POST /v1/devices/UUID/withdrawals',
    });
  }
  await use.withdraw({ device, request: id, receipts, atMs: wallMs() });
  log.info({ device, request: id, receipts: receipts.length }, 'consent withdrawn');
  return reply.code(200).send({ request: id, withdrawn: receipts });
}

function receiptsIn(value: unknown): string[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_RECEIPTS) return null;
  const ids = value.map((text: unknown) => (typeof text === 'string' ? parseUuid(text) : undefined));
  return ids.every((id) => id !== undefined) ? [...new Set(ids)] : null;
}
