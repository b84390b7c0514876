import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Round } from '../../src/control/protocol.ts';

/** Bundles the uploader as it is installed; returns the program's path. */
export async function bundleUploader(folder: string): Promise<string> {
  const outfile = join(folder, 'telemetry-uploader.mjs');
  await build({
    entryPoints: [join(import.meta.dirname, '../../src/upload/entry.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    outfile,
    logLevel: 'error',
  });
  return outfile;
}

/** A running uploader; `ended` resolves with its exit code. */
export interface Uploader {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly stderr: () => string;
}

export function runUploader(
  program: string,
  args: readonly string[],
  env: Record<string, string> = {},
  /** A program that runs it, with its arguments. */
  within: readonly string[] = [],
): Uploader {
  const [command = '', ...words] = [...within, process.execPath, '--disable-sigusr1', program, ...args];
  const child = spawn(command, words, {
    env: { HOME: tmpdir(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (data: Buffer) => (text += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return { child, ended, stderr: () => text };
}

/** A folder with an outbox in it, and the round that stands for its files. */
export class Outbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'upload-'));
  readonly dir = join(this.folder, 'outbox');
  readonly segments: { id: string; file: string; sizeBytes: number }[] = [];

  constructor() {
    mkdirSync(this.dir);
  }

  add(body: Buffer, id = `0199aaaa-0000-7000-8000-${String(this.segments.length).padStart(12, '0')}`): void {
    writeFileSync(join(this.dir, `${id}.tlm`), body);
    this.segments.push({ id, file: `${id}.tlm`, sizeBytes: body.length });
  }

  round(url: string, more: Partial<Round> = {}): Round {
    return {
      url,
      device: 'd-1',
      outboxDir: this.dir,
      ledgerHead: 'cd'.repeat(32),
      rateBytesPerSecond: 100_000_000,
      budgetBytes: 1_000_000_000,
      segments: this.segments,
      requests: [],
      ...more,
    };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
