/** A file of an archive. */
export interface ArchiveFile {
  /** Relative, ASCII, at most 100 characters. */
  readonly name: string;
  readonly content: string;
}

const BLOCK_BYTES = 512;

/**
 * A tar archive in the ustar format (POSIX.1-2024, pax, "ustar Interchange Format"): files of nobody's, mode 0600, all
 * of one time (seconds since the epoch).
 */
export function tarArchive(files: readonly ArchiveFile[], seconds: number): Buffer {
  const parts = files.flatMap(({ name, content }) => {
    const body = Buffer.from(content);
    return [header(name, body.length, seconds), body, Buffer.alloc(-body.length & (BLOCK_BYTES - 1))];
  });
  // Two blocks of zeros end it.
  return Buffer.concat([...parts, Buffer.alloc(2 * BLOCK_BYTES)]);
}

function header(name: string, sizeBytes: number, seconds: number): Buffer {
  if (name.length > 100) throw new RangeError(`${name} is too long a name`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, at: number, digits: number): void => {
    block.write(value.toString(8).padStart(digits, '0'), at, 'latin1');
  };
  block.write(name, 0, 'latin1');
  octal(0o600, 100, 7);
  octal(0, 108, 7); // uid
  octal(0, 116, 7); // gid
  octal(sizeBytes, 124, 11);
  octal(seconds, 136, 11);
  block.write('        ', 148, 'latin1'); // the checksum counts itself as spaces
  block.write('0', 156, 'latin1'); // a regular file
  block.write('ustar\u000000', 257, 'latin1');
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    6,
  );
  block[154] = 0;
  return block;
}
