import type { StatusReport } from '../../core/status.ts';
import { readLedger, verifyLedger } from '../../privacy/ledger.ts';
import { type HistoryCost, readHistory } from '../../spool/history-file.ts';
import { readSent } from '../../spool/sent-log.ts';
import { Activity } from '../activity.ts';
import { ownStatus } from '../commands/status.ts';
import { restingPlace } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { ownSegments } from '../own-data.ts';
import type { SegmentOpener } from '../segment-file.ts';
import { type Day, daysBetween } from './days.ts';
import { costByHour, type HourCost, type Stretch, stretchesOf } from './states.ts';

/** What was recorded and sent on a day. */
export interface DayBytes {
  readonly day: Day;
  recordedBytes: number;
  recordedEvents: number;
  recordedFiles: number;
  /** As charged to the budget: both directions, failures included. */
  sentBytes: number;
  sentFiles: number;
}

/** All that the report shows. */
export interface ReportData {
  readonly sinceMs: number;
  readonly nowMs: number;
  readonly status: StatusReport;
  readonly stretches: readonly Stretch[];
  /** In steps of an hour; of the files that are here and can be opened. */
  readonly activity: Activity;
  readonly files: { readonly read: number; readonly closed: number };
  readonly days: readonly DayBytes[];
  readonly costs: readonly HourCost[];
  readonly ledger: { readonly isSound: boolean; readonly entries: number; readonly head: string };
}

const HOUR_MS = 3_600_000;

/** Reads what the files of this device and the daemon, if it runs, say of the time since `sinceMs`. */
export async function gatherReport(io: CliIo, sinceMs: number, opener: SegmentOpener): Promise<ReportData> {
  const { wallMs: nowMs } = io.clock.now();
  const status = await ownStatus(io);
  const { stateDir } = restingPlace(io);
  const activity = new Activity(HOUR_MS, sinceMs);
  const files = { read: 0, closed: 0 };
  for await (const found of ownSegments(stateDir, sinceMs, opener)) {
    if (found.kind === 'closed') files.closed++;
    else {
      files.read++;
      activity.add(found.file.segment);
    }
  }
  const isRunning = status.daemon.pid !== null;
  const { ok: isSound, entries, head } = verifyLedger(stateDir);
  return {
    sinceMs,
    nowMs,
    status,
    stretches: stretchesOf(readHistory(stateDir), { sinceMs, nowMs, isRunning }),
    activity,
    files,
    days: bytesByDay(stateDir, sinceMs, nowMs),
    costs: costByHour(costLines(stateDir), sinceMs),
    ledger: { isSound, entries, head: head.hash },
  };
}

function* costLines(stateDir: string): Generator<HistoryCost, void, undefined> {
  for (const line of readHistory(stateDir)) if ('cpuSeconds' in line) yield line;
}

function bytesByDay(stateDir: string, sinceMs: number, nowMs: number): DayBytes[] {
  const days = daysBetween(sinceMs, nowMs).map(
    (day): DayBytes => ({
      day,
      recordedBytes: 0,
      recordedEvents: 0,
      recordedFiles: 0,
      sentBytes: 0,
      sentFiles: 0,
    }),
  );
  const dayOf = (wallMs: number): DayBytes | undefined =>
    days.find(({ day }) => day.startMs <= wallMs && wallMs < day.endMs);
  for (const entry of readLedger(stateDir)) {
    const day = entry.type === 'captured' ? dayOf(Date.parse(entry.at)) : undefined;
    if (day === undefined || entry.type !== 'captured') continue;
    day.recordedBytes += entry.bytes;
    day.recordedEvents += entry.events ?? 0;
    day.recordedFiles++;
  }
  for (const { atWallMs, chargedBytes } of readSent(stateDir)) {
    const day = dayOf(atWallMs);
    if (day === undefined) continue;
    day.sentBytes += chargedBytes;
    day.sentFiles++;
  }
  return days;
}
