import process from 'node:process';
import { runDatasetWriter } from './main.ts';

process.umask(0o077);
process.exitCode = await runDatasetWriter(process.argv.slice(2), process.stdin, process);
