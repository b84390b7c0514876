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

interface Sample {
  readonly daemon: Reading;
  readonly capture: Reading;
  readonly bootMs: number;
}

type ProcessCost = StatusReport['cost']['processes'][number];

/** Percentages and rates are over this long a window; one sample a heartbeat is kept. */
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
  #child: Reading = NOTHING;
  #past: Reading = NOTHING;

  constructor(clock: Clock, childPid: () => number | null) {
    this.#clock = clock;
    this.#childPid = childPid;
  }

  /** Called on every heartbeat; gives what was taken since the one before, as `SelfLimits` wants it. */
  sample(): { cpuFraction: number; rssBytes: number } {
    const now = this.#read();
    const before = this.#samples.at(-1) ?? now;
    this.#samples.push(now);
    while (this.#samples.length > 2 && now.bootMs - (this.#samples[0]?.bootMs ?? 0) > WINDOW_MS)
      this.#samples.shift();
    const used = sumOf(now).cpuSeconds - sumOf(before).cpuSeconds;
    const elapsedMs = now.bootMs - before.bootMs;
    return {
      cpuFraction: elapsedMs > 0 ? (1000 * used) / elapsedMs : 0,
      rssBytes: ownRssBytes() + childRssBytes(this.#pid),
    };
  }

  /** The part of the status report that the meter knows: all processes together, and each by itself. */
  report(): Omit<StatusReport['cost'], 'bytesPerActiveHour' | 'activeHours'> {
    const now = this.#read();
    const since = this.#samples[0] ?? now;
    const elapsedMs = now.bootMs - since.bootMs;
    const daemon = {
      pid: process.pid,
      ...costOf(now.daemon, since.daemon, elapsedMs),
      rssBytes: ownRssBytes(),
    };
    const capture = {
      pid: this.#pid,
      ...costOf(now.capture, since.capture, elapsedMs),
      rssBytes: childRssBytes(this.#pid),
    };
    return {
      ...costOf(sumOf(now), sumOf(since), elapsedMs),
      rssBytes: daemon.rssBytes + capture.rssBytes,
      processes: [
        { name: 'daemon', ...daemon },
        { name: 'capture', ...capture },
      ],
    };
  }

  /** Everything since the start. */
  totals(): CostTotals {
    return { ...sumOf(this.#read()), rssBytes: ownRssBytes() + childRssBytes(this.#pid) };
  }

  #read(): Sample {
    const pid = this.#childPid();
    if (pid !== this.#pid) {
      this.#past = add(this.#past, this.#child);
      this.#pid = pid;
      this.#child = NOTHING;
    }
    this.#child = readChild(pid) ?? this.#child;
    const own = process.resourceUsage();
    return {
      daemon: {
        cpuSeconds: (own.userCPUTime + own.systemCPUTime) / 1e6,
        switches: own.voluntaryContextSwitches,
      },
      capture: add(this.#past, this.#child),
      bootMs: this.#clock.now().bootMs,
    };
  }
}

const NOTHING: Reading = { cpuSeconds: 0, switches: 0 };

function costOf(
  now: Reading,
  since: Reading,
  elapsedMs: number,
): Pick<ProcessCost, 'cpuSeconds' | 'cpuPercent' | 'wakeupsPerMinute'> {
  const isMeasured = elapsedMs > 0;
  return {
    cpuSeconds: round(now.cpuSeconds, 3),
    cpuPercent: isMeasured ? round(((now.cpuSeconds - since.cpuSeconds) / elapsedMs) * 100_000, 3) : 0,
    wakeupsPerMinute: isMeasured ? round(((now.switches - since.switches) / elapsedMs) * 60_000, 1) : 0,
  };
}

function sumOf({ daemon, capture }: Sample): Reading {
  return add(daemon, capture);
}

function ownRssBytes(): number {
  return process.memoryUsage.rss();
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
