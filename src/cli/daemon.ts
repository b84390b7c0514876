import { accessSync, constants, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { candidates, type Locations, locations } from '../control/locations.ts';
import { TelemetryError } from '../core/errors.ts';
import type { CliIo } from './io.ts';

/**
 * Asks the first daemon that answers: by the environment, then the person's own, then the system's. Rejects with
 * `daemon-down` when none does, and with whatever else `ask` rejects with.
 */
export async function askDaemon<Answer>(
  io: CliIo,
  ask: (socketPath: string) => Promise<Answer>,
): Promise<Answer> {
  let down: unknown;
  for (const { socketPath } of candidates(io.around)) {
    try {
      return await ask(socketPath);
    } catch (error) {
      // A system daemon behind a closed folder is nobody's to ask: the person's own one, looked for before, is down.
      const isClosed = down !== undefined && isNotPermitted(error) && !canEnter(dirname(socketPath));
      if (!isDaemonDown(error) && !isClosed) throw error;
      down ??= error;
    }
  }
  throw down;
}

/** Whether this is the error of {@link askDaemon} when no daemon answers. */
export function isDaemonDown(error: unknown): boolean {
  return error instanceof TelemetryError && error.code === 'daemon-down';
}

/** Where the daemon that is down keeps its files: the first place that exists, else where one would make them. */
export function restingPlace(io: CliIo): Locations {
  const isOurs = ({ stateDir, kind }: Locations): boolean =>
    existsSync(stateDir) && (kind !== 'system' || canEnter(stateDir));
  return candidates(io.around).find(isOurs) ?? locations(io.around);
}

/**
 * As {@link restingPlace}, to change something there. The system service keeps everyone's files where nobody but it
 * comes: while it is down nothing can be promised in its name.
 */
export function restingPlaceToChange(io: CliIo): Locations {
  const place = restingPlace(io);
  const service = candidates(io.around).find(({ kind }) => kind === 'system');
  // Root may have run a daemon of its own there, which has no folders for people.
  const isServices =
    place.kind === 'system'
      ? existsSync(join(place.stateDir, 'nobody'))
      : service !== undefined && !existsSync(place.stateDir) && existsSync(service.stateDir);
  if (!isServices) return place;
  throw new TelemetryError(
    'daemon-down',
    'The system service is not running, and only it may change its files.',
    {
      op: 'change resting files',
      hint: 'sudo systemctl start telemetryd.service, then this again; nothing is recorded meanwhile',
    },
  );
}

function isNotPermitted(error: unknown): boolean {
  return error instanceof TelemetryError && error.code === 'not-permitted';
}

function canEnter(folder: string): boolean {
  try {
    accessSync(folder, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where the person's own preferences lie, whether there are any yet or not. */
export function preferencesPlace(io: CliIo): string {
  const found = candidates(io.around).find(({ preferencesPath }) => preferencesPath !== null);
  if (found?.preferencesPath !== undefined && found.preferencesPath !== null) return found.preferencesPath;
  throw new TelemetryError('failed', 'There is no place for preferences of your own here.', {
    hint: 'set HOME or XDG_CONFIG_HOME',
  });
}
