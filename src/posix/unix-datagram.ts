import type { Libc } from './libc-koffi.ts';

/** linux/socket.h and linux/net.h, the same on x64 and arm64, both little-endian. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** `sun_path` of unix(7), the NUL at its end included. */
const PATH_BYTES = 108;

/** Sends datagrams to a Unix socket, which Node cannot. Never waits: a receiver that does not read loses them. */
export class UnixDatagrams {
  readonly #libc: Libc;
  readonly #address: Uint8Array;
  #fd = -1;

  /** Throws a `RangeError` when `path` is no address; a leading `@` is Linux' abstract namespace. */
  constructor(libc: Libc, path: string) {
    this.#libc = libc;
    this.#address = addressOf(path);
  }

  /** Sends one; `null` when it went, else what went wrong. */
  send(data: Uint8Array): string | null {
    if (this.#fd < 0) {
      const opened = this.#libc.call('int socket(int, int, int)', AF_UNIX, SOCK_DGRAM + SOCK_CLOEXEC, 0);
      if (opened.value < 0) return `socket failed with error ${opened.errno}`;
      this.#fd = opened.value;
    }
    const sent = this.#libc.call(
      'long sendto(int, const void *, size_t, int, const void *, unsigned int)',
      this.#fd,
      data,
      data.length,
      MSG_DONTWAIT + MSG_NOSIGNAL,
      this.#address,
      this.#address.length,
    );
    return sent.value === data.length ? null : `sendto failed with error ${sent.errno}`;
  }

  close(): void {
    if (this.#fd >= 0) this.#libc.call('int close(int)', this.#fd);
    this.#fd = -1;
  }
}

/** `struct sockaddr_un`. */
function addressOf(path: string): Uint8Array {
  const isAbstract = path.startsWith('@');
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (!(isAbstract || path.startsWith('/'))) throw new RangeError(`${path} is no address of a socket`);
  if (name.length > PATH_BYTES) throw new RangeError(`${path} is too long for a socket`);
  return Buffer.concat([Buffer.from([AF_UNIX, 0]), name]);
}
