import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { StatusReport } from '../core/status.ts';

interface Reading {
  readonly cpuSeconds: number;
  readonly switches: number;
}

/** What was used since the start, and the memory now. */
export interface CostTotals extends Reading {
  readonly rssBytes: number;
}

interface Sample extends Reading {
  readonly bootMs: number;
}

/** Percentages and rates are over this long a window; one sample a minute is kept. */
const WINDOW_MS = 3_600_000;

/**
 * What the daemon and its capture child cost: CPU (user and system), wakeups (voluntary context switches, each one a
 * moment the processor had to come back for us) and resident memory. The child's own readings come from `/proc`,
 * elsewhere than on Linux it is left out. What a child used before it died is kept in the total.
 */
export class CostMeter {
  readonly #clock: Clock;
  readonly #childPid: () => number | null;
  readonly #samples: Sample[] = [];
  #pid: number | null = null;
  #child: Reading = { cpuSeconds: 0, switches: 0 };
  #past: Reading = { cpuSeconds: 0, switches: 0 };

  constructor(clock: Clock, childPid: () => number | null) {
    this.#clock = clock;
    this.#childPid = childPid;
  }

  /** Called on every heartbeat. */
  sample(): void {
    const reading = this.#read();
    const bootMs = this.#clock.now().bootMs;
    this.#samples.push({ ...reading, bootMs });
    while (this.#samples.length > 2 && bootMs - (this.#samples[0]?.bootMs ?? 0) > WINDOW_MS)
      this.#samples.shift();
  }

  /** The part of the status report that the meter knows. */
  report(): Pick<StatusReport['cost'], 'cpuSeconds' | 'cpuPercent' | 'wakeupsPerMinute' | 'rssBytes'> {
    const reading = this.#read();
    const since = this.#samples[0];
    const elapsedMs = since === undefined ? 0 : this.#clock.now().bootMs - since.bootMs;
    const isMeasured = since !== undefined && elapsedMs > 0;
    return {
      cpuSeconds: round(reading.cpuSeconds, 3),
      cpuPercent: isMeasured ? round(((reading.cpuSeconds - since.cpuSeconds) / elapsedMs) * 100_000, 3) : 0,
      wakeupsPerMinute: isMeasured ? round(((reading.switches - since.switches) / elapsedMs) * 60_000, 1) : 0,
      rssBytes: this.#rssBytes(),
    };
  }

  /** Everything since the start. */
  totals(): CostTotals {
    return { ...this.#read(), rssBytes: this.#rssBytes() };
  }

  #rssBytes(): number {
    return process.memoryUsage.rss() + childRssBytes(this.#pid);
  }

  #read(): Reading {
    const pid = this.#childPid();
    if (pid !== this.#pid) {
      this.#past = add(this.#past, this.#child);
      this.#pid = pid;
      this.#child = { cpuSeconds: 0, switches: 0 };
    }
    this.#child = readChild(pid) ?? this.#child;
    const own = process.resourceUsage();
    const mine = {
      cpuSeconds: (own.userCPUTime + own.systemCPUTime) / 1e6,
      switches: own.voluntaryContextSwitches,
    };
    return add(add(mine, this.#past), this.#child);
  }
}

function add(a: Reading, b: Reading): Reading {
  return { cpuSeconds: a.cpuSeconds + b.cpuSeconds, switches: a.switches + b.switches };
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** Linux's `USER_HZ`: ticks a second of the times in `/proc/<pid>/stat`; 100 on every architecture Node runs on. */
const TICKS_PER_SECOND = 100;

function readChild(pid: number | null): Reading | undefined {
  const stat = readProc(pid, 'stat');
  if (stat === undefined) return undefined;
  // proc(5): utime and stime are fields 14 and 15; the command (field 2) may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    switches: threadsOf(pid).reduce(
      (sum, thread) => sum + numberIn(readProc(pid, `task/${thread}/status`), SWITCHES),
      0,
    ),
  };
}

const SWITCHES = /^voluntary_ctxt_switches:\s+(\d+)/m;
const RESIDENT_KIB = /^VmRSS:\s+(\d+) kB/m;

function childRssBytes(pid: number | null): number {
  return numberIn(readProc(pid, 'status'), RESIDENT_KIB) * 1024;
}

function numberIn(text: string | undefined, pattern: RegExp): number {
  return Number(pattern.exec(text ?? '')?.[1] ?? 0);
}

function threadsOf(pid: number | null): string[] {
  try {
    return pid === null ? [] : readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readProc(pid: number | null, file: string): string | undefined {
  if (pid === null) return undefined;
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
