import type { EventRecord } from '../core/events.ts';
import type { OpenedSegment } from '../segment/open-segment.ts';

/** A column of a table of events; its name ends in its unit where it has one. */
export interface ExportColumn {
  readonly name: string;
  readonly type: 'int64' | 'int32' | 'string' | 'boolean';
  readonly unit: string;
  readonly text: string;
  /** Whether some events have no value here. */
  readonly isOptional: boolean;
}

/** Values in the order of {@link EXPORT_COLUMNS}; `null`: the event has none. */
export type ExportRow = readonly (number | string | boolean | null)[];

/** Version of {@link EXPORT_COLUMNS}; columns are only ever added, at the end. */
export const EXPORT_SCHEMA = 1;

/** The columns of CSV and Parquet. */
export const EXPORT_COLUMNS: readonly ExportColumn[] = [
  column('t_ms', 'int64', 'ms', 'time since the Unix epoch, UTC'),
  column(
    't_mono_ms',
    'int64',
    'ms',
    'time on the device’s monotonic clock, which nobody sets; compare within a segment',
  ),
  column('kind', 'string', '', 'move, down, up, wheel, keydown or keyup'),
  column('x_px', 'int32', 'px', 'pointer position from the left; of a key event, where the pointer was'),
  column('y_px', 'int32', 'px', 'pointer position from the top'),
  optional(
    'button',
    'string',
    '',
    'of down and up: left, right, middle, back, forward, or the device’s number',
  ),
  optional('dx_notches', 'int32', 'notches', 'of wheel: to the right'),
  optional('dy_notches', 'int32', 'notches', 'of wheel: down'),
  optional('key', 'string', '', 'of keydown and keyup: W3C UI Events code; none when it was masked'),
  optional('class', 'string', '', 'of keydown and keyup: text, edit, navigation, function or modifier'),
  optional('mods', 'string', '', 'of keydown and keyup: modifiers held, joined by "+"'),
  optional('repeat', 'boolean', '', 'of keydown: true when the key repeated by itself'),
  column('segment', 'string', '', 'id of the segment'),
  column('device', 'string', '', 'pseudonym of the device and person'),
  optional(
    'synthetic',
    'boolean',
    '',
    'of up and keyup: true when nobody saw the release, as when the device went away with it down',
  ),
];

/** The rows of a segment, in its order. */
export function* exportRows(segment: OpenedSegment): Generator<ExportRow, void, undefined> {
  const { columns, header } = segment;
  let at = 0;
  for (const record of segment.events()) yield exportRow(record, columns.t[at++] ?? 0, header);
}

function exportRow(
  record: EventRecord,
  monoMs: number,
  { segmentId, device }: OpenedSegment['header'],
): ExportRow {
  const { t, kind, x, y, button, dx, dy, key, mods, repeat, synthetic } = record;
  return [
    t,
    monoMs,
    kind,
    x,
    y,
    button ?? null,
    dx ?? null,
    dy ?? null,
    key ?? null,
    record.class ?? null,
    mods?.join('+') ?? null,
    repeat ?? null,
    segmentId,
    device,
    synthetic ?? null,
  ];
}

function column(name: string, type: ExportColumn['type'], unit: string, text: string): ExportColumn {
  return { name, type, unit, text, isOptional: false };
}

function optional(name: string, type: ExportColumn['type'], unit: string, text: string): ExportColumn {
  return { name, type, unit, text, isOptional: true };
}
