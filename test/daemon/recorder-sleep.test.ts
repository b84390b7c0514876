import { afterEach, describe, expect, it } from 'vitest';
import { RecordingDesk } from './recording-desk.ts';

const zone = process.env['TZ'];
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

describe('a machine that sleeps while events flow', () => {
  it('leaves a gap between the events before and after, and right wall times on both sides', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch(3);
    const before = desk.clock.now();
    desk.clock.advance(500);
    const asleepFrom = desk.clock.now().monoMs;
    desk.clock.sleep(3_600_000);
    desk.recorder.slept(asleepFrom, 3_600_000);
    desk.clock.advance(2000);
    const after = desk.clock.now();
    desk.batch();
    desk.recorder.roll();

    expect(desk.frames()).toEqual(['header block gap clockSync block']);
    const [segment] = desk.segments();
    expect(segment?.gaps).toEqual([{ kind: 'asleep', startMonoMs: asleepFrom, endMonoMs: after.monoMs }]);
    expect(desk.wallTimes()).toMatchObject({ 3: before.wallMs, 4: after.wallMs });
    expect(after.wallMs - before.wallMs).toBe(3_602_500);
  });

  it('puts what a batch holds of the time before sleep before the gap, by the clock of that time', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.clock.advance(100);
    const asleepFrom = desk.clock.now();
    desk.clock.sleep(600_000);
    desk.recorder.slept(asleepFrom.monoMs, 600_000);
    desk.clock.advance(20);
    const after = desk.clock.now();
    // Ten milliseconds apart: three from before, the last three from after.
    desk.batch(6);
    desk.recorder.roll();

    expect(desk.recorded()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(desk.segments()[0]?.gaps).toEqual([
      { kind: 'asleep', startMonoMs: asleepFrom.monoMs, endMonoMs: asleepFrom.monoMs },
    ]);
    expect(desk.wallTimes()).toMatchObject({
      4: asleepFrom.wallMs - 10,
      5: after.wallMs - 20,
      7: after.wallMs,
    });
  });

  it('says nothing of sleep in a gap that stood already', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.recorder.captureEnded('withheld');
    desk.recorder.slept(desk.clock.now().monoMs, 600_000);
    desk.clock.sleep(600_000);
    desk.clock.advance(50);
    desk.begin();
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments()[0]?.gaps.map(({ kind }) => kind)).toEqual(['withheld']);
  });
});

describe('a machine that is taken to another time zone while events flow', () => {
  it('begins a segment that says so with the next event', () => {
    process.env['TZ'] = 'Europe/Berlin';
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.timers.run(6000);
    process.env['TZ'] = 'Asia/Tokyo';
    desk.batch();
    desk.timers.run(6000);
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ header }) => header.zoneOffsetMinutes)).toEqual([120, 540]);
    expect(desk.recorded()).toEqual([1, 2, 3]);
  });
});
