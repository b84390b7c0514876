import { spawnSync } from 'node:child_process';
import type { EventColumns } from '../src/core/events.ts';
import { encodeCandidates } from '../src/segment/columns-encode.ts';
import { ByteWriter } from '../src/segment/varint.ts';

/**
 * What `xz -9e` makes of the columns before they are compressed: our own streams in either pairing, or plain columns
 * of differences, whichever is smallest. Checked by unpacking. `undefined` when there is no `xz` on this machine.
 */
export function xzBoundBytes(columns: EventColumns): number | undefined {
  const sizes: number[] = [];
  for (const body of [...encodeCandidates(columns), plainColumns(columns)]) {
    const packed = xz(['-9e', '--format=lzma', '-c'], body);
    if (packed === undefined) return undefined;
    const unpacked = xz(['-dc', '--format=lzma'], packed);
    if (unpacked === undefined || Buffer.compare(unpacked, body) !== 0) throw new Error('xz is not lossless');
    sizes.push(packed.length);
  }
  return Math.min(...sizes);
}

function xz(options: readonly string[], input: Uint8Array): Uint8Array | undefined {
  const { status, stdout, error } = spawnSync('xz', options, { input, maxBuffer: 2 ** 28 });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') return undefined;
  if (error !== undefined || status !== 0) throw new Error('xz failed', { cause: error });
  return stdout;
}

/** One column after the other: first differences of time, second differences of positions, the rest as it is. */
function plainColumns({ count, t, kind, x, y, a, b }: EventColumns): Uint8Array {
  const out = new ByteWriter(count * 8);
  for (let i = 0; i < count; i++) out.zigzag((t[i] ?? 0) - (t[i - 1] ?? 0));
  for (let i = 0; i < count; i++) out.u8(kind[i] ?? 0);
  for (const column of [x, y]) {
    for (let i = 0; i < count; i++) {
      out.zigzag((column[i] ?? 0) - 2 * (column[i - 1] ?? 0) + (column[i - 2] ?? 0));
    }
  }
  for (const column of [a, b]) for (let i = 0; i < count; i++) out.zigzag(column[i] ?? 0);
  return out.bytes();
}
