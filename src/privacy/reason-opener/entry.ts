import process from 'node:process';
import { runReasonOpener } from './main.ts';

process.exitCode = await runReasonOpener(process.argv.slice(2), process.stdin, process);
