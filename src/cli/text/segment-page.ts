import { counted, groupedCount, roughBytes } from '../../core/amounts.ts';
import { formatDuration } from '../../core/duration.ts';
import { KIND_NAMES } from '../../core/events.ts';
import { printable } from '../../core/printable.ts';
import type { OpenedSegment } from '../../segment/open-segment.ts';
import type { Gap, Segment, SegmentHeader } from '../../segment/types.ts';
import type { SegmentFile } from '../segment-file.ts';
import { row } from './layout.ts';
import { timeline } from './timeline.ts';

/** What `inspect` says of a file that could be read: whether it is whole, and what is in it. Ends in a line end. */
export function segmentPage(path: string, { segment, sizeBytes, sha256 }: SegmentFile): string {
  const { header, gaps, loss } = segment;
  return [
    printable(path),
    row('Segment', header.segmentId, `number ${header.sequence} of device ${header.device}`),
    row('Integrity', integrity(segment)),
    // A journal changes while it is written.
    ...(segment.footer === null
      ? []
      : [row('SHA-256', sha256, 'of the file, by which the ledger and the collector know it')]),
    row('Time', ...span(segment)),
    row('Events', eventWords(segment)),
    row(
      'Left out',
      `${groupedCount(loss.thinned)} thinned, ${groupedCount(loss.redacted)} masked, ${groupedCount(loss.dropped)} lost`,
    ),
    row('Gaps', gapWords(gaps)),
    row('Size', sizeWords(sizeBytes, segment)),
    row('Captured', captureWords(header)),
    row('Keys', header.redaction),
    row('Policy', `${header.policyId}${header.receiptId === '' ? ', no receipt: a replayed recording' : ''}`),
    ...(header.receiptId === '' ? [] : [row('Receipt', header.receiptId)]),
    ...timeline(segment).map((line, at) => `${(at === 0 ? '  Timeline' : '').padEnd(13)}${line}`),
    '',
  ].join('\n');
}

function integrity({ footer, tornBytes }: Segment): string {
  if (footer !== null) {
    const after = tornBytes === 0 ? '' : `; ${counted(tornBytes, 'byte')} after its end`;
    return `sealed, whole: its content has the digest of its footer${after}`;
  }
  return tornBytes === 0
    ? 'open: a journal that is still written to, every block whole'
    : `open: a journal, every block whole up to ${counted(tornBytes, 'byte')} at its end`;
}

function span({ columns, header, gaps }: Segment): string[] {
  const first = columns.t[0];
  const last = columns.t[columns.count - 1];
  const start = `began ${isoTime(header.startWallMs)}`;
  if (columns.count === 0 || first === undefined || last === undefined) return [start, 'no events'];
  const wall = (monoMs: number): string => isoTime(header.startWallMs + monoMs - header.originMonoMs);
  const away = gaps.reduce((sum, gap) => sum + gap.endMonoMs - gap.startMonoMs, 0);
  const without = away === 0 ? '' : `, ${formatDuration(away)} of it in gaps`;
  return [
    start,
    `events from ${wall(first)}`,
    `to ${wall(last)} (${formatDuration(last - first)}${without})`,
  ];
}

function eventWords({ columns }: Segment): string {
  const counts = KIND_NAMES.map(() => 0);
  for (const kind of columns.kind.subarray(0, columns.count)) counts[kind] = (counts[kind] ?? 0) + 1;
  const parts = KIND_NAMES.flatMap((name, kind) => {
    const count = counts[kind] ?? 0;
    return count === 0 ? [] : [`${groupedCount(count)} ${name}`];
  });
  return columns.count === 0 ? 'none' : `${groupedCount(columns.count)}: ${parts.join(', ')}`;
}

function gapWords(gaps: readonly Gap[]): string {
  if (gaps.length === 0) return 'none';
  const words: string[] = [];
  for (const kind of ['withheld', 'stopped', 'crashed', 'asleep'] as const) {
    const of = gaps.filter((gap) => gap.kind === kind);
    const total = of.reduce((sum, gap) => sum + gap.endMonoMs - gap.startMonoMs, 0);
    if (of.length > 0) words.push(`${groupedCount(of.length)} ${kind} (${formatDuration(total)})`);
  }
  return words.join(', ');
}

function sizeWords(sizeBytes: number, { columns, header, isEncrypted }: OpenedSegment): string {
  const each = columns.count === 0 ? '' : `, ${(sizeBytes / columns.count).toFixed(2)} bytes an event`;
  return `${roughBytes(sizeBytes)}${each}, ${header.codec}${isEncrypted ? ', encrypted' : ''}`;
}

function captureWords({ backend, coordinates, screens, platform, simulated }: SegmentHeader): string {
  const sizes = screens.map(({ width, height }) => `${width}x${height}`).join(' and ');
  const on = sizes === '' ? '' : `, ${counted(screens.length, 'screen')} of ${sizes}`;
  return `by ${backend} on ${platform}, ${coordinates} coordinates${on}${simulated ? ', simulated conditions' : ''}`;
}

/** Times of a segment are within 2^50 ms (`docs/SEGMENT.md`), and even the sum of two is within what a date can be. */
function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString();
}
