import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ControlServer } from '../src/control/server.ts';
import { bundle } from '../test/cli/bundle.ts';
import { ALONE, handlers, keepingLog } from '../test/control/reports.ts';

const PAIRS = 41;
/** The first runs fill the compile cache and the page cache. */
const WARM_UPS = 3;
const LIMIT = 1.6;

interface Cost {
  readonly cpuMs: number;
  readonly wallMs: number;
}

/**
 * `telemetryctl status --json` against `node -e 0`, in alternating pairs, so that whatever else the machine does hits
 * both. User and system time are the process's own, by bash's `time`.
 */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-cli-'));
  const server = new ControlServer(join(folder, 'run', 'control.sock'), handlers(), ALONE, keepingLog().log);
  try {
    await server.start();
    const dist = join(folder, 'dist');
    mkdirSync(dist);
    const { program } = await bundle(dist);
    const env = { ...process.env, TELEMETRYD_STATE_DIR: folder };
    const node = process.execPath;
    const status = ['--disable-sigusr1', program, 'status', '--json'];
    for (let i = 0; i < WARM_UPS; i++) await measure([node, ...status], env);
    const bare: Cost[] = [];
    const ours: Cost[] = [];
    for (let i = 0; i < PAIRS; i++) {
      bare.push(await measure([node, '-e', '0'], env));
      ours.push(await measure([node, ...status], env));
    }
    report(bare, ours);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function measure(command: readonly string[], env: NodeJS.ProcessEnv): Promise<Cost> {
  const script = 'TIMEFORMAT="%3U %3S %3R"; time "$@" >/dev/null';
  const { stderr } = await promisify(execFile)('bash', ['-c', script, 'bench', ...command], { env });
  const [user = 0, system = 0, wall = 0] = stderr.trim().split(' ').map(Number);
  return { cpuMs: (user + system) * 1000, wallMs: wall * 1000 };
}

function report(bare: readonly Cost[], ours: readonly Cost[]): void {
  console.log(
    `${PAIRS} alternating pairs, medians; Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}`,
  );
  console.log('                 node -e 0   status --json   ratio of medians   median of ratios');
  for (const [label, of] of [
    ['user + sys, ms', (cost: Cost): number => cost.cpuMs],
    ['wall, ms      ', (cost: Cost): number => cost.wallMs],
  ] as const) {
    const before = median(bare.map(of));
    const after = median(ours.map(of));
    const ratios = ours.map((cost, i) => of(cost) / of(bare[i] ?? cost));
    console.log(
      `${label}   ${before.toFixed(1).padStart(9)}   ${after.toFixed(1).padStart(13)}   ${(after / before).toFixed(2).padStart(16)}   ${median(ratios).toFixed(2).padStart(16)}`,
    );
  }
  const ratio = median(ours.map(({ cpuMs }) => cpuMs)) / median(bare.map(({ cpuMs }) => cpuMs));
  console.log(ratio <= LIMIT ? `within the aim of ${LIMIT}` : `over the aim of ${LIMIT}`);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
