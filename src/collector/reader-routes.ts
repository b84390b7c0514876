import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Log } from '../core/clock.ts';
import { type ApiError, sendError } from './api-error.ts';
import { listQuery, segmentParams } from './api-schemas.ts';
import { formatContentDigest } from './content-digest.ts';
import { erasedLines, indexLines, type ListRange } from './list-lines.ts';
import type { ObjectStore } from './object-store.ts';
import type { Access, ReaderBook } from './reader-book.ts';
import { hashOfReaderToken } from './reader-token.ts';
import type { UseBook } from './use-book.ts';

/** `GET /v1/erased`. */
export const ERASED_PATH = '/v1/erased';

/** What reading stands on. */
export interface Reading {
  readonly use: UseBook;
  readonly readers: ReaderBook;
  readonly store: ObjectStore;
  readonly wallMs: () => number;
  readonly log: Log;
}

/** The index as lines of JSON. */
export async function handleIndex(
  request: FastifyRequest,
  reply: FastifyReply,
  reading: Reading,
): Promise<FastifyReply> {
  return sendLines(request, reply, 'index', reading, (range) => indexLines(reading.use, range));
}

/** What must be dropped from copies, as lines of JSON. */
export async function handleErased(
  request: FastifyRequest,
  reply: FastifyReply,
  reading: Reading,
): Promise<FastifyReply> {
  return sendLines(request, reply, 'erased', reading, (range) => erasedLines(reading.use, range));
}

/** A segment that may be used, as it was sent. */
export async function handleReadSegment(
  request: FastifyRequest,
  reply: FastifyReply,
  reading: Reading,
): Promise<FastifyReply> {
  const { use, store, readers, wallMs, log } = reading;
  const reader = await readerOf(request, readers);
  if (typeof reader !== 'string') return sendError(reply, reader);
  const params = segmentParams.safeParse(request.params);
  if (!params.success) return sendError(reply, BAD_ID);
  const key = params.data;
  const usable = await use.findUsable(key, wallMs());
  if (usable === null) return sendError(reply, NOT_USABLE);
  // Written down before the first byte leaves; without that, none does.
  await readers.note({ atMs: wallMs(), reader, what: 'segment', ...key });
  const bytes = await store.read(key);
  if (bytes === null) return sendError(reply, NOT_USABLE);
  log.info({ reader, ...key }, 'segment read');
  return reply
    .type('application/octet-stream')
    .header('content-digest', formatContentDigest(usable.sha256))
    .header('content-length', String(usable.sizeBytes))
    .send(Readable.from(bytes, { objectMode: false }));
}

async function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  what: Exclude<Access['what'], 'segment'>,
  { readers, wallMs, log }: Reading,
  lines: (range: ListRange) => AsyncIterable<object>,
): Promise<FastifyReply> {
  const reader = await readerOf(request, readers);
  if (typeof reader !== 'string') return sendError(reply, reader);
  const query = listQuery.safeParse(request.query);
  if (!query.success) return sendError(reply, BAD_SINCE);
  const { since } = query.data;
  const nowMs = wallMs();
  await readers.note({ atMs: nowMs, reader, what, device: null, segment: null });
  log.info({ reader, what }, 'list read');
  const range = { sinceMs: since === undefined ? null : Date.parse(since), nowMs };
  return reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(textOf(lines(range))));
}

/** Some hundred lines a piece: a piece each would be a system call a line. */
const PIECE_CHARACTERS = 32 * 1024;

async function* textOf(lines: AsyncIterable<object>): AsyncGenerator<string> {
  let piece = '';
  for await (const line of lines) {
    piece += `${JSON.stringify(line)}\n`;
    if (piece.length < PIECE_CHARACTERS) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

/** Who asks, by the token that they bring. */
async function readerOf({ headers }: FastifyRequest, readers: ReaderBook): Promise<string | ApiError> {
  const token = /^Bearer ([\w.~+/-]{1,200}=*)$/.exec(headers.authorization ?? '')?.[1];
  if (token === undefined) return NO_TOKEN;
  return (await readers.nameOf(hashOfReaderToken(token))) ?? UNKNOWN_READER;
}

const HINT = 'telemetry-collector readers add NAME, then Authorization: Bearer TOKEN';
const NO_TOKEN: ApiError = {
  status: 401,
  code: 'token-missing',
  message: 'this takes the token of a reader',
  hint: HINT,
};
const UNKNOWN_READER: ApiError = {
  status: 401,
  code: 'reader-unknown',
  message: 'this is no reader’s token, or it was revoked',
  hint: HINT,
};
const BAD_ID: ApiError = {
  status: 400,
  code: 'bad-id',
  message: 'the device or the segment in the path is not a UUID',
  hint: 'GET /v1/devices/UUID/segments/UUID',
};
const BAD_SINCE: ApiError = {
  status: 400,
  code: 'bad-request',
  message: 'since is not a time in UTC with milliseconds',
  hint: '?since=2026-11-26T00:00:00.000Z',
};
/** Whether it was ever here is not told. */
const NOT_USABLE: ApiError = {
  status: 410,
  code: 'not-usable',
  message: 'there is no segment of this name that may be used',
  hint: 'GET /v1/segments lists those that may; drop your copy if you have one',
};
