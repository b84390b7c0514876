import process from 'node:process';
import { runPolicyLoader } from './main.ts';

process.exitCode = runPolicyLoader(process.argv.slice(2), (line) => process.stdout.write(line));
