import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Command } from 'commander';
import { roughBytes } from '../../core/amounts.ts';
import { gather, NEVER, type ReportFile } from '../bugreport/gather.ts';
import { tarArchive } from '../bugreport/tar.ts';
import { confirm } from '../confirm.ts';
import { FileTarget } from '../export-target.ts';
import type { CliIo } from '../io.ts';

const EXAMPLES = `
It first lists what the report would hold, and writes it once you agree. Read it
before you send it: tar -xzOf FILE. Nothing of what was recorded is in it.
--log names a file with the daemon's output, where no journal has it.

Examples:
  telemetryctl bugreport
  telemetryctl bugreport --out report.tar.gz --yes
  telemetryctl bugreport --log daemon.log`;

interface Options {
  readonly out?: string;
  readonly log?: string;
  readonly yes?: true;
  readonly json?: true;
}

/** Adds `bugreport [--out FILE] [--log FILE] [--yes] [--json]`. */
export function define(command: Command, io: CliIo): void {
  command
    .option('-o, --out <file>', 'a new file to write to (default: in this folder)')
    .option('--log <file>', 'the daemon’s output, where it went to a file')
    .option('--yes', 'write it without asking')
    .option('--json', 'print JSON: file, content')
    .addHelpText('after', EXAMPLES)
    .action((options: Options) => bugreport(io, options));
}

const FOLDER = 'telemetryd-bugreport';

async function bugreport(io: CliIo, { out, log, yes, json }: Options): Promise<void> {
  const { wallMs } = io.clock.now();
  const { cwd } = io.around;
  const stamp = new Date(wallMs).toISOString().slice(0, 16).replaceAll(/[-:]/g, '').replace('T', '-');
  const path = resolve(cwd, out ?? `${FOLDER}-${stamp}.tar.gz`);
  const files = await gather(io, log === undefined ? null : resolve(cwd, log));
  io.err(listOf(files));
  await confirm(io, yes === true, 'telemetryctl bugreport --yes', `Write it to ${path}? [y/N] `);
  const named = files.map(({ name, content }) => ({ name: `${FOLDER}/${name}`, content }));
  const target = new FileTarget(path, wallMs, '--out');
  target.open();
  try {
    target.write(gzipSync(tarArchive(named, Math.floor(wallMs / 1000))));
    target.finish();
  } catch (error) {
    target.discard();
    throw error;
  }
  const content = files.map(({ name, content: text }) => ({ name, bytes: Buffer.byteLength(text) }));
  io.out(json === true ? `${JSON.stringify({ schema: 1, file: path, content }, null, 2)}\n` : `${path}\n`);
}

function listOf(files: readonly ReportFile[]): string {
  const width = Math.max(...files.map(({ name }) => name.length));
  const lines = files.map(({ name, about, content }) => {
    const size = roughBytes(Buffer.byteLength(content)).padStart(7);
    return `  ${name.padEnd(width)}  ${size}  ${about}`;
  });
  return `The report holds:\n${lines.join('\n')}\n${NEVER}\n`;
}
