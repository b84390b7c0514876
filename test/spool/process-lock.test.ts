import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import { acquireProcessLock, findLockHolder } from '../../src/spool/process-lock.ts';
import { type Child, runChild } from './child.ts';
import { tempFolder } from './temp-folder.ts';

const BOOT = 'boot-1';

function lockFiles(folder: string): string[] {
  return readdirSync(folder).sort();
}

/** A process that tries for the lock; resolves once it said how that went. */
async function contender(folder: string): Promise<Child & { said: string }> {
  let said = '';
  const child = runChild('lock-child.ts', [folder, BOOT], (line) => {
    said = line;
  });
  while (said === '' && child.process.exitCode === null) await sleep(2);
  return { ...child, said };
}

test('a second process is refused by name, and gets in after the first let go', async () => {
  const folder = tempFolder();
  const holder = await contender(folder);
  expect(holder.said).toBe('held');
  expect(findLockHolder(folder, BOOT)?.pid).toBe(holder.process.pid);
  let refusal: unknown;
  try {
    acquireProcessLock(folder, BOOT);
  } catch (error) {
    refusal = error;
  }
  if (!(refusal instanceof TelemetryError)) throw new Error('was not refused');
  expect(refusal.message).toContain(`pid ${holder.process.pid}`);
  expect(refusal.hint).toContain(`kill ${holder.process.pid}`);
  holder.process.stdin?.end();
  await holder.ended;
  expect(findLockHolder(folder, BOOT)).toBeUndefined();
  acquireProcessLock(folder, BOOT).release();
}, 30_000);

test('a killed holder is succeeded, and nothing but one lock file is left', async () => {
  const folder = tempFolder();
  for (let round = 0; round < 3; round++) {
    const holder = await contender(folder);
    expect(holder.said).toBe('held');
    holder.process.kill('SIGKILL');
    await holder.ended;
  }
  const lock = acquireProcessLock(folder, BOOT);
  expect(lockFiles(folder)).toEqual(['daemon.lock.4']);
  lock.release();
  lock.release();
  expect(lockFiles(folder)).toEqual(['daemon.lock.4']);
}, 30_000);

test('the same process cannot take it twice', () => {
  const folder = tempFolder();
  const lock = acquireProcessLock(folder, BOOT);
  expect(() => acquireProcessLock(folder, BOOT)).toThrow(`pid ${process.pid}`);
  lock.release();
});

test.each([
  ['of a number that another process has by now', { pid: process.ppid, startTime: '1', bootId: BOOT }],
  ['of a process that is gone', { pid: 4_194_305, startTime: '1', bootId: BOOT }],
  ['of an impossible process', { pid: -1, startTime: '', bootId: BOOT }],
  ['that is no lock', null],
])('a lock %s holds nothing', (_what, content) => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'daemon.lock.7'), JSON.stringify(content));
  expect(findLockHolder(folder, BOOT)).toBeUndefined();
  acquireProcessLock(folder, BOOT).release();
  expect(lockFiles(folder)).toEqual(['daemon.lock.8']);
});

test.each(['', '\0\0\0\0', '{"pid":1'])('a lock that a power cut damaged (%j) holds nothing', (content) => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'daemon.lock.7'), content);
  acquireProcessLock(folder, BOOT).release();
});

test.skipIf(process.platform !== 'linux')('a lock of an earlier boot holds nothing', () => {
  const folder = tempFolder();
  acquireProcessLock(folder, BOOT);
  expect(findLockHolder(folder, BOOT)?.pid).toBe(process.pid);
  expect(findLockHolder(folder, 'boot-2')).toBeUndefined();
  acquireProcessLock(folder, 'boot-2').release();
});

test.skipIf(process.platform !== 'linux')(
  'a holder that is dead but not yet reaped is succeeded',
  async () => {
    const folder = tempFolder();
    // The shell becomes the second `sleep` and so never waits for the first, which stays a zombie once killed.
    const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void parent.kill('SIGKILL'));
    const [output] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(output.toString());
    const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1] ?? '';
    const startTime = stat().split(' ')[19];
    writeFileSync(join(folder, 'daemon.lock.1'), JSON.stringify({ pid, startTime, bootId: BOOT }));
    expect(() => acquireProcessLock(folder, BOOT)).toThrow(`pid ${pid}`);
    process.kill(pid, 'SIGKILL');
    while (!stat().startsWith('Z')) await sleep(2);
    acquireProcessLock(folder, BOOT).release();
  },
);

test('of several processes that find a stale lock at once, exactly one gets it', async () => {
  const folder = tempFolder();
  writeFileSync(
    join(folder, 'daemon.lock.1'),
    JSON.stringify({ pid: 4_194_305, startTime: '1', bootId: BOOT }),
  );
  const contenders = await Promise.all(Array.from({ length: 5 }, () => contender(folder)));
  expect(contenders.filter((each) => each.said === 'held')).toHaveLength(1);
}, 30_000);

test('processes that take and leave it all the time are never in it together', async () => {
  const folder = tempFolder();
  const reports: string[] = [];
  const children = Array.from({ length: 4 }, () =>
    runChild('lock-race-child.ts', [folder, BOOT], (line) => reports.push(line)),
  );
  const codes = await Promise.all(children.map((child) => child.ended));
  expect(codes).toEqual([0, 0, 0, 0]);
  const turns = reports.map((line) => Number(line));
  expect(turns.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10);
}, 30_000);
