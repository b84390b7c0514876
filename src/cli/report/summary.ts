import { counted, groupedCount, roughBytes } from '../../core/amounts.ts';
import { escaped } from '../../core/markup.ts';
import { STATE_WORDS } from '../text/state-words.ts';
import { hoursLabel } from './days.ts';
import type { ReportData } from './gather.ts';
import { lengthOf } from './section-states.ts';

/** The page's figures at a glance. */
export function tiles(data: ReportData): string {
  const { status, stretches, days, activity, costs } = data;
  const sum = (of: (day: (typeof days)[number]) => number): number =>
    days.reduce((total, day) => total + of(day), 0);
  const cpu = costs.reduce((total, { cpuPercent }) => total + cpuPercent, 0) / Math.max(1, costs.length);
  const recordedFiles = sum(({ recordedFiles: files }) => files);
  const sentFiles = sum(({ sentFiles: files }) => files);
  const facts: [value: string, words: string][] = [
    [STATE_WORDS[status.collection.state].words, 'when this page was made'],
    [hoursLabel(lengthOf(stretches, 'capturing')), 'recorded in this time'],
    [groupedCount(activity.events), 'events in the files that are here'],
    [roughBytes(sum(({ recordedBytes }) => recordedBytes)), `in ${counted(recordedFiles, 'finished file')}`],
    [roughBytes(sum(({ sentBytes }) => sentBytes)), `sent; ${counted(sentFiles, 'file')} arrived`],
    [costs.length === 0 ? 'not known' : `${cpu.toFixed(2)} %`, 'of one processor core, on average'],
  ];
  const items = facts.map(
    ([value, words]) => `<li class="tile"><b>${escaped(value)}</b><span>${escaped(words)}</span></li>`,
  );
  return `<ul class="tiles">${items.join('\n')}</ul>`;
}

/** What the page is made from, what it cannot show, and how anyone can check it. */
export function notes({ files, ledger, status }: ReportData): string {
  const closed =
    files.closed === 0
      ? 'every one of them could be opened'
      : `${counted(files.closed, 'file')} could not be opened, and their events are not on this page`;
  const chain = ledger.isSound
    ? `The ledger’s chain of ${groupedCount(ledger.entries)} entries is whole; its last hash is`
    : `The ledger’s chain is broken after ${groupedCount(ledger.entries)} entries; the last good hash is`;
  return `<footer>
<p><b>Where this comes from, and what it cannot show</b></p>
<ul>
<li>Events and keys: ${escaped(counted(files.read, 'file'))} still on this device, opened with your own key; ${escaped(closed)}. What was deleted here by age or by you is not in them, though the collector may still have it.</li>
<li>When it recorded and what that cost: the daemon’s own history, a month of it. Where the daemon ended without a word, or before it kept one, the state is not known.</li>
<li>Bytes: the ledger and the list of what was sent. ${escaped(chain)} <code>${escaped(ledger.head)}</code>.</li>
<li>To check it yourself: <code>telemetryctl log verify</code>, <code>telemetryctl inspect --events</code>, <code>telemetryctl log</code>. The files lie in <code>${escaped(status.daemon.stateDir)}</code>.</li>
</ul>
</footer>`;
}
