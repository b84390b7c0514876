import { createInterface } from 'node:readline';
import type { DatasetAnswer, DatasetJob } from '../core/dataset-job.ts';
import { EXIT, exitCodeFor, messageOf, TelemetryError } from '../core/errors.ts';
import { readNamedIdentities } from '../privacy/owner-identity.ts';
import { writeTables } from './write-tables.ts';

interface Output {
  readonly stdout: { write(text: string): void };
  readonly stderr: { write(text: string): void };
}

/**
 * Makes segments into tables: `dataset-writer IDENTITY_FILE…`, one {@link DatasetJob} a line on standard input, one
 * {@link DatasetAnswer} a line on standard output, after the line `ready`. A program of its own, so that the collector
 * cannot open anything by itself. It holds one segment at a time.
 */
export async function runDatasetWriter(
  argv: readonly string[],
  input: NodeJS.ReadableStream,
  { stdout, stderr }: Output,
): Promise<number> {
  try {
    const identities = argv.flatMap((file) => readNamedIdentities(file));
    stdout.write('ready\n');
    for await (const line of createInterface({ input })) {
      stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as DatasetJob, identities))}\n`);
    }
    return EXIT.ok;
  } catch (error) {
    const hint = error instanceof TelemetryError ? error.hint : '';
    stderr.write(`${messageOf(error)}\n${hint}\n`);
    return exitCodeFor(error);
  }
}

/** What is wrong with one segment is an answer; what is wrong with the disk or an identity ends the program. */
async function answer(job: DatasetJob, identities: readonly string[]): Promise<DatasetAnswer> {
  try {
    return { kind: 'written', tables: await writeTables(job, identities) };
  } catch (error) {
    if (!(error instanceof TelemetryError)) throw error;
    if (error.code === 'bad-segment') return { kind: 'bad', why: error.message };
    if (error.code === 'not-permitted') return { kind: 'closed', why: error.message };
    throw error;
  }
}
