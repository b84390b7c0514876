import { existsSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PurgeReceipt } from '../../src/core/purge.ts';
import type { PurgeState } from '../../src/privacy/purge-history.ts';
import { isAgeFile } from '../../src/segment/age-recipient.ts';
import { hasMagic } from '../../src/segment/frames.ts';
import { openSegment } from '../../src/segment/open-segment.ts';
import { Desk, readIfThere, segmentFiles, until } from './desk.ts';

/** Each part of a test draws on lines of its own, so that what is found can be told. */
const PLACES = 12;
/** Time between what stays and what goes, with a moment in its middle that `--last` can name to the second. */
const APART_MS = 2500;

/** Draws on a line of the screen. */
async function draw(desk: Desk, y: number): Promise<void> {
  await desk.display.input(
    ...Array.from({ length: PLACES }, (_, i) => `mousemove ${100 + 50 * i} ${y} sleep 0.02`),
    'sleep 0.05',
  );
}

/** `y` of everything that can be decoded below the state folder and in the collector's store, whatever its file's name. */
async function found(desk: Desk): Promise<Set<number>> {
  const lines = new Set<number>();
  for (const folder of [desk.stateDir, desk.dataDir]) {
    if (!existsSync(folder)) continue;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const bytes = readIfThere(path.join(entry.parentPath, entry.name));
      if (bytes === undefined || bytes.length === 0) continue;
      if (!hasMagic(bytes) && !isAgeFile(bytes)) continue;
      const { columns } = await openSegment(bytes, { identities: desk.identities() });
      for (const y of columns.y.subarray(0, columns.count)) lines.add(y);
    }
  }
  return lines;
}

/** Something that stays, a while, then something that goes; the words that name the time of the latter. */
async function drawBoth(desk: Desk, stays: number, goes: number): Promise<() => string> {
  await draw(desk, stays);
  await sleep(APART_MS);
  const border = Date.now();
  await sleep(APART_MS);
  await draw(desk, goes);
  await desk.waitFor('it to arrive', ({ capture }) => {
    const last = capture.lastEventAt === null ? 0 : Date.parse(capture.lastEventAt);
    return last > border + APART_MS;
  });
  return () => `${Math.ceil((Date.now() - border) / 1000)}s`;
}

/** Waits until everything drawn so far has left the journal and was sent. */
async function sendAll(desk: Desk): Promise<void> {
  const unsent = ['journal', 'sealed', 'outbox'].map((stage) => path.join(desk.stateDir, stage));
  await until(
    'all to be sent',
    async () => {
      if (unsent.every((folder) => segmentFiles(folder).length === 0)) return true;
      await desk.ctl('upload', 'now', '--json');
      return undefined;
    },
    60_000,
  );
}

/** Draws on a line and waits until it can be read from a file. */
async function drawn(desk: Desk, y: number): Promise<void> {
  await desk.waitFor('capture', ({ collection }) => collection.state === 'capturing');
  await sleep(300);
  await draw(desk, y);
  await until('it to be on disk', async () => (await found(desk)).has(y));
}

async function purge(desk: Desk, ...words: string[]): Promise<PurgeReceipt & PurgeState> {
  return JSON.parse(await desk.ok('purge', ...words, '--yes', '--json')) as PurgeReceipt & PurgeState;
}

describe('a purge', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startRecording({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"8s"', flush: '"1s"' },
    });
  });

  afterAll(async () => {
    await desk.close();
  });

  it('reaches what was sent, keeps what is older, and is confirmed by the collector', async () => {
    const last = await drawBoth(desk, 10, 20);
    await sendAll(desk);
    const before = await found(desk);
    expect([before.has(10), before.has(20)]).toEqual([true, true]);
    const receipt = await purge(desk, '--last', last());
    expect(receipt.segments.map(({ stage, outcome }) => [stage, outcome])).toContainEqual(['sent', 'cut']);
    await until('the collector to confirm', async () => {
      const { purges } = JSON.parse(await desk.ok('purge', 'list', '--json')) as { purges: PurgeState[] };
      return purges[0]?.erasureStates.every(({ confirmedAt }) => confirmedAt !== null);
    });
    const after = await found(desk);
    expect([after.has(10), after.has(20)]).toEqual([true, false]);
    expect((await desk.status()).requests).toEqual([]);
    expect(desk.storedFiles().map((file) => path.basename(file, '.tlm'))).not.toContain(
      receipt.segments[0]?.id,
    );
    expect(await desk.ok('log')).toContain('purged');
    expect((await desk.ctl('log', 'verify')).code).toBe(0);
  });

  it('reaches the segment that is being written and what is in memory, and capture goes on', async () => {
    const pid = (await desk.status()).capture.pid;
    const last = await drawBoth(desk, 30, 40);
    await draw(desk, 50);
    await purge(desk, '--last', last());
    await drawn(desk, 60);
    expect((await desk.status()).capture.pid).not.toBe(pid);
    const after = await found(desk);
    expect([30, 40, 50, 60].map((y) => after.has(y))).toEqual([true, false, false, true]);
  });

  it('works on the files when the daemon is down, and tells the collector once it runs again', async () => {
    const last = await drawBoth(desk, 70, 80);
    await sendAll(desk);
    await draw(desk, 90);
    await sleep(300);
    await desk.daemon?.stop();
    const before = await found(desk);
    expect([70, 80, 90].map((y) => before.has(y))).toEqual([true, true, true]);
    const receipt = await purge(desk, '--last', last());
    expect(receipt.erasureStates.map(({ confirmedAt }) => confirmedAt)).toEqual([null]);
    await desk.startDaemon();
    await desk.waitFor('the collector to confirm', ({ requests }) => requests.length === 0);
    const after = await found(desk);
    expect([70, 80, 90].map((y) => after.has(y))).toEqual([true, false, false]);
  });

  it('that is killed in the middle is finished by the next daemon', async () => {
    await drawn(desk, 100);
    const intent = path.join(desk.stateDir, 'purge.json');
    const purging = desk.ctl('purge', '--all', '--yes');
    await until('the purge to begin', () => existsSync(intent) || sleep(2, false));
    await desk.daemon?.stop('SIGKILL');
    await purging;
    expect(existsSync(intent)).toBe(true);
    expect((await found(desk)).has(100)).toBe(true);
    await desk.startDaemon();
    await desk.waitFor('the collector to confirm', ({ requests }) => requests.length === 0);
    expect(existsSync(intent)).toBe(false);
    expect(await found(desk)).toEqual(new Set());
    expect((await desk.ctl('log', 'verify')).code).toBe(0);
  });
});

describe('within hold_back', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startDisplay();
    desk.writePolicy({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"7s"', flush: '"1s"' },
      upload: { url: '""', hold_back: '"10m"' },
    });
    await desk.startDaemon();
    await desk.grant();
  });

  afterAll(async () => {
    await desk.close();
  });

  it('the daemon cuts sealed segments by itself, without the person’s key', async () => {
    const last = await drawBoth(desk, 10, 20);
    const sealed = path.join(desk.stateDir, 'sealed');
    await until('it to be sealed', () => readdirSync(sealed).some((name) => name.endsWith('.age')));
    const before = await found(desk);
    expect([before.has(10), before.has(20)]).toEqual([true, true]);
    const identity = path.join(desk.root, 'home/.config/telemetryd/identity.txt');
    renameSync(identity, `${identity}.away`);
    const receipt = await purge(desk, '--last', last());
    renameSync(`${identity}.away`, identity);
    expect(receipt.segments.map(({ stage, outcome }) => [stage, outcome])).toContainEqual(['sealed', 'cut']);
    const after = await found(desk);
    expect([after.has(10), after.has(20)]).toEqual([true, false]);
  });
});
