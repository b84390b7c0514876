import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib';

/** Files that hold positions openly, one for each form in which a leak is looked for: the control of that search. */
export function plainCopies(folder: string, positions: readonly { x: number; y: number }[]): void {
  const xs = positions.map(({ x }) => x);
  const pairs = positions.flatMap(({ x, y }) => [x, y]);
  const write = (name: string, content: string | Uint8Array): void =>
    writeFileSync(path.join(folder, name), content);
  write('text', xs.join(','));
  write('pairs.csv', positions.map(({ x, y }) => `${x},${y}`).join('\n'));
  write('events.jsonl', positions.map(({ x, y }) => JSON.stringify({ x, y })).join('\n'));
  write('int32', new Uint8Array(Int32Array.from(xs).buffer));
  write('int16', new Uint8Array(Int16Array.from(pairs).buffer));
  write('float64', new Uint8Array(Float64Array.from(xs).buffer));
  const packed = brotliCompressSync(Buffer.from(JSON.stringify(xs)));
  if (!brotliDecompressSync(packed).toString().includes(xs.join(',')))
    throw new Error('the control is wrong');
  write('packed', packed);
}
