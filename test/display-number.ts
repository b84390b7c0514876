import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';

/**
 * A display number for a test's own X server that no other one has, nor gets while this one is down: `-displayfd` and
 * `startx` count from 0.
 */
export function ownDisplayNumber(): number {
  for (;;) {
    const number = randomInt(1000, 50_000);
    if (!existsSync(`/tmp/.X11-unix/X${number}`)) return number;
  }
}
