// Tries to take the lock of a folder: prints `held` and stays until its stdin ends, or prints `refused` and exits.
import { acquireProcessLock } from '../../src/spool/process-lock.ts';

const [stateDir = '', bootId = ''] = process.argv.slice(2);
try {
  const lock = acquireProcessLock(stateDir, bootId);
  process.stdout.write('held\n');
  process.stdin.resume().on('end', () => {
    lock.release();
    process.exit(0);
  });
} catch {
  process.stdout.write('refused\n');
  process.exit(1);
}
