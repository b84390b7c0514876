import process from 'node:process';
import { runSealer } from './main.ts';

process.exitCode = await runSealer(process.stdin, (text) => process.stdout.write(text));
