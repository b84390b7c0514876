import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Measured, putForAWhile, type Server, startServer } from './collector-load.ts';

/** Both servers, side by side. */
export interface PutComparison {
  readonly connections: number;
  readonly plain: Measured;
  readonly collector: Measured;
  /** Median of the ratios of neighbouring seconds: whatever else the disk does hits both. */
  readonly ratio: number;
  /** User and system time of the server, per PUT. */
  readonly cpuMs: { readonly plain: number; readonly collector: number };
}

const ROOT = join(import.meta.dirname, '..');
const CONNECTIONS = 32;
const BODY_BYTES = 100_000;
const SLICE_MS = 1000;
const PAIRS = 15;

/** The collector as it is shipped against a plain server that makes the same bodies as durable, in turns. */
export async function comparePuts(folder: string): Promise<PutComparison> {
  const folders = { plain: join(folder, 'plain'), collector: join(folder, 'collector') };
  for (const path of Object.values(folders)) mkdirSync(path);
  const plain = await startServer(process.execPath, [
    join(import.meta.dirname, 'collector-plain-child.ts'),
    folders.plain,
  ]);
  const collector = await startCollector(folders.collector);
  const runs = { plain: [] as Measured[], collector: [] as Measured[] };
  const cpuMs = { plain: 0, collector: 0 };
  try {
    const measure = async (name: 'plain' | 'collector', { url, pid }: Server): Promise<void> => {
      const before = cpuMsOf(pid);
      runs[name].push(await putForAWhile(url, CONNECTIONS, BODY_BYTES, SLICE_MS));
      cpuMs[name] += cpuMsOf(pid) - before;
    };
    for (const { url } of [plain, collector]) await putForAWhile(url, CONNECTIONS, BODY_BYTES, SLICE_MS);
    for (let pair = 0; pair < PAIRS; pair++) {
      if (pair % 2 === 0) await measure('plain', plain);
      await measure('collector', collector);
      if (pair % 2 === 1) await measure('plain', plain);
    }
  } finally {
    await Promise.all([plain.stop(), collector.stop()]);
  }
  const ratios = runs.collector.map((of, at) => of.perSecond / (runs.plain[at]?.perSecond ?? Number.NaN));
  const puts = (of: readonly Measured[]): number => of.reduce((sum, run) => sum + run.puts, 0);
  return {
    connections: CONNECTIONS,
    plain: medianOf(runs.plain),
    collector: medianOf(runs.collector),
    ratio: median(ratios),
    cpuMs: {
      plain: cpuMs.plain / puts(runs.plain),
      collector: cpuMs.collector / puts(runs.collector),
    },
  };
}

/** The collector as it is shipped, with no limit on a rate: every connection here is one device at full speed. */
export function startCollector(dataDir: string, more: readonly string[] = []): Promise<Server> {
  const options = ['serve', '--data', dataDir, '--listen', '127.0.0.1:0', '--device-rate', '100000'];
  return startServer(join(ROOT, 'bin/telemetry-collector'), [...options, '--total-rate', '100000', ...more]);
}

/** Ticks of proc(5), of which Linux has a hundred a second. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function medianOf(runs: readonly Measured[]): Measured {
  const of = (read: (run: Measured) => number): number => median(runs.map(read));
  return {
    puts: of((run) => run.puts),
    perSecond: of((run) => run.perSecond),
    medianMs: of((run) => run.medianMs),
    p99Ms: of((run) => run.p99Ms),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
