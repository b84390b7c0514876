import type { CaptureResult, CaptureRow } from './capture.ts';

/** What the columns mean, for the top of the output. */
export const LEGEND = `CPU: user + system time over the events that were made. Wakeups: voluntary context switches of all
threads. Memory: private (RssAnon) and proportional (PSS). Ratio: CPU against xinput test-xi2 at the
same rate. The pointer moves over a window that wants motion, as over an application. telemetryd is
the daemon and its capture process together, as shipped: mouse_hz 125, a journal block every 5 s.`;

const PEER = 'xinput test-xi2 --root';
const OURS = 'telemetryd, to the journal';

/** One line for each contender and rate, at most 100 characters wide. */
export function captureTable({ rows, missing }: CaptureResult): string {
  const head = line('', ['Hz', 'CPU µs/event', 'ratio', 'wakeups/s', 'RssAnon MB', 'PSS MB']);
  return [
    head,
    ...rows.map((row) =>
      line(row.name, [
        String(row.hz),
        row.cpuUsPerEvent.toFixed(1),
        ratio(rows, row)?.toFixed(2) ?? '-',
        row.wakeupsPerSecond.toFixed(1),
        (row.anonKb / 1024).toFixed(1),
        (row.pssKb / 1024).toFixed(1),
      ]),
    ),
    ...missing.map((what) => `left out: ${what}`),
  ].join('\n');
}

/** The aims, each with what was reached. */
export function aimLines(result: CaptureResult): string[] {
  const { rows, memory, idleSwitchesPerMinute, injected, counted } = result;
  const at = (hz: number): CaptureRow | undefined => rows.find((row) => row.name === OURS && row.hz === hz);
  const [fast, slow] = [at(1000), at(125)];
  const aims: [string, number | undefined | null, number][] = [
    ['CPU at 1000 Hz against xinput', fast && ratio(rows, fast), 0.2],
    ['CPU at 125 Hz against xinput', slow && ratio(rows, slow), 0.7],
    ['wakeups/s at 1000 Hz', fast?.wakeupsPerSecond, 25],
    ['idle wakeups a minute, all processes', idleSwitchesPerMinute, 8],
    ['daemon RssAnon MB', memory[0] && memory[0].anonKb / 1024, 20],
    ['capture process RssAnon MB', memory[1] && memory[1].anonKb / 1024, 12],
  ];
  return [
    ...aims.map(([what, reached, limit]) => {
      if (reached === undefined || reached === null) return `${what}: not measured (aim ${limit})`;
      return `${what}: ${reached.toFixed(2)} (aim ${limit}${reached <= limit ? '' : ', MISSED'})`;
    }),
    `of ${injected} events made, ${counted} were recorded or thinned`,
  ];
}

function ratio(rows: readonly CaptureRow[], row: CaptureRow): number | undefined {
  const peer = rows.find(({ name, hz }) => name === PEER && hz === row.hz);
  return peer && row.cpuUsPerEvent / peer.cpuUsPerEvent;
}

function line(name: string, cells: readonly string[]): string {
  const widths = [6, 14, 8, 11, 12, 9];
  return (name.padEnd(28) + cells.map((cell, i) => cell.padStart(widths[i] ?? 0)).join('')).trimEnd();
}
