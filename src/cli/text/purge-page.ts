import type { PurgePlan } from '../../control/protocol.ts';
import { counted, roughBytes } from '../../core/amounts.ts';
import type { PurgedSegment, PurgeReceipt } from '../../core/purge.ts';
import type { PurgeState } from '../../privacy/purge-history.ts';
import { bullet, paragraph, row } from './layout.ts';
import { localTime, moment } from './moments.ts';

/** What a purge would remove. */
export function planPage(plan: PurgePlan, what: string): string {
  const { segments, hasOpenSegment } = plan;
  const lines = [`To be removed: ${what}.`, ''];
  if (segments.length === 0 && !hasOpenSegment) return `${lines[0] ?? ''} There is nothing of it.\n`;
  if (hasOpenSegment) lines.push(row('Now', 'what is in memory and in the segment that is being written'));
  const here = segments.filter(({ stage }) => stage !== 'gone');
  if (here.length > 0) {
    const bytes = here.reduce((sum, segment) => sum + segment.bytes, 0);
    lines.push(row('Here', `${counted(here.length, 'segment')}, ${roughBytes(bytes)}`));
  }
  const cut = segments.filter(({ isWhole }) => !isWhole).length;
  if (cut > 0) lines.push(row('', `of ${cut === 1 ? 'one' : cut}, what is older may stay`));
  for (const destination of new Set(segments.flatMap((segment) => segment.destination ?? []))) {
    const count = segments.filter((segment) => segment.destination === destination).length;
    lines.push(row('Sent', `${counted(count, 'segment')} at ${destination}, which will be asked to erase`));
  }
  return `${lines.join('\n')}\n`;
}

/** Blocks and snapshots keep what was unlinked, but closed. */
const OLD_COPIES =
  'Old disk blocks, snapshots and backups may still hold these files; they open only with your own key or one of the ' +
  'data team’s.';

/** What a purge did, for the person to keep. `open`: requests that were not confirmed yet. */
export function receiptPage(receipt: PurgeReceipt, open: ReadonlySet<string>, nowMs: number): string {
  const { id, at, scope, from, segments, eventsInMemory, erasures } = receipt;
  const since = from === null ? '' : `, since ${localTime(from, nowMs)}`;
  const lines = [`Purged (${scope === 'last' ? 'the last of it' : scope}${since}).`, ''];
  lines.push(
    row('Receipt', id),
    row('At', moment(at, nowMs)),
    row('Removed', totals(segments, eventsInMemory)),
  );
  for (const segment of segments) lines.push(bullet(segmentWords(segment), 13));
  for (const { request, destination, segments: asked } of erasures) {
    const state = open.has(request) ? 'asked to erase, not confirmed yet' : 'confirmed as erased';
    lines.push(row('Sent', `${counted(asked.length, 'segment')} at ${destination}: ${state}`));
  }
  if (open.size > 0)
    lines.push(paragraph('It is asked again until it confirms: telemetryctl purge list', 13));
  lines.push('', paragraph(OLD_COPIES, 0));
  return `${lines.join('\n')}\n`;
}

/** All purges there were. */
export function historyPage(purges: readonly PurgeState[], nowMs: number): string {
  if (purges.length === 0) return 'Nothing was ever purged.\n';
  return purges
    .map((purge) => {
      const lines = [
        `${moment(purge.at, nowMs)}: ${purge.scope}, ${totals(purge.segments, purge.eventsInMemory)}`,
        row('Receipt', purge.id),
      ];
      for (const { destination, segments, confirmedAt } of purge.erasureStates) {
        const state = confirmedAt === null ? 'not confirmed yet' : `erased ${moment(confirmedAt, nowMs)}`;
        lines.push(row('Sent', `${counted(segments, 'segment')} at ${destination}: ${state}`));
      }
      return `${lines.join('\n')}\n`;
    })
    .join('\n');
}

function totals(segments: readonly PurgedSegment[], eventsInMemory: number): string {
  const events = segments.reduce((sum, segment) => sum + (segment.events ?? 0), eventsInMemory);
  const isMore = segments.some((segment) => segment.events === null);
  const inMemory = eventsInMemory === 0 ? '' : `, ${eventsInMemory} of them in memory only`;
  return `${isMore ? 'at least ' : ''}${counted(events, 'event')} in ${counted(segments.length, 'segment')}${inMemory}`;
}

function segmentWords({ id, stage, outcome, bytes, replacement }: PurgedSegment): string {
  const where = stage === 'gone' ? 'sent, no copy here' : stage;
  switch (outcome) {
    case 'deleted':
      return `${id} (${where}, ${roughBytes(bytes)}): deleted`;
    case 'cut':
      return `${id} (${where}): what is older was kept${replacement === null ? '' : ` as ${replacement}`}`;
    case 'whole':
      return `${id} (${where}, ${roughBytes(bytes)}): deleted with what is older, as it cannot be opened here`;
  }
}
