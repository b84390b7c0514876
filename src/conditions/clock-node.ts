import { readFileSync } from 'node:fs';
import os from 'node:os';
import type { Clock, Instant } from '../core/clock.ts';

/**
 * The machine's clocks. `os.uptime()` is libuv's `uv_uptime`: seconds on `CLOCK_BOOTTIME`, sleep included.
 * `process.hrtime` is `CLOCK_MONOTONIC` on Linux, the clock that X servers and the input layer stamp events with.
 */
export class SystemClock implements Clock {
  readonly bootId = readBootId();

  now(): Instant {
    return {
      wallMs: Date.now(),
      bootMs: os.uptime() * 1000,
      monoMs: Number(process.hrtime.bigint() / 1000n) / 1000,
    };
  }
}

/** Linux names each boot; elsewhere the moment of boot, to the minute, stands for it. */
function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `boot-${Math.round((Date.now() / 1000 - os.uptime()) / 60)}`;
  }
}
