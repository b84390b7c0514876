import {
  BUTTON_NAMES,
  type EventColumns,
  type EventRecord,
  KIND,
  KIND_NAMES,
  MADE_UP,
  MOD_NAMES,
  unpackKeyDetail,
} from '../core/events.ts';
import { keyCode } from '../core/keys.ts';
import type { ClockSync, Segment } from './types.ts';

/** The events of a segment, in its order, as `inspect --json` and `export --format jsonl` print them. */
export function* eventRecords(segment: Segment): Generator<EventRecord, void, undefined> {
  const { columns } = segment;
  const wallMs = wallClock(segment);
  for (let i = 0; i < columns.count; i++) yield recordAt(columns, i, wallMs);
}

function recordAt(columns: EventColumns, i: number, wallMs: (monoMs: number) => number): EventRecord {
  const kind = columns.kind[i] ?? 0;
  const a = columns.a[i] ?? 0;
  const b = columns.b[i] ?? 0;
  const record: EventRecord = {
    t: wallMs(columns.t[i] ?? 0),
    kind: KIND_NAMES[kind] ?? 'move',
    x: columns.x[i] ?? 0,
    y: columns.y[i] ?? 0,
  };
  if (kind === KIND.down || kind === KIND.up) record.button = BUTTON_NAMES[a] || String(a);
  if (kind === KIND.wheel) {
    record.dx = a;
    record.dy = b;
  }
  if (kind === KIND.keydown || kind === KIND.keyup) addKey(record, a, b);
  if ((kind === KIND.up || kind === KIND.keyup) && (b & MADE_UP) !== 0) record.synthetic = true;
  return record;
}

function addKey(record: EventRecord, id: number, detail: number): void {
  const code = keyCode(id);
  const { keyClass, isRepeat, mods } = unpackKeyDetail(detail);
  if (code !== undefined) record.key = code;
  record.class = keyClass;
  if (mods !== 0) record.mods = MOD_NAMES.filter((_, bit) => mods & (1 << bit));
  if (isRepeat) record.repeat = true;
}

/**
 * From monotonic time to milliseconds since the epoch, whole, by the last clock frame at or before it, else by the
 * header. Quick for times in ascending order.
 */
export function wallClock(segment: Segment): (monoMs: number) => number {
  const { originMonoMs, startWallMs } = segment.header;
  const syncs: ClockSync[] = [
    { monoMs: originMonoMs, wallMs: startWallMs },
    ...segment.clocks.toSorted((left, right) => left.monoMs - right.monoMs),
  ];
  let at = 0;
  return (monoMs) => {
    while (at > 0 && (syncs[at]?.monoMs ?? 0) > monoMs) at--;
    while ((syncs[at + 1]?.monoMs ?? Infinity) <= monoMs) at++;
    const sync = syncs[at];
    return sync === undefined ? 0 : Math.round(sync.wallMs + (monoMs - sync.monoMs));
  };
}
