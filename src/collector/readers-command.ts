import { TelemetryError } from '../core/errors.ts';
import type { Reader, ReaderBook } from './reader-book.ts';
import { makeReaderToken } from './reader-token.ts';
import { withBook } from './with-book.ts';

/** What the commands of `readers` stand on. */
export interface ReaderDesk {
  readonly readers: ReaderBook;
  readonly wallMs: () => number;
  readonly write: (text: string) => void;
  readonly isJson: boolean;
}

/** Short enough for a line of the access log, and nothing that a terminal or a shell takes for something else. */
const NAME = /^[a-z0-9][a-z0-9._-]{0,39}$/;

/** `readers add`: a token for one reader. It is shown once and kept nowhere. */
export async function addReader(name: string, desk: ReaderDesk): Promise<void> {
  if (!NAME.test(name))
    throw new TelemetryError('usage', `"${name}" is not a reader’s name`, {
      op: 'add reader',
      hint: 'up to 40 of a-z 0-9 . _ -, such as agents-team-ci',
    });
  const { token, hash } = makeReaderToken();
  const isNew = await withBook(desk.readers, (readers) => readers.add(name, hash, desk.wallMs()));
  if (!isNew)
    throw new TelemetryError('failed', `the name ${name} was given before, which the access log goes by`, {
      op: 'add reader',
      hint: `another name, such as ${name.slice(0, 36)}-2`,
    });
  if (desk.isJson) desk.write(`${JSON.stringify({ schema: 1, reader: name, token }, null, 2)}\n`);
  else
    desk.write(`${token}\n\nFor ${name}; it is not shown again. Every read with it is in the access log.\n`);
}

/** `readers list`: everyone who ever had a token. */
export async function listReaders(desk: ReaderDesk): Promise<void> {
  const readers = await withBook(desk.readers, (book) => book.list());
  if (desk.isJson) desk.write(`${JSON.stringify({ schema: 1, readers: readers.map(jsonOf) }, null, 2)}\n`);
  else if (readers.length === 0) desk.write('no readers\n');
  else desk.write(readers.map(lineOf).join(''));
}

/** `readers revoke`: the token opens nothing from this moment on. */
export async function revokeReader(name: string, desk: ReaderDesk): Promise<void> {
  const isRevoked = await withBook(desk.readers, (readers) => readers.revoke(name, desk.wallMs()));
  if (!isRevoked)
    throw new TelemetryError('failed', `no token of ${name} counts`, {
      op: 'revoke reader',
      hint: 'telemetry-collector readers list',
    });
  if (desk.isJson) desk.write(`${JSON.stringify({ schema: 1, reader: name, revoked: true }, null, 2)}\n`);
  else desk.write(`${name} is revoked.\n`);
}

function jsonOf({ name, addedAtMs, revokedAtMs }: Reader): object {
  return {
    reader: name,
    addedAt: new Date(addedAtMs).toISOString(),
    revokedAt: revokedAtMs === null ? null : new Date(revokedAtMs).toISOString(),
  };
}

/** 40 + 2 + 16 + 2 + 7 columns. */
function lineOf({ name, addedAtMs, revokedAtMs }: Reader): string {
  const added = new Date(addedAtMs).toISOString().slice(0, 16).replace('T', ' ');
  return `${name.padEnd(40)}  ${added}  ${revokedAtMs === null ? 'counts' : 'revoked'}\n`;
}
