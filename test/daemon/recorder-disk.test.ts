import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDevice } from '../../src/spool/device-file.ts';
import { fillDisk, tinyDisk } from '../spool/temp-folder.ts';
import { RecordingDesk } from './recording-desk.ts';

const NEEDS_ROOT = 'mounting a tmpfs needs root';

describe('a full disk', () => {
  it('is said once, costs no sequence number and no event, and is over by itself', (context) => {
    const disk = tinyDisk();
    if (disk === undefined) return context.skip(NEEDS_ROOT);
    const desk = new RecordingDesk(disk);
    desk.begin();
    fillDisk(disk);
    desk.batch(2);
    desk.timers.run(5000);
    expect(desk.storage).toEqual([expect.stringContaining('ENOSPC')]);
    desk.timers.run(60_000);
    expect(desk.storage).toHaveLength(1);
    expect(desk.spool.openSegment).toBeNull();
    rmSync(join(disk, 'ballast'));
    desk.timers.run(10_000);
    expect(desk.storage).toEqual([expect.stringContaining('ENOSPC'), null]);
    expect(desk.recorded()).toEqual([1, 2]);
    expect(desk.segments()[0]?.header.sequence).toBe(1);
    expect(desk.numbersTaken).toBe(1);
    expect(desk.timers.names()).toEqual(['roll']);
  });

  it('that takes a header but no block costs no sequence number either', () => {
    const desk = new RecordingDesk();
    desk.isSealing = true;
    desk.begin();
    desk.spool.isAppendFailing = true;
    desk.batch();
    desk.timers.run(65_000);
    expect(desk.storage).toEqual(['no space for a block']);
    expect(desk.segments()).toEqual([]);
    desk.spool.isAppendFailing = false;
    desk.timers.run(10_000);
    expect(desk.storage).toEqual(['no space for a block', null]);
    expect(desk.recorded()).toEqual([1]);
    expect(desk.segments()[0]?.header.sequence).toBe(1);
    desk.recorder.roll();
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ header }) => header.sequence)).toEqual([1, 2]);
  });

  it('keeps the marks for when there is room: clock, gap and loss', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.timers.run(6000);
    desk.recorder.captureEnded('withheld');
    desk.clock.sleep(600_000);
    desk.begin();
    const { wallMs } = desk.clock.now();
    desk.spool.isAppendFailing = true;
    desk.batch(1, { thinned: 3 });
    desk.timers.run(5000);
    desk.spool.isAppendFailing = false;
    desk.timers.run(10_000);
    expect(desk.frames()).toEqual(['header block', 'header gap loss block']);
    expect(desk.segments()[1]?.loss.thinned).toBe(3);
    expect(desk.wallTimes()[2]).toBe(wallMs);
  });

  it('is tried again sooner when capture ends over it, and said once all the same', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.spool.isAppendFailing = true;
    desk.onStorage = (problem) => {
      if (problem !== null) desk.recorder.captureEnded('stopped');
    };
    desk.batch();
    desk.timers.run(5000);
    expect(desk.storage).toEqual(['no space for a block']);
    expect(desk.timers.names()).toEqual(['flush']);
    desk.spool.isAppendFailing = false;
    desk.recorder.roll();
    expect(desk.storage).toEqual(['no space for a block', null]);
    expect(desk.timers.names()).toEqual([]);
    expect(desk.recorded()).toEqual([1]);
  });

  it('does not use up a number of the device that could not be written down', (context) => {
    const disk = tinyDisk();
    if (disk === undefined) return context.skip(NEEDS_ROOT);
    const device = openDevice(disk, (size) => new Uint8Array(size).fill(7));
    expect(device.takeSequence()).toBe(1);
    fillDisk(disk);
    expect(() => device.takeSequence()).toThrow(/ENOSPC/);
    rmSync(join(disk, 'ballast'));
    expect(device.takeSequence()).toBe(2);
  });
});

describe('a disk that does not sync', () => {
  it('closes the segment, and nothing in it is written a second time', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.timers.run(5000);
    desk.batch();
    desk.spool.isSyncFailing = true;
    desk.timers.run(5000);
    expect(desk.storage).toEqual(['the disk failed']);
    expect(desk.closed).toBe(1);
    desk.spool.isSyncFailing = false;
    desk.timers.run(10_000);
    expect(desk.storage).toEqual(['the disk failed', null]);
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ columns }) => [...columns.x])).toEqual([[1, 2], [3]]);
  });

  it('is not taken for mended because capture ended over it', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.onStorage = (problem) => {
      if (problem !== null) desk.recorder.captureEnded('stopped');
    };
    desk.spool.isSyncFailing = true;
    desk.batch();
    desk.timers.run(5000);
    desk.recorder.flush();
    expect(desk.storage).toEqual(['the disk failed']);
    desk.timers.run(9999);
    expect(desk.storage).toEqual(['the disk failed']);
    desk.timers.run(1);
    expect(desk.storage).toEqual(['the disk failed', null]);
  });
});

describe('what is forgotten', () => {
  it('is never written nor counted, and leaves no timer', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.timers.run(5000);
    desk.batch(3);
    desk.recorder.forgetPending();
    expect(desk.timers.names()).toEqual(['roll']);
    desk.timers.run(60_000);
    desk.batch();
    desk.recorder.roll();
    expect(desk.recorded()).toEqual([1, 5]);
    expect(desk.recorder.recordedEvents).toBe(2);
  });

  it('on a full disk does not keep it from being found mended', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.spool.isAppendFailing = true;
    desk.batch();
    desk.timers.run(5000);
    desk.recorder.forgetPending();
    desk.timers.run(10_000);
    expect(desk.storage).toEqual(['no space for a block', null]);
    desk.recorder.roll();
    expect(desk.recorded()).toEqual([]);
  });
});

it('a gap before what is forgotten goes on to the next event', () => {
  const desk = new RecordingDesk();
  desk.begin();
  desk.batch();
  desk.recorder.flush();
  const { monoMs } = desk.clock.now();
  desk.recorder.captureEnded('withheld');
  desk.timers.run(1000);
  desk.begin();
  desk.batch();
  desk.recorder.forgetPending();
  desk.recorder.captureEnded('withheld');
  desk.timers.run(1000);
  desk.begin();
  desk.batch();
  desk.recorder.roll();
  expect(desk.segments()[0]?.gaps).toEqual([
    { kind: 'withheld', startMonoMs: monoMs, endMonoMs: monoMs + 2000 },
  ]);
  expect(desk.recorded()).toEqual([1, 3]);
});

describe('a journal that waits for its key', () => {
  it('is opened a moment later, with pauses and clock steps where they happened meanwhile', () => {
    const desk = new RecordingDesk();
    desk.key = { kind: 'wait' };
    desk.begin();
    const wall = [desk.clock.now().wallMs];
    desk.batch();
    desk.timers.run(1000);
    const startMonoMs = desk.clock.now().monoMs;
    desk.recorder.captureEnded('withheld');
    desk.timers.run(1000);
    desk.begin();
    const endMonoMs = desk.clock.now().monoMs;
    wall.push(desk.clock.now().wallMs);
    desk.batch();
    desk.timers.run(1000);
    desk.clock.setWall(-3_600_000);
    wall.push(desk.clock.now().wallMs);
    desk.batch();
    desk.timers.run(10_000);
    expect(desk.segments()).toEqual([]);
    expect(desk.numbersTaken).toBe(1);
    expect(desk.storage).toEqual([]);
    desk.key = { kind: 'plain' };
    desk.timers.run(250);
    expect(desk.frames()).toEqual(['header block gap block clockSync block']);
    expect(desk.segments()[0]?.gaps).toEqual([{ kind: 'withheld', startMonoMs, endMonoMs }]);
    expect(desk.wallTimes()).toEqual({ 1: wall[0], 2: wall[1], 3: wall[2] });
    expect(desk.timers.names()).toEqual(['roll']);
  });

  it('and gets none is told of like a full disk', () => {
    const desk = new RecordingDesk();
    desk.key = { kind: 'failed', why: 'the sealing program failed' };
    desk.begin();
    desk.batch();
    desk.timers.run(30_000);
    expect(desk.storage).toEqual(['the sealing program failed']);
    desk.key = { kind: 'plain' };
    desk.timers.run(10_000);
    expect(desk.storage).toEqual(['the sealing program failed', null]);
    expect(desk.recorded()).toEqual([1]);
    expect(desk.numbersTaken).toBe(1);
  });
});
