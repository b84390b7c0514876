import { readSegment } from '../../../src/segment/read.ts';
import { eventRecords } from '../../../src/segment/records.ts';

/** All that a file holds, as plain JSON: what the twin beside each golden file has. */
export function twinOf(bytes: Uint8Array): unknown {
  const segment = readSegment(bytes);
  const { header, gaps, clocks, loss, footer, tornBytes } = segment;
  const { count, t, kind, x, y, a, b } = segment.columns;
  const columns = { count, t: [...t], kind: [...kind], x: [...x], y: [...y], a: [...a], b: [...b] };
  const sha256 = footer === null ? '' : Buffer.from(footer.sha256).toString('hex');
  const events = [...eventRecords(segment)];
  return { header, columns, gaps, clocks, loss, footer: footer && { ...footer, sha256 }, tornBytes, events };
}
