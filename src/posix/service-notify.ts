import { endianness } from 'node:os';
import type { Libc } from './libc-koffi.ts';

/** `asm-generic/socket.h` and `linux/socket.h`; the same on x64 and arm64. */
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
/** No signal when the manager is gone, and no waiting for one that does not read. */
const MSG_NOSIGNAL_DONTWAIT = 0x4000 | 0x40;
/** Unix(7): `sun_path`, its NUL included. */
const PATH_BYTES = 108;

const SOCKET = 'int socket(int domain, int type, int protocol)';
const SENDTO =
  'long sendto(int fd, uint8_t *data, size_t length, int flags, uint8_t *address, uint addressLength)';
const CLOSE = 'int close(int fd)';

/**
 * Tells the service manager something, as sd_notify(3) does: one datagram of `NAME=value` lines to the socket that
 * `NOTIFY_SOCKET` names; `null` when it went, else what went wrong. The protocol is stable, and libsystemd would bring
 * seven libraries along for it.
 */
export function sendToServiceManager(libc: Libc, socketPath: string, text: string): string | null {
  const address = socketAddress(socketPath);
  if (address === null) return `${socketPath} is no address of a socket`;
  const opened = libc.call(SOCKET, AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (opened.value < 0) return `socket failed with error ${opened.errno}`;
  const data = Buffer.from(text);
  const { value, errno } = libc.call(
    SENDTO,
    opened.value,
    data,
    data.length,
    MSG_NOSIGNAL_DONTWAIT,
    address,
    address.length,
  );
  libc.call(CLOSE, opened.value);
  return value === data.length ? null : `sendto failed with error ${errno}`;
}

/** `struct sockaddr_un`. A leading `@` is Linux' abstract namespace: a NUL, and no NUL at the end. */
function socketAddress(path: string): Uint8Array | null {
  const isAbstract = path.startsWith('@');
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (!(isAbstract || path.startsWith('/')) || name.length > PATH_BYTES) return null;
  const family = endianness() === 'LE' ? [AF_UNIX, 0] : [0, AF_UNIX];
  return Buffer.concat([Buffer.from(family), name]);
}
