// For one second takes the lock, looks whether it is alone in a folder that only the holder may have, and lets go.
// Prints how often it was in; exits 3 when it was not alone.
import { mkdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { acquireProcessLock, type ProcessLock } from '../../src/spool/process-lock.ts';

const [stateDir = '', bootId = ''] = process.argv.slice(2);
const endMs = performance.now() + 1000;
let turns = 0;
while (performance.now() < endMs) {
  let lock: ProcessLock;
  try {
    lock = acquireProcessLock(stateDir, bootId);
  } catch {
    continue;
  }
  try {
    mkdirSync(join(stateDir, 'critical'));
    // Long enough for another that believes itself the holder to come in.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3);
    rmdirSync(join(stateDir, 'critical'));
  } catch {
    process.exit(3);
  }
  turns++;
  lock.release();
}
process.stdout.write(`${turns}\n`);
