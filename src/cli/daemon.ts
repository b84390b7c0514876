import { existsSync } from 'node:fs';
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
      if (!isDaemonDown(error)) throw error;
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
  return candidates(io.around).find((place) => existsSync(place.stateDir)) ?? locations(io.around);
}
