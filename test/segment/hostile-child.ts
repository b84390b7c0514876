import { readFileSync } from 'node:fs';
import { messageOf, TelemetryError } from '../../src/core/errors.ts';
import { readSegment } from '../../src/segment/read.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { journalOf } from './samples.ts';

// Run by hostile.test.ts, one file a process: says how reading it went and how much memory it took at most.
readSegment(sealSegment(journalOf([[0, 0, 0, 0, 0, 0]])).bytes);
const bytes = readFileSync(process.argv[2] ?? '');
const before = process.resourceUsage().maxRSS;
let outcome: string;
try {
  outcome = `read ${readSegment(bytes).columns.count}`;
} catch (error) {
  outcome =
    error instanceof TelemetryError ? `${error.code}: ${error.hint}` : `unexpected: ${messageOf(error)}`;
}
const grownBytes = (process.resourceUsage().maxRSS - before) * 1024;
process.stdout.write(JSON.stringify({ outcome, grownBytes }));
