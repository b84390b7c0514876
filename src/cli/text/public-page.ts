import type { PublicStatus } from '../../core/status.ts';
import { STATE_WORDS } from './state-words.ts';

/** What `telemetryctl status` prints for an account whose input it is not. */
export function publicPage({ daemon, collection }: PublicStatus): string {
  return (
    `telemetryd ${daemon.version}: ${STATE_WORDS[collection.state].words}.\n` +
    'It records the input of another account, which alone sees more. You may pause it: telemetryctl pause 30m\n'
  );
}
