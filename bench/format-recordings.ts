import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { evdevKeyId } from '../src/capture/child/evdev-keys.ts';
import { RECORDED, readRecording } from '../src/capture/child/recording.ts';
import { type EventColumns, KIND, packKeyDetail } from '../src/core/events.ts';
import { keyClassOf } from '../src/core/keys.ts';
import { columnsFrom, type EventRow } from './format-encoding.ts';
import { motion, seededRandom, WORK_STYLES } from './motion.ts';

/** What is encoded: at most one segment's worth of events, times in whole milliseconds, keys where the pointer is. */
export interface Recording {
  readonly name: string;
  readonly isGenerated: boolean;
  readonly columns: EventColumns;
  readonly seconds: number;
  /** Seconds with input: the steps from one event to the next that are at most {@link ACTIVE_STEP_MS}. */
  readonly activeSeconds: number;
}

/** The default of `segment.roll`; what is longer is cut. */
const LONGEST_MS = 15 * 60_000;
/** Nobody moves for a quarter of an hour without a rest. */
const CEASELESS_MS = 5 * 60_000;
/** A batch of the capture process: what happens in one counts as active time in `telemetryctl status`. */
const ACTIVE_STEP_MS = 1000;

/** Recordings lie beside a checkout where there are any. */
const FOLDER = join(import.meta.dirname, '../../shared/data');

/** Recordings from the folder where it exists, then generated ones, one after the other. */
export async function* recordings(): AsyncGenerator<Recording> {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.csv')) : [];
  for (const name of files.toSorted()) yield await recorded(name);
  for (const name of Object.keys(WORK_STYLES) as (keyof typeof WORK_STYLES)[]) {
    yield generated(name, name === 'hand' ? CEASELESS_MS : LONGEST_MS);
  }
}

/** Work that never was, of one of {@link WORK_STYLES}; the same every time. */
export function generated(name: keyof typeof WORK_STYLES, durationMs: number): Recording {
  const columns = motion(WORK_STYLES[name], seededRandom(2026), durationMs);
  return recordingOf(`generated ${name}`, true, columns);
}

/**
 * A recording's events as key mode `full` would give them, not thinned. The positions in all of these files are
 * positions, also in those of relative devices: they were added up when the files were made.
 */
async function recorded(name: string): Promise<Recording> {
  const events: EventRow[] = [];
  for await (const event of readRecording(join(FOLDER, name), new AbortController().signal)) {
    const tMs = Math.floor(event.tUs / 1000);
    if (tMs > LONGEST_MS) break;
    const isRepeat = event.kind === RECORDED.repeat;
    const kind = isRepeat ? KIND.keydown : event.kind;
    if (kind < KIND.keydown) events.push([tMs, kind, event.x, event.y, event.a, event.b]);
    else {
      const id = evdevKeyId(event.a);
      events.push([tMs, kind, event.x, event.y, id, packKeyDetail(keyClassOf(id), isRepeat, 0)]);
    }
  }
  const columns = columnsFrom(events.length, (i) => events[i] ?? NOTHING);
  return recordingOf(name, false, columns);
}

const NOTHING: EventRow = [0, 0, 0, 0, 0, 0];

function recordingOf(name: string, isGenerated: boolean, columns: EventColumns): Recording {
  placeKeys(columns);
  const { count, t } = columns;
  let activeMs = 0;
  for (let i = 1; i < count; i++) {
    const step = (t[i] ?? 0) - (t[i - 1] ?? 0);
    if (step <= ACTIVE_STEP_MS) activeMs += step;
  }
  const seconds = ((t[count - 1] ?? 0) - (t[0] ?? 0)) / 1000;
  return { name, isGenerated, columns, seconds, activeSeconds: activeMs / 1000 };
}

/** A key event has no position of its own: it happens where the pointer is. */
function placeKeys({ count, kind, x, y }: EventColumns): void {
  for (let i = 1; i < count; i++) {
    if ((kind[i] ?? 0) < KIND.keydown) continue;
    x[i] = x[i - 1] ?? 0;
    y[i] = y[i - 1] ?? 0;
  }
}
