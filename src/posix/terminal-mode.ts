import type { Libc } from './libc-koffi.ts';

/** What a terminal does with what is typed. */
export interface TerminalMode {
  /** What is typed is shown. */
  readonly echo: boolean;
  /** Input is handed over line by line. */
  readonly canonical: boolean;
}

const TCGETATTR = 'int tcgetattr(int fd, uint8_t *termios)';
/** More than `struct termios` has anywhere (60 bytes in glibc, 72 on macOS). */
const TERMIOS_BYTES = 256;
/** Byte offset of `c_lflag` behind three flag words, and its bits: `asm-generic/termbits.h`, and macOS `sys/termios.h`. */
const LAYOUT = {
  linux: { offset: 12, echo: 0o10, canonical: 0o2 },
  darwin: { offset: 24, echo: 0x8, canonical: 0x100 },
} as const;

/** The mode of the terminal behind a file descriptor; `null` when it is no terminal or the system is another one. */
export function terminalMode(libc: Libc, fd: number, platform: string): TerminalMode | null {
  if (platform !== 'linux' && platform !== 'darwin') return null;
  const { offset, echo, canonical } = LAYOUT[platform];
  const termios = new Uint8Array(TERMIOS_BYTES);
  if (libc.call(TCGETATTR, fd, termios).value !== 0) return null;
  // All bits in question are in the lowest 16, and every machine Node runs on here is little-endian.
  const flags = (termios[offset] ?? 0) | ((termios[offset + 1] ?? 0) << 8);
  return { echo: (flags & echo) !== 0, canonical: (flags & canonical) !== 0 };
}
