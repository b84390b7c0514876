import type { PauseReply, PauseRequest } from '../control/protocol.ts';
import { formatDuration } from '../core/duration.ts';
import { TelemetryError } from '../core/errors.ts';
import { type Pause, restorePause, startPause } from '../core/pause.ts';
import { decodeLastGood } from '../policy/last-good.ts';
import { ensureFolder } from '../spool/durable-file.ts';
import { readPauses, writePauses } from '../spool/pauses-file.ts';
import { restingPlaceToChange } from './daemon.ts';
import type { CliIo } from './io.ts';
import { decoded } from './state-files.ts';

/** Where no policy says otherwise: the default of `pause.max`. */
const DEFAULT_MAX_MS = 30 * 60_000;

/**
 * Pauses a daemon that is down, by the file it reads at its start. Refuses with `limit` what the last good policy does
 * not allow. Replaces the person's own pause only.
 */
export function pauseAtRest(io: CliIo, { durationMs, reason }: PauseRequest): PauseReply {
  const { stateDir } = restingPlaceToChange(io);
  const maxMs = maxPauseMs(stateDir);
  if (durationMs > maxMs) {
    const limit = formatDuration(maxMs);
    throw new TelemetryError('limit', `A pause is at most ${limit} by the policy (pause.max).`, {
      op: 'pause',
      hint: `telemetryctl pause ${limit}`,
    });
  }
  ensureFolder(stateDir, true);
  const pause = startPause('person', durationMs, reason ?? '', io.clock);
  writePauses(stateDir, [...otherPauses(stateDir, io), pause]);
  return { until: new Date(pause.untilWallMs).toISOString(), remainingMs: durationMs };
}

/** Ends the person's pause, and every other, of a daemon that is down; how many there were. */
export function resumeAtRest(io: CliIo): number {
  const { stateDir } = restingPlaceToChange(io);
  const read = readPauses(stateDir);
  if (read.kind !== 'ok') return 0;
  const standing = read.value.filter((pause) => restorePause(pause, io.clock) !== undefined);
  writePauses(stateDir, []);
  return standing.length;
}

function otherPauses(stateDir: string, io: CliIo): Pause[] {
  const read = readPauses(stateDir);
  if (read.kind !== 'ok') return [];
  return read.value.filter(
    (pause) => pause.requester !== 'person' && restorePause(pause, io.clock) !== undefined,
  );
}

function maxPauseMs(stateDir: string): number {
  return decoded(stateDir, 'policy-last-good.json', decodeLastGood)?.policy.pause.maxMs ?? DEFAULT_MAX_MS;
}
