import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { TelemetryError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import type { AdminBook } from './admin-book.ts';
import { isLine, MAX_NAME_CHARACTERS } from './decision-check.ts';
import { hashOfSecret } from './enrolment-token.ts';

/** What the commands of `admin-token` stand on. */
export interface AdminDesk {
  readonly admins: AdminBook;
  /** `null` where the books are in a database. */
  readonly dataDir: string | null;
  readonly write: (text: string) => void;
  readonly isJson: boolean;
}

/** 192 bits: nobody tries them out. */
const SECRET_BYTES = 24;

/** `admin-token add`: a token for one person. It is shown once and kept nowhere. */
export async function addAdmin(text: string, desk: AdminDesk): Promise<void> {
  const name = text.trim();
  if (name === '' || !isLine(name, MAX_NAME_CHARACTERS)) {
    throw usage(
      `a name is at most ${MAX_NAME_CHARACTERS} characters on one line`,
      'telemetry-collector admin-token add "Ada Lovelace"',
    );
  }
  const token = randomBytes(SECRET_BYTES).toString('base64url');
  if (desk.dataDir !== null) await mkdir(desk.dataDir, { recursive: true, mode: 0o700 });
  const outcome = await withBook(desk, (admins) => admins.add(name, hashOfSecret(token)));
  if (outcome === 'taken') {
    throw new TelemetryError('failed', `${printable(name)} has a token`, {
      op: 'make an admin token',
      hint: `telemetry-collector admin-token revoke "${printable(name)}", then add`,
    });
  }
  if (desk.isJson) desk.write(`${JSON.stringify({ schema: 1, name, token }, null, 2)}\n`);
  else
    desk.write(
      `${token}\n\nFor ${printable(name)}, until it is revoked; decisions are recorded under that name.\n`,
    );
}

/** `admin-token list`: who has one. */
export async function listAdmins(desk: AdminDesk): Promise<void> {
  const admins = await withBook(desk, (book) => book.list());
  if (desk.isJson) {
    const listed = admins.map(({ name, madeAtMs }) => ({ name, madeAt: new Date(madeAtMs).toISOString() }));
    desk.write(`${JSON.stringify({ schema: 1, admins: listed }, null, 2)}\n`);
    return;
  }
  const lines = admins.map(
    ({ name, madeAtMs }) => `${new Date(madeAtMs).toISOString().slice(0, 10)}  ${printable(name)}`,
  );
  desk.write(lines.length === 0 ? 'nobody has a token\n' : `${lines.join('\n')}\n`);
}

/** `admin-token revoke`: they are signed out, and cannot sign in again. */
export async function revokeAdmin(name: string, desk: AdminDesk): Promise<void> {
  if (!(await withBook(desk, (admins) => admins.remove(name.trim())))) {
    throw new TelemetryError('failed', `nobody has a token under the name ${printable(name)}`, {
      op: 'revoke an admin token',
      hint: 'telemetry-collector admin-token list',
    });
  }
  if (desk.isJson)
    desk.write(`${JSON.stringify({ schema: 1, name: name.trim(), revoked: true }, null, 2)}\n`);
  else desk.write(`${printable(name)} cannot use the page any more.\n`);
}

async function withBook<Result>(
  { admins, dataDir }: AdminDesk,
  act: (admins: AdminBook) => Promise<Result>,
): Promise<Result> {
  try {
    await admins.start();
    return await act(admins);
  } catch (cause) {
    if (cause instanceof TelemetryError) throw cause;
    throw new TelemetryError(
      'failed',
      dataDir === null ? 'cannot use the catalogue' : `cannot use the data folder ${dataDir}`,
      {
        op: 'open admin book',
        hint: '--data DIR of the collector, as the user that runs it',
        cause,
      },
    );
  } finally {
    await admins.stop();
  }
}

function usage(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'make an admin token', hint });
}
