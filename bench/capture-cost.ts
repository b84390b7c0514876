import { readdirSync, readFileSync } from 'node:fs';

/** What processes have used up to now, and what they hold. */
export interface Usage {
  /** User and system time, microseconds, from the scheduler's own nanoseconds (`/proc/PID/task/TID/schedstat`). */
  readonly cpuUs: number;
  /** Voluntary context switches of all threads: how often something woke. */
  readonly switches: number;
  /** Kilobytes of private anonymous memory, and of all memory with shared pages divided among those who share. */
  readonly anonKb: number;
  readonly pssKb: number;
}

/** The sum over some processes, of threads that live. */
export function usageOf(pids: readonly number[]): Usage {
  return pids.map(usage).reduce((a, b) => ({
    cpuUs: a.cpuUs + b.cpuUs,
    switches: a.switches + b.switches,
    anonKb: a.anonKb + b.anonKb,
    pssKb: a.pssKb + b.pssKb,
  }));
}

function usage(pid: number): Usage {
  const folder = `/proc/${pid}/task`;
  let cpuUs = 0;
  let switches = 0;
  for (const thread of readdirSync(folder)) {
    cpuUs += Number(readFileSync(`${folder}/${thread}/schedstat`, 'latin1').split(' ')[0]) / 1000;
    switches += field(readFileSync(`${folder}/${thread}/status`, 'latin1'), 'voluntary_ctxt_switches');
  }
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return { cpuUs, switches, anonKb: field(status, 'RssAnon'), pssKb: field(memory, 'Pss') };
}

function field(text: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]);
}
