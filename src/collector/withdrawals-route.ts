import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Log } from '../core/clock.ts';
import { sendError } from './api-error.ts';
import { deviceParams, type withdrawalAnswer, withdrawalAsk } from './api-schemas.ts';
import type { ErasureLog } from './erasure-log.ts';
import { readJsonObject } from './json-body.ts';
import type { UseBook } from './use-book.ts';

/** `POST /v1/devices/:device/withdrawals`: `{ request, receipts }`, UUIDs all. */
export const WITHDRAWALS_PATH = '/v1/devices/:device/withdrawals';

/** What the route stands on. */
interface Withdrawing {
  readonly use: UseBook;
  readonly erasureLog: ErasureLog | null;
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
  { use, erasureLog, wallMs, log }: Withdrawing,
): Promise<FastifyReply> {
  const params = deviceParams.safeParse(request.params);
  const ask = withdrawalAsk.safeParse(await readJsonObject(request.raw));
  if (!params.success || !ask.success) {
    return sendError(reply, {
      status: 400,
      code: 'bad-request',
      message: 'this takes {"request": UUID, "receipts": [UUID, …]}, at most 1000, for a device',
      hint: 'POST /v1/devices/UUID/withdrawals',
    });
  }
  const { device } = params.data;
  const receipts = [...new Set(ask.data.receipts)];
  const withdrawal = { device, request: ask.data.request, receipts, atMs: wallMs() };
  // Before it is done, so that no restored backup has more consent than its person was told.
  await erasureLog?.append(withdrawal);
  await use.withdraw(withdrawal);
  log.info({ device, request: ask.data.request, receipts: receipts.length }, 'consent withdrawn');
  const answer: z.infer<typeof withdrawalAnswer> = { request: ask.data.request, withdrawn: receipts };
  return reply.code(200).send(answer);
}
