import type { Aim, Comparison, Format } from './format-compare.ts';

/** What the columns mean, for the top of the output. */
export const LEGEND = `B/event: the whole file over its events. kB/active h: kilobytes (1000 bytes) an hour of input,
pauses over 1 s left out. CPU: user + system time of this process, lower quartile of alternating
rounds; encode against JSON lines + gzip-6, decode against JSON.parse of the plain lines. Every
format is decoded and compared with its input, to the millisecond, before it is measured. Sealing
on AC takes columns-mix where that is smaller; its decode aim is µs per event. MCAP: as its tools
expect it (a JSON message per event, indexed) and as small as it gets (17 bytes per event, no
index of messages). Aims are for files of 15 minutes: one of some seconds is mostly header.
Generated work is smoother than people's.`;

const NAME_WIDTH = 32;

/** One recording's table, at most 100 characters wide. */
export function table(comparison: Comparison): string {
  const { recording, formats, boundBytes } = comparison;
  const { columns, seconds, activeSeconds } = recording;
  const title = `${recording.name}: ${grouped(columns.count)} events in ${grouped(seconds)} s (${grouped(activeSeconds)} s active), ${(columns.count / seconds).toFixed(1)} events/s`;
  const head = row('', ['bytes', 'B/event', 'kB/active h', 'encode CPU', 'decode CPU', 'decoded/s']);
  const bound =
    boundBytes === null
      ? 'xz -9e of the columns             left out: there is no xz on this machine'
      : row('xz -9e of the columns', [
          grouped(boundBytes),
          (boundBytes / columns.count).toFixed(2),
          grouped((boundBytes * 3.6) / activeSeconds),
        ]);
  return [
    title,
    head,
    ...formats.map(formatRow),
    bound,
    encryptionLine(comparison),
    aimsLines(comparison),
  ].join('\n');
}

function formatRow(format: Format): string {
  return row(format.name, [
    grouped(format.bytes),
    format.bytesPerEvent.toFixed(2),
    grouped(format.kBPerActiveHour),
    format.encodeRatio.toFixed(2),
    format.decodeRatio.toFixed(2),
    `${(format.decodedPerSecond / 1e6).toFixed(2)} M`,
  ]);
}

function row(name: string, cells: readonly string[]): string {
  const widths = [11, 9, 13, 12, 12, 11];
  return (name.padEnd(NAME_WIDTH) + cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('')).trimEnd();
}

function encryptionLine({ encryption }: Comparison): string {
  return `Encryption adds ${grouped(encryption.sealed)} bytes to the sealed file, ${grouped(encryption.journal)} to the journal (two recipients).`;
}

function aimsLines({ aims, recording, fixedBytes }: Comparison): string {
  const fixed = (fixedBytes / recording.columns.count).toFixed(2);
  const isShort = recording.seconds < SHORT_SECONDS;
  const note = isShort
    ? `Only ${grouped(recording.seconds)} s: ${fixed} bytes per event are header and footer.\n`
    : '';
  return `${note}Aims on battery: ${aimsText(aims.quick)}\nAims on AC:      ${aimsText(aims.smallest)}`;
}

const SHORT_SECONDS = 60;

function aimsText(aims: readonly Aim[]): string {
  return aims.map(aimText).join(', ');
}

function aimText({ what, limit, reached, isMet }: Aim): string {
  const short = { 'bytes per event': 'B/event', 'decode µs per event': 'decode µs' };
  const name = what in short ? short[what as keyof typeof short] : what;
  const digits = what === 'bytes per event' ? 3 : 2;
  return `${name} ${reached.toFixed(digits)}/${limit}${isMet ? '' : ' MISSED'}`;
}

function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}
