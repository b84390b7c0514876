import { axis, type Bar, barRow, bars, legend } from './charts.ts';
import { clockLabel, dayLabel, hoursLabel } from './days.ts';
import type { ReportData } from './gather.ts';
import { folded, paragraph, section, table } from './html.ts';
import type { ReportState, Stretch } from './states.ts';

/** In the order of the legend; the height tells them apart where colours do not. */
const STATES: readonly { readonly state: ReportState; readonly words: string; readonly height: number }[] = [
  { state: 'capturing', words: 'recorded', height: 1 },
  { state: 'paused', words: 'paused', height: 0.6 },
  { state: 'exempt', words: 'exempt', height: 0.6 },
  { state: 'locked', words: 'screen locked', height: 0.3 },
  { state: 'awaiting-consent', words: 'no consent', height: 0.3 },
  { state: 'blocked', words: 'blocked', height: 0.3 },
  { state: 'asleep', words: 'computer asleep', height: 0.12 },
  { state: 'stopped', words: 'not running', height: 0.12 },
  { state: 'unknown', words: 'not known', height: 0 },
];

/** How long one was in a state, in the whole time. */
export function lengthOf(stretches: readonly Stretch[], state: ReportState): number {
  return stretches
    .filter((stretch) => stretch.state === state)
    .reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
}

export function statesSection({ stretches, days }: ReportData): string {
  const present = STATES.filter(({ state }) => lengthOf(stretches, state) > 0);
  const rows = days.map(({ day }) => {
    const within = stretches.flatMap((stretch) => {
      const fromMs = Math.max(stretch.fromMs, day.startMs);
      const toMs = Math.min(stretch.toMs, day.endMs);
      return toMs > fromMs ? [{ ...stretch, fromMs, toMs }] : [];
    });
    const recordedMs = lengthOf(within, 'capturing');
    const share = (at: number): number => (at - day.startMs) / (day.endMs - day.startMs);
    const list = within.flatMap(({ fromMs, toMs, state }): Bar[] => {
      const height = STATES.find((known) => known.state === state)?.height ?? 0;
      if (height === 0) return [];
      return [{ from: share(fromMs), to: share(toMs), height, className: `s-${state}` }];
    });
    const words = recordedMs === 0 ? 'not recorded' : `recorded for ${hoursLabel(recordedMs)}`;
    const value = recordedMs === 0 ? 'none' : hoursLabel(recordedMs);
    return barRow(day.label, bars(list, { label: `${day.label}: ${words}` }), value);
  });
  const changes = stretches
    .toReversed()
    .map(({ fromMs, toMs, state }) => [
      `${dayLabel(fromMs)}, ${clockLabel(fromMs)}`,
      clockLabel(toMs),
      hoursLabel(toMs - fromMs),
      STATES.find((known) => known.state === state)?.words ?? state,
    ]);
  return section(
    'states',
    'When it recorded, and when not',
    paragraph('Each line is a day from midnight to midnight; full height is time in which it recorded.'),
    legend(
      present.map(({ state, words }) => ({
        className: `s-${state}`,
        text: `${words}, ${hoursLabel(lengthOf(stretches, state))}`,
      })),
    ),
    ...rows,
    axis(['0:00', '6:00', '12:00', '18:00', '24:00']),
    folded(
      'Every change as a table',
      table('The latest first', ['From', 'To', 'For', 'State'], changes.slice(0, MAX_CHANGES)),
    ),
  );
}

/** Weeks of a person who locks the screen twenty times a day. */
const MAX_CHANGES = 500;
