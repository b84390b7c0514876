import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { decryptWith, newIdentity } from '../../src/segment/age-file.ts';
import { encodeHeader } from '../../src/segment/header.ts';
import { readSegment } from '../../src/segment/read.ts';
import { FrameSealer } from '../../src/segment/sealed-frames.ts';
import { ensureStages } from '../../src/spool/folders.ts';
import { runSealer } from '../../src/spool/sealer/main.ts';
import { parseAnswer } from '../../src/spool/sealer/order.ts';
import { movesBlock, sampleHeader, segmentId } from './samples.ts';
import { tempFolder } from './temp-folder.ts';

const owner = await newIdentity();
const key = new Uint8Array(32).fill(7);

/** Has an encrypted journal sealed, and opens the result as its owner. */
async function sealedWith(order: object): Promise<Uint8Array> {
  const stateDir = tempFolder();
  ensureStages(stateDir);
  const id = segmentId(1);
  const header = encodeHeader({ ...sampleHeader(1), wrappedKey: new Uint8Array([1]) });
  const path = join(stateDir, 'journal', `${id}.closed.tlm`);
  writeFileSync(path, Buffer.concat([header, new FrameSealer(key, header).seal(movesBlock(1, 2000))]));
  const whole = {
    type: 'seal',
    stateDir,
    id,
    path,
    isCrashed: false,
    key: Buffer.from(key).toString('base64'),
    recipients: [owner.recipient],
    ...order,
  };
  const answers: string[] = [];
  const input = Readable.from([Buffer.from(JSON.stringify(whole))]);
  expect(await runSealer(input, (text) => answers.push(text))).toBe(0);
  expect(parseAnswer(JSON.parse(answers.join('')))).toMatchObject({
    type: 'done',
    result: { kind: 'sealed' },
  });
  return await decryptWith([owner.identity], readFileSync(join(stateDir, 'sealed', `${id}.tlm.age`)));
}

it('makes the smallest file when the order says so, else a quick one', async () => {
  const quick = readSegment(await sealedWith({}));
  const same = readSegment(await sealedWith({ effort: 'quick' }));
  const smallest = readSegment(await sealedWith({ effort: 'smallest' }));
  expect([quick, same, smallest].map(({ header }) => header.codec)).toEqual([
    'columns-brotli',
    'columns-brotli',
    'columns-mix',
  ]);
  expect(smallest.columns).toEqual(quick.columns);
});
