// Takes sequence numbers as fast as it can and prints each after it was handed out, until it is killed.
import { randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openDevice } from '../../src/spool/device-file.ts';

const device = openDevice(process.argv[2] ?? '', randomBytes);
for (;;) writeSync(1, `${device.takeSequence()}\n`);
