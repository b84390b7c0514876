import { groupedCount } from '../../core/amounts.ts';
import { escaped } from '../../core/markup.ts';
import type { Slot } from '../activity.ts';
import { keyName } from '../text/key-words.ts';
import { keyWords as modeWords } from '../text/state-words.ts';
import { barRow, bars, dayAxis, placeIn } from './charts.ts';
import { clockLabel, dayLabel } from './days.ts';
import type { ReportData } from './gather.ts';
import { folded, paragraph, section, table } from './html.ts';

const HOUR_MS = 3_600_000;

const KINDS = [
  { field: 'moves', words: 'Mouse moves' },
  { field: 'clicks', words: 'Clicks' },
  { field: 'notches', words: 'Scrolling' },
  { field: 'keys', words: 'Key presses' },
] as const;

export function activitySection({ activity, days }: ReportData): string {
  const hours = [...activity.slots].sort(([a], [b]) => a - b);
  const share = placeIn(days);
  const rows = KINDS.map(({ field, words }) => {
    const counts = hours.map(([, slot]) => slot[field]);
    const most = Math.max(1, ...counts);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const list = hours.map(([hour, slot]) => ({
      from: share(hour * HOUR_MS),
      to: share((hour + 1) * HOUR_MS),
      height: slot[field] / most,
      className: `k-${field}`,
    }));
    const label = `${words} by the hour: ${groupedCount(total)} in all, at most ${groupedCount(most)} in an hour`;
    const top =
      total === 0 ? 'none' : `tallest bar: ${groupedCount(most)} an hour; ${groupedCount(total)} in all`;
    return `<h3>${escaped(words)} <span class="soft">${escaped(top)}</span></h3>\n${bars(list, { label, className: 'tall' })}`;
  });
  const cells = ([hour, slot]: [number, Slot]): string[] => [
    `${dayLabel(hour * HOUR_MS)}, ${clockLabel(hour * HOUR_MS)}`,
    ...KINDS.map(({ field }) => groupedCount(slot[field])),
  ];
  const busy = hours.filter(([, slot]) => KINDS.some(({ field }) => slot[field] > 0)).toReversed();
  return section(
    'events',
    'Events per hour, by kind',
    paragraph('Each picture has a scale of its own, since the mouse moves a hundred times for every click.'),
    ...rows,
    dayAxis(days),
    folded(
      'Every hour as a table',
      table('The latest first', ['Hour', ...KINDS.map(({ words }) => words)], busy.map(cells)),
    ),
  );
}

export function keysSection({ activity, status }: ReportData): string {
  const tallies = [...activity.keys].map(([keyClass, { named, masked }]) => {
    const byName = [...named.values()].reduce((sum, count) => sum + count, 0);
    return { keyClass, masked, byName, named };
  });
  const rows = tallies
    .toSorted((a, b) => b.masked + b.byName - a.masked - a.byName)
    .map(({ keyClass, masked, byName }) => [keyClass, groupedCount(masked), groupedCount(byName)]);
  const total = tallies.reduce((sum, { masked, byName }) => sum + masked + byName, 0);
  const most = Math.max(1, ...tallies.map(({ masked, byName }) => masked + byName));
  const pictures = tallies.map(({ keyClass, masked, byName }) => {
    const all = masked + byName;
    const list = [
      { from: 0, to: masked / most, height: 1, className: 'k-keys' },
      { from: masked / most, to: all / most, height: 0.55, className: 'k-recorded' },
    ].filter(({ from, to }) => to > from);
    const label = `${keyClass}: ${groupedCount(masked)} as a class alone, ${groupedCount(byName)} by name`;
    return barRow(keyClass, bars(list, { label }), groupedCount(all));
  });
  const names = tallies.flatMap(({ named }) => [...named]).sort(([, a], [, b]) => b - a);
  const listed = names.map(([code, count]) => `${keyName(code)} (${groupedCount(count)})`).join(', ');
  const mode = `The policy in force keeps: ${modeWords(status.policy.keys)}.`;
  if (total === 0)
    return section('keys', 'What was kept of keys', paragraph(`${mode} No key press is in the files.`));
  return section(
    'keys',
    'What was kept of keys',
    paragraph(
      `${mode} A key kept as its class alone says that some key of that class was pressed, and not which.`,
    ),
    `<ul class="legend"><li><span class="swatch k-keys"></span>class alone</li><li><span class="swatch k-recorded"></span>by name (half height)</li></ul>`,
    ...pictures,
    table('Key presses by what was kept', ['Class', 'Class alone', 'By name'], rows),
    names.length === 0
      ? paragraph('No key was kept by name.')
      : `<p class="names"><b>Every name that was kept:</b> ${escaped(listed)}.</p>`,
  );
}
