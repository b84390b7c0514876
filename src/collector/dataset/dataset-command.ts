import { counted, groupedCount } from '../../core/amounts.ts';
import { TelemetryError } from '../../core/errors.ts';
import { DatasetFolder } from './dataset-folder.ts';
import type { DatasetSource } from './dataset-source.ts';
import { DatasetWriterProcess } from './dataset-writer-node.ts';
import { type DatasetSummary, makeDataset } from './make-dataset.ts';

/** What `dataset` was asked to do. */
export interface DatasetRun {
  readonly source: DatasetSource;
  readonly outDir: string;
  readonly identityFiles: readonly string[];
  readonly isJson: boolean;
  readonly stop: AbortSignal;
}

/** Where it tells of that. */
export interface DatasetOutput {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Standard error is a terminal. */
  readonly hasProgress: boolean;
}

/** Often enough to be seen moving. */
const SHOWN_EACH = 10;

/** Runs it, and throws `partly` when segments had to be left out. */
export async function runDataset(run: DatasetRun, { out, err, hasProgress }: DatasetOutput): Promise<void> {
  const { source, outDir, identityFiles, stop, isJson } = run;
  const folder = new DatasetFolder(outDir);
  const writer = new DatasetWriterProcess(identityFiles);
  const clear = hasProgress ? '\r\u001b[K' : '';
  try {
    // First, so that a wrong identity changes nothing.
    await writer.start();
    await folder.start();
    const events = {
      progress: (done: number, of: number) => {
        if (!hasProgress || (done % SHOWN_EACH !== 0 && done !== of)) return;
        err(
          `${clear}${Math.floor((100 * done) / Math.max(1, of))} %  ${groupedCount(done)} of ${counted(of, 'segment')}`,
        );
      },
      skipped: ({ device, segment }: { device: string; segment: string }, why: string) =>
        err(`${clear}telemetry-collector: ${device}/${segment}: ${why}\n`),
    };
    const summary = await makeDataset({ source, folder, writer, events, stop });
    err(clear);
    out(isJson ? `${JSON.stringify({ schema: 1, ...summary }, null, 2)}\n` : textOf(summary, outDir));
    if (summary.skipped > 0)
      throw new TelemetryError(
        'partly',
        `${counted(summary.skipped, 'segment')} could not be made into tables`,
        {
          op: 'make the dataset',
          hint: 'another --identity for those that are closed; the next run tries them again',
        },
      );
  } finally {
    await writer.stop();
    await folder.stop();
  }
}

function textOf({ usable, added, kept, removed, events }: DatasetSummary, outDir: string): string {
  return (
    `${outDir}: ${counted(usable, 'segment')} may be used; ${groupedCount(added)} added ` +
    `(${counted(events, 'event')}), ${groupedCount(kept)} there before, ${groupedCount(removed)} removed\n`
  );
}
