import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Desk, Program } from '../test/e2e/desk.ts';
import { type ContenderKind, contenders, pipeline } from './capture-contenders.ts';
import { type Usage, usageOf } from './capture-cost.ts';
import { aimLines, captureTable, LEGEND } from './capture-table.ts';

/** How long each is measured, and at what rates. */
export interface CaptureEffort {
  readonly rates: readonly number[];
  /** Compilers and caches settle before it counts. */
  readonly warmSeconds: number;
  readonly seconds: number;
  /** Without input; 0 leaves it out. */
  readonly idleSeconds: number;
}

const EFFORT: CaptureEffort = { rates: [125, 500, 1000], warmSeconds: 3, seconds: 8, idleSeconds: 60 };
/** Silence after which nothing is on its way any more: the last batch, a flush and a settled heap. */
const SETTLE_MS = 12_000;

/** One contender at one rate. */
export interface CaptureRow {
  readonly name: string;
  readonly hz: number;
  readonly cpuUsPerEvent: number;
  readonly wakeupsPerSecond: number;
  readonly anonKb: number;
  readonly pssKb: number;
}

export interface CaptureResult {
  readonly rows: readonly CaptureRow[];
  readonly missing: readonly string[];
  /** Of each of our processes, the daemon first. */
  readonly memory: readonly Usage[];
  /** Of all our processes without input; `null` when it was not measured. */
  readonly idleSwitchesPerMinute: number | null;
  /** Events injected while the pipeline ran, and those it counted. */
  readonly injected: number;
  readonly counted: number;
}

/**
 * What capture costs beside its peers: CPU per event, wakeups and memory, on one X server, one after the other, at exact
 * rates from a driver that is none of them. `--json` prints one object, `--quick` measures a second each.
 */
export async function run(args: readonly string[]): Promise<void> {
  const effort = args.includes('--quick')
    ? { rates: [1000], warmSeconds: 1, seconds: 1, idleSeconds: 0 }
    : EFFORT;
  const result = await measureCapture(contenders(), effort);
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown' };
  if (args.includes('--json')) {
    console.log(JSON.stringify({ schema: 1, ...machine, ...result }, null, 2));
    return;
  }
  console.log(`Node ${machine.node}, ${machine.cpu}\n\n${LEGEND}\n`);
  console.log([captureTable(result), '', ...aimLines(result)].join('\n'));
}

export async function measureCapture(
  { kinds, missing }: { readonly kinds: readonly ContenderKind[]; readonly missing: readonly string[] },
  effort: CaptureEffort,
): Promise<CaptureResult> {
  const desk = new Desk();
  const rows: CaptureRow[] = [];
  let memory: Usage[] = [];
  let idleSwitchesPerMinute: number | null = null;
  let [injected, counted] = [0, 0];
  try {
    await desk.startDisplay();
    for (const kind of kinds) {
      const contender = await kind.start(desk);
      for (const hz of effort.rates) {
        const events = (effort.warmSeconds + effort.seconds + 1) * hz;
        const driver = drive(desk, hz, effort.warmSeconds + effort.seconds + 1);
        await driver.hasBegun;
        await sleep(effort.warmSeconds * 1000);
        const before = usageOf(contender.pids);
        const startedMs = performance.now();
        await sleep(effort.seconds * 1000);
        const seconds = (performance.now() - startedMs) / 1000;
        rows.push(row(kind.name, hz, seconds, before, usageOf(contender.pids)));
        await driver.program.exited;
        if (kind === pipeline) injected += events;
      }
      if (kind === pipeline) {
        await sleep(2500);
        counted = (await contender.count()) ?? 0;
        memory = contender.pids.map((pid) => usageOf([pid]));
        if (effort.idleSeconds > 0) idleSwitchesPerMinute = await idle(contender.pids, effort.idleSeconds);
      }
      await contender.stop();
    }
  } finally {
    await desk.close();
  }
  return { rows, missing, memory, idleSwitchesPerMinute, injected, counted };
}

async function idle(pids: readonly number[], seconds: number): Promise<number> {
  await sleep(SETTLE_MS);
  const before = usageOf(pids).switches;
  await sleep(seconds * 1000);
  return ((usageOf(pids).switches - before) * 60) / seconds;
}

function drive(desk: Desk, hz: number, seconds: number): { program: Program; hasBegun: Promise<void> } {
  const program = new Program(
    process.execPath,
    [`${import.meta.dirname}/capture-driver.ts`, desk.display.name, String(hz), String(seconds)],
    {},
  );
  const hasBegun = new Promise<void>((resolve) => program.child.stdout?.once('data', () => resolve()));
  return { program, hasBegun };
}

function row(name: string, hz: number, seconds: number, before: Usage, after: Usage): CaptureRow {
  return {
    name,
    hz,
    cpuUsPerEvent: (after.cpuUs - before.cpuUs) / (hz * seconds),
    wakeupsPerSecond: (after.switches - before.switches) / seconds,
    anonKb: after.anonKb,
    pssKb: after.pssKb,
  };
}
