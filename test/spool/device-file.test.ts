import { randomBytes } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDevice } from '../../src/spool/device-file.ts';
import { runChild } from './child.ts';
import { tempFolder } from './temp-folder.ts';

test('the pseudonym stays and the numbers go on over restarts', () => {
  const folder = tempFolder();
  const first = openDevice(folder, randomBytes);
  expect(first.origin).toBe('new');
  expect([first.takeSequence(), first.takeSequence()]).toEqual([1, 2]);
  const second = openDevice(folder, randomBytes);
  expect(second).toMatchObject({ origin: 'existing', pseudonym: first.pseudonym });
  expect(second.takeSequence()).toBe(3);
});

test('a damaged file is kept, and numbering begins anew under a new pseudonym', () => {
  const folder = tempFolder();
  const before = openDevice(folder, randomBytes);
  writeFileSync(join(folder, 'device.json'), '{"device":"x","nextSequence":-1}');
  const after = openDevice(folder, randomBytes);
  expect(after.origin).toBe('replaced');
  expect(after.pseudonym).not.toBe(before.pseudonym);
  expect(readdirSync(folder).sort()).toEqual(['device.json', 'device.json.corrupt-1']);
});

test('no number is handed out twice by processes that are killed at any moment', async () => {
  const folder = tempFolder();
  const numbers: number[] = [];
  for (let run = 0; run < 4; run++) {
    const runNumbers: number[] = [];
    const child = runChild('sequence-child.ts', [folder], (line) => runNumbers.push(Number(line)));
    while (runNumbers.length < 3 && child.process.exitCode === null) await sleep(2);
    await sleep(Math.random() * 20);
    child.process.kill('SIGKILL');
    expect(await child.ended).toBeNull();
    expect(runNumbers[0]).toBeGreaterThan(numbers.at(-1) ?? 0);
    numbers.push(...runNumbers);
  }
  expect(new Set(numbers).size).toBe(numbers.length);
  // At most one number is skipped by each kill.
  expect((numbers.at(-1) ?? 0) - numbers.length).toBeLessThanOrEqual(4);
}, 30_000);
