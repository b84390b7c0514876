// Captures, seals, takes into a round and marks as sent, as fast as it can, until it is killed. Prints what it did:
// `synced <n> <events>` after a flush, `sent <n>` after a segment was recorded as sent.
import { writeSync } from 'node:fs';
import { Spool } from '../../src/spool/spool.ts';
import { movesBlock, sampleHeader, segmentId } from './samples.ts';

const [stateDir = '', first = '1'] = process.argv.slice(2);
const spool = new Spool(stateDir);
spool.recover();
for (let n = Number(first); ; n++) {
  spool.open(sampleHeader(n));
  for (let block = 0; block < 5; block++) {
    spool.append(movesBlock(n, 20, block * 200, block * 20));
    spool.sync();
    writeSync(1, `synced ${n} ${(block + 1) * 20}\n`);
  }
  spool.close();
  spool.seal(segmentId(n));
  const taken = spool.takeForRound(n % 3 === 0 ? [segmentId(n)] : [], 'http://127.0.0.1:7717');
  for (const { id, sizeBytes } of taken) {
    const sent = {
      sha256: 'ab',
      bytes: sizeBytes,
      chargedBytes: sizeBytes,
      destination: 'http://localhost',
      atWallMs: 1,
    };
    spool.markSent(id, sent);
    writeSync(1, `sent ${n}\n`);
  }
}
