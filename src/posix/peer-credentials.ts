import { endianness } from 'node:os';
import type { Libc } from './libc-koffi.ts';

/** Who holds the other end of a Unix socket, as the kernel noted it when the connection was made. */
export interface Peer {
  readonly uid: number;
  readonly gid: number;
  /** `null` where the system does not tell (macOS). */
  readonly pid: number | null;
}

/** `asm-generic/socket.h`; the same on x64 and arm64. */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** `struct ucred` of `linux/socket.h`: pid, uid, gid, 32 bits each. */
const UCRED_BYTES = 12;

/** Unix(7); the length goes in and comes out. */
const GETSOCKOPT = 'int getsockopt(int fd, int level, int name, uint8_t *value, uint8_t *length)';
/** getpeereid(3) of macOS and the BSDs. */
const GETPEEREID = 'int getpeereid(int fd, uint8_t *uid, uint8_t *gid)';

/** The peer of a connected Unix socket; `null` when the kernel does not say: whoever asks must then refuse. */
export function peerOf(libc: Libc, fd: number, platform: string): Peer | null {
  return platform === 'linux' ? linuxPeer(libc, fd) : bsdPeer(libc, fd);
}

function linuxPeer(libc: Libc, fd: number): Peer | null {
  const credentials = new Uint8Array(UCRED_BYTES);
  const length = new Uint8Array(Uint32Array.of(UCRED_BYTES).buffer);
  if (libc.call(GETSOCKOPT, fd, SOL_SOCKET, SO_PEERCRED, credentials, length).value !== 0) return null;
  if (uint32(length, 0) !== UCRED_BYTES) return null;
  const pid = uint32(credentials, 0);
  const uid = uint32(credentials, 4);
  // A socket without a peer is pid 0, uid -1 (an unconnected socket): nobody.
  return uid === NOBODY_AT_ALL ? null : { uid, gid: uint32(credentials, 8), pid };
}

function bsdPeer(libc: Libc, fd: number): Peer | null {
  const uid = new Uint8Array(4);
  const gid = new Uint8Array(4);
  if (libc.call(GETPEEREID, fd, uid, gid).value !== 0) return null;
  return { uid: uint32(uid, 0), gid: uint32(gid, 0), pid: null };
}

const NOBODY_AT_ALL = 2 ** 32 - 1;
const IS_LITTLE = endianness() === 'LE';

function uint32(bytes: Uint8Array, offset: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, IS_LITTLE);
}
