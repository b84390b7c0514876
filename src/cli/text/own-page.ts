import { counted, groupedCount, roughBytes } from '../../core/amounts.ts';
import type { Activity } from '../activity.ts';
import { keyWords } from './key-words.ts';
import { row } from './layout.ts';
import { localTime, roughSpan } from './moments.ts';
import { timelineRows } from './timeline.ts';

/** Half hours of a day, and no more than what two screens hold. */
const MAX_ROWS = 48;
/** Names of keys that are shown; all of them are in `--json`. */
const MAX_NAMES = 12;

/** What was recorded of the person, as one page of at most 80 columns. Ends in a line end. */
export function ownPage(
  activity: Activity,
  files: {
    readonly here: number;
    readonly sent: number;
    readonly sizeBytes: number;
    readonly closed: number;
  },
  { sinceMs, nowMs }: { readonly sinceMs: number; readonly nowMs: number },
): string {
  const { events, keys, extentMs } = activity;
  const since = localTime(new Date(sinceMs).toISOString(), nowMs);
  const parts = [
    ...(files.here === 0 ? [] : [`${counted(files.here, 'file')} not sent`]),
    ...(files.sent === 0 ? [] : [`${counted(files.sent, 'file')} sent and kept for you`]),
  ];
  const lines = timelineRows(activity, MAX_ROWS);
  const last =
    extentMs === null
      ? []
      : [row('Last', `${roughSpan(nowMs - extentMs.last)} ago; a journal lags some seconds`)];
  return [
    `Recorded of you since ${since} (${roughSpan(nowMs - sinceMs)}), as far as it is on this device`,
    '',
    row('Events', groupedCount(events)),
    ...last,
    row('Files', `${parts.join(', ')}: ${roughBytes(files.sizeBytes)}`),
    ...(files.closed === 0 ? [] : [row('Not read', counted(files.closed, 'file'))]),
    row('Keys', ...(keys.size === 0 ? ['none'] : keyWords(keys, MAX_NAMES))),
    ...(lines.length === 0 ? [] : ['', ...lines.map((line) => `  ${line}`)]),
    '',
  ].join('\n');
}
