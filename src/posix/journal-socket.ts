import type { Libc } from './libc-koffi.ts';

/** Where systemd's journal takes entries by its native protocol (systemd-journald.service(8)). */
const JOURNAL_SOCKET = '/run/systemd/journal/socket';

/** linux/socket.h and linux/net.h, the same on x64 and arm64. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of unix(7). */
const PATH_BYTES = 108;

/** Sends entries to systemd's journal, each in one datagram, with fields that it indexes. */
export class JournalSocket {
  readonly #libc: Libc;
  readonly #address: Uint8Array;
  #fd = -1;

  constructor(libc: Libc, path = JOURNAL_SOCKET) {
    this.#libc = libc;
    this.#address = addressOf(path);
  }

  /** Whether the journal took it; `false` when it is not there, is full, or the entry is too long for a datagram. */
  send(fields: Readonly<Record<string, string>>): boolean {
    if (this.#fd < 0) {
      const opened = this.#libc.call('int socket(int, int, int)', AF_UNIX, SOCK_DGRAM + SOCK_CLOEXEC, 0);
      if (opened.value < 0) return false;
      this.#fd = opened.value;
    }
    const entry = journalEntry(fields);
    const sent = this.#libc.call(
      'long sendto(int, const void *, size_t, int, const void *, unsigned int)',
      this.#fd,
      entry,
      entry.length,
      MSG_DONTWAIT + MSG_NOSIGNAL,
      this.#address,
      this.#address.length,
    );
    return sent.value === entry.length;
  }

  close(): void {
    if (this.#fd >= 0) this.#libc.call('int close(int)', this.#fd);
    this.#fd = -1;
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

/** `struct sockaddr_un`. */
function addressOf(path: string): Uint8Array {
  const bytes = Buffer.from(path);
  if (bytes.length >= PATH_BYTES) throw new RangeError(`${path} is too long for a socket`);
  const address = Buffer.alloc(2 + bytes.length + 1);
  address.writeUInt16LE(AF_UNIX);
  bytes.copy(address, 2);
  return address;
}
