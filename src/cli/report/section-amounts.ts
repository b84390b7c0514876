import { groupedCount, roughBytes } from '../../core/amounts.ts';
import { escaped } from '../../core/markup.ts';
import { barRow, bars, dayAxis, placeIn } from './charts.ts';
import { clockLabel, dayLabel } from './days.ts';
import type { ReportData } from './gather.ts';
import { folded, paragraph, section, table } from './html.ts';
import type { HourCost } from './states.ts';

const HOUR_MS = 3_600_000;

export function bytesSection({ days, status }: ReportData): string {
  const { budget, destination, sent: spent } = status.upload;
  const budgetWords =
    budget.dailyBytes > 0
      ? `The budget is ${roughBytes(budget.dailyBytes)} a day and ${roughBytes(budget.monthlyBytes)} a month, of which ${roughBytes(spent.monthBytes)} are spent.`
      : '';
  const where = destination === '' ? 'The policy in force names no collector.' : `It goes to ${destination}.`;
  const most = Math.max(1, ...days.map(({ recordedBytes }) => recordedBytes));
  const recorded = days.map(({ day, recordedBytes, recordedEvents }) => {
    const label = `${day.label}: ${roughBytes(recordedBytes)} recorded, ${groupedCount(recordedEvents)} events`;
    return barRow(
      day.label,
      bars(single(recordedBytes / most, 'k-recorded'), { label, className: 'thin' }),
      roughBytes(recordedBytes),
    );
  });
  const limit =
    budget.dailyBytes > 0 ? budget.dailyBytes : Math.max(1, ...days.map(({ sentBytes }) => sentBytes));
  const sent = days.map(({ day, sentBytes }) => {
    const share = sentBytes / limit;
    const label = `${day.label}: ${roughBytes(sentBytes)} sent, ${percent(share)} of the day’s budget`;
    const value =
      sentBytes === 0
        ? '0 B'
        : `${roughBytes(sentBytes)}${budget.dailyBytes > 0 ? `, ${percent(share)}` : ''}`;
    return barRow(day.label, bars(single(Math.min(1, share), 'k-sent'), { label, className: 'thin' }), value);
  });
  const rows = days
    .toReversed()
    .map((of) => [
      of.day.label,
      groupedCount(of.recordedEvents),
      `${roughBytes(of.recordedBytes)} in ${groupedCount(of.recordedFiles)}`,
      `${roughBytes(of.sentBytes)} in ${groupedCount(of.sentFiles)}`,
    ]);
  return section(
    'bytes',
    'Bytes recorded and sent, by day',
    paragraph(
      `Recorded is the size of finished files, by the day each was finished. Sent is what counts against the budget: both directions, failed attempts included. ${budgetWords} ${where}`,
    ),
    `<h3>Recorded <span class="soft">widest bar: ${escaped(roughBytes(most))}</span></h3>`,
    ...recorded,
    `<h3>Sent <span class="soft">${budget.dailyBytes > 0 ? 'the full width is the day’s budget' : 'widest bar: the most in a day'}</span></h3>`,
    ...sent,
    folded(
      'Every day as a table',
      table('Bytes in files; the latest first', ['Day', 'Events', 'Recorded', 'Sent'], rows),
    ),
  );
}

const COSTS = [
  {
    name: 'Processor',
    className: 'k-cpu',
    of: (cost: HourCost) => cost.cpuPercent,
    words: (value: number) => `${value.toFixed(value < 10 ? 2 : 0)} %`,
  },
  {
    name: 'Wakeups a minute',
    className: 'k-wakeups',
    of: (cost: HourCost) => cost.wakeupsPerMinute,
    words: (value: number) => value.toFixed(value < 10 ? 1 : 0),
  },
  { name: 'Memory', className: 'k-memory', of: (cost: HourCost) => cost.rssBytes, words: roughBytes },
] as const;

export function costSection({ costs, days }: ReportData): string {
  if (costs.length === 0) {
    return section(
      'cost',
      'What it cost',
      paragraph('Nothing is known yet: costs are written down every quarter of an hour.'),
    );
  }
  const share = placeIn(days);
  const rows = COSTS.flatMap(({ name, className, of, words }) => {
    const values = costs.map(of);
    const most = Math.max(...values);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const list = costs.map((cost) => ({
      from: share(cost.hour * HOUR_MS),
      to: share((cost.hour + 1) * HOUR_MS),
      height: most === 0 ? 0 : of(cost) / most,
      className,
    }));
    const text = `${words(mean)} on average, ${words(most)} in the highest hour`;
    return [
      `<h3>${escaped(name)} <span class="soft">${escaped(text)}</span></h3>`,
      bars(list, { label: `${name} by the hour: ${text}`, className: 'tall' }),
    ];
  });
  const cells = (cost: HourCost): string[] => [
    `${dayLabel(cost.hour * HOUR_MS)}, ${clockLabel(cost.hour * HOUR_MS)}`,
    ...COSTS.map(({ of, words }) => words(of(cost))),
  ];
  return section(
    'cost',
    'What it cost',
    paragraph(
      'Of the daemon and its capture process together, by the hour. Processor is the share of one core; a wakeup is a moment the processor had to come back for them; memory is what both hold, shared libraries counted twice.',
    ),
    ...rows,
    dayAxis(days),
    folded(
      'Every hour as a table',
      table('The latest first', ['Hour', ...COSTS.map(({ name }) => name)], costs.toReversed().map(cells)),
    ),
  );
}

function single(share: number, className: string) {
  return share <= 0 ? [] : [{ from: 0, to: share, height: 1, className }];
}

function percent(share: number): string {
  const value = share * 100;
  return value > 0 && value < 0.1 ? 'under 0.1 %' : `${value.toFixed(value < 10 ? 1 : 0)} %`;
}
