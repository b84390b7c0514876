import type { Libc } from './libc-koffi.ts';
import { UnixDatagrams } from './unix-datagram.ts';

/** Where systemd's journal takes entries by its native protocol (systemd-journald.service(8)). */
const JOURNAL_SOCKET = '/run/systemd/journal/socket';

/** Sends entries to systemd's journal, each in one datagram, with fields that it indexes. */
export class JournalSocket {
  readonly #socket: UnixDatagrams;

  constructor(libc: Libc, path = JOURNAL_SOCKET) {
    this.#socket = new UnixDatagrams(libc, path);
  }

  /** Whether the journal took it; `false` when it is not there, is full, or the entry is too long for a datagram. */
  send(fields: Readonly<Record<string, string>>): boolean {
    return this.#socket.send(journalEntry(fields)) === null;
  }

  close(): void {
    this.#socket.close();
  }
}

/**
 * An entry in the journal's export format, as its native protocol takes it (systemd.io/JOURNAL_NATIVE_PROTOCOL):
 * `NAME=value\n`, and for values with line ends `NAME\n`, their length as u64le, the value, `\n`.
 */
export function journalEntry(fields: Readonly<Record<string, string>>): Uint8Array {
  const parts = Object.entries(fields).map(([name, value]) => {
    if (!value.includes('\n')) return Buffer.from(`${name}=${value}\n`);
    const bytes = Buffer.from(value);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return Buffer.concat([Buffer.from(`${name}\n`), length, bytes, Buffer.from('\n')]);
  });
  return Buffer.concat(parts);
}
