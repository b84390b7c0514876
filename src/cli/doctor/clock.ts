import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../../core/duration.ts';
import { type Check, ok, skipped, warn } from './check.ts';
import type { Collector } from './collector.ts';
import type { Patient } from './patient.ts';

/** Requests are signed with a time that a collector takes when it is less than five minutes off. */
const MOST_MS = 5 * 60_000;

const FIX = 'timedatectl set-ntp true (macOS: sudo sntp -sS time.apple.com)';

/** Whether this machine's clock agrees with the collector's, or at least is not behind what was written already. */
export function clock({ io, stateDir }: Patient, answer: Collector): Check {
  const { wallMs } = io.clock.now();
  const dateWallMs = answer.kind === 'answered' ? answer.reply.dateWallMs : null;
  if (dateWallMs !== null) {
    const offMs = dateWallMs - wallMs;
    if (Math.abs(offMs) > MOST_MS)
      return warn(
        'clock',
        `It is ${formatDuration(Math.abs(offMs))} ${offMs > 0 ? 'behind' : 'ahead of'} the collector’s.`,
        FIX,
      );
    return ok('clock', 'It agrees with the collector’s.');
  }
  const newestMs = newest(stateDir);
  if (newestMs === null)
    return skipped(
      'clock',
      'There is nothing here to compare it with.',
      'telemetryctl doctor --online compares it with the collector’s',
    );
  if (newestMs - wallMs > MOST_MS)
    return warn(
      'clock',
      `It was set back: a file of telemetryd is from ${formatDuration(newestMs - wallMs)} in the future.`,
      FIX,
    );
  return ok('clock', 'It is not behind what was written before.');
}

/** The last write in the folder, `null` when none can be seen. */
function newest(folder: string): number | null {
  try {
    const times = readdirSync(folder).map(
      (name) => statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    );
    return times.length === 0 ? null : Math.max(...times);
  } catch {
    return null;
  }
}
