import { readFileSync } from 'node:fs';
import { messageOf, TelemetryError } from '../../src/core/errors.ts';
import { decryptWith, encryptFor, recipientOf } from '../../src/segment/age-file.ts';
import { openSegment } from '../../src/segment/open-segment.ts';
import { sealSegment } from '../../src/segment/seal.ts';
import { journalOf } from './samples.ts';

// Run by the tests of hostile files, one file a process: says how opening it went and how much memory that took at most.
const [file = '', identity] = process.argv.slice(2);
const identities = identity === undefined ? [] : [identity];
const sound = sealSegment(journalOf([[0, 0, 0, 0, 0, 0]])).bytes;
await openSegment(sound);
if (identity !== undefined)
  await decryptWith(identities, await encryptFor([await recipientOf(identity)], new Uint8Array(200_000)));
const bytes = readFileSync(file);
const before = process.resourceUsage().maxRSS;
let outcome: string;
try {
  outcome = `read ${(await openSegment(bytes, { identities })).columns.count}`;
} catch (error) {
  outcome =
    error instanceof TelemetryError ? `${error.code}: ${error.hint}` : `unexpected: ${messageOf(error)}`;
}
const grownBytes = (process.resourceUsage().maxRSS - before) * 1024;
process.stdout.write(JSON.stringify({ outcome, grownBytes }));
