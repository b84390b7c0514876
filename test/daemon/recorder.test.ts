import { describe, expect, it } from 'vitest';
import { NO_LOSS } from '../../src/core/events.ts';
import { RecordingDesk, SCREENS } from './recording-desk.ts';

describe('flushing', () => {
  it('writes into each segment the head that the ledger has when it begins', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.recorder.roll();
    desk.ledgerHead = '12'.repeat(32);
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ header }) => header.ledgerHead)).toEqual([
      'ab'.repeat(32),
      '12'.repeat(32),
    ]);
  });

  it('writes one block when the interval has passed since the first event, and nothing before', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch(2);
    desk.timers.run(1000);
    desk.batch();
    desk.timers.run(3999);
    expect(desk.spool.openSegment).toBeNull();
    expect(desk.numbersTaken).toBe(0);
    desk.timers.run(1);
    expect(desk.recorded()).toEqual([1, 2, 3]);
    expect(desk.frames()).toEqual(['header block']);
  });

  it('goes by the policy’s interval', () => {
    const desk = new RecordingDesk();
    desk.limits = { ...desk.limits, flushMs: 60_000 };
    desk.begin();
    desk.batch();
    desk.timers.run(59_999);
    expect(desk.recorded()).toEqual([]);
    desk.timers.run(1);
    expect(desk.recorded()).toEqual([1]);
  });

  it('arms no timer without input, but for the one that closes an aging segment', () => {
    const desk = new RecordingDesk();
    desk.begin();
    expect(desk.timers.names()).toEqual([]);
    desk.batch();
    expect(desk.timers.names()).toEqual(['flush']);
    desk.timers.run(5000);
    expect(desk.timers.names()).toEqual(['roll']);
    desk.timers.run(900_000);
    expect(desk.timers.names()).toEqual([]);
    expect(desk.closed).toBe(1);
  });

  it('takes only the events that are admitted', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.recorder.take(desk.moves(3), 2, NO_LOSS);
    desk.recorder.take(desk.moves(3), 0, NO_LOSS);
    desk.recorder.roll();
    expect(desk.recorded()).toEqual([1, 2]);
    expect(desk.recorder.recordedEvents).toBe(2);
  });

  it('counts as active the time between events, not the time without a process', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch(101);
    expect(desk.recorder.activeMs).toBe(1000);
    desk.timers.run(60_000);
    desk.batch(101);
    expect(desk.recorder.activeMs).toBe(2000);
    expect(desk.recorder.closedActiveMs).toBe(0);
    desk.recorder.roll();
    expect(desk.recorder.closedActiveMs).toBe(2000);
  });
});

describe('segments', () => {
  it('begin at their first event', () => {
    const desk = new RecordingDesk();
    desk.begin();
    const { monoMs, wallMs } = desk.clock.now();
    desk.batch(3);
    desk.timers.run(5000);
    expect(desk.segments()[0]?.header).toMatchObject({
      sequence: 1,
      originMonoMs: monoMs - 20,
      startWallMs: wallMs - 20,
      ...desk.circumstances,
      backend: SCREENS.backend,
      coordinates: SCREENS.coordinates,
      screens: SCREENS.screens,
    });
  });

  it('are rolled by age, counted from when they were opened', () => {
    const desk = new RecordingDesk();
    desk.limits = { flushMs: 5000, rollMs: 20_000 };
    desk.begin();
    for (let second = 0; second < 50; second++) {
      desk.batch();
      desk.timers.run(1000);
    }
    desk.recorder.roll();
    const sizes = desk.segments().map(({ columns }) => columns.count);
    expect(sizes).toEqual([25, 25]);
    expect(desk.recorded()).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  });

  it('are rolled when a journal has grown to its largest size', () => {
    const desk = new RecordingDesk();
    desk.begin();
    for (let i = 0; i < 4; i++) {
      desk.clock.advance(1_000_000);
      const columns = desk.moves(100_000);
      // Far jumps, which take the most bytes.
      for (let at = 0; at < columns.count; at++) columns.x[at] = Math.imul(at, 2_654_435_761);
      desk.recorder.take(columns, columns.count, NO_LOSS);
      desk.recorder.flush();
    }
    expect(desk.closed).toBe(2);
    const counts = desk.segments().map(({ columns }) => columns.count);
    expect(counts).toEqual([200_000, 200_000]);
  });

  it('are rolled when the screens change while capture goes on, so that each tells its own', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch(3);
    const turned = [{ x: 0, y: 0, width: 1080, height: 1920, scale: 1 }];
    desk.recorder.screensChanged(turned);
    desk.batch(2);
    desk.recorder.roll();
    expect(desk.segments().map(({ header, columns }) => [header.screens, columns.count])).toEqual([
      [SCREENS.screens, 3],
      [turned, 2],
    ]);
  });

  it('are rolled when the screens or the back end change, and not when a process is merely started again', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.begin();
    desk.batch();
    desk.begin({ ...SCREENS, screens: [] });
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ columns }) => [...columns.x])).toEqual([[1, 2], [3]]);
    expect(desk.segments().map(({ header }) => header.screens.length)).toEqual([1, 0]);
  });

  it('hold what was captured under one consent and one policy only', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.timers.run(5000);
    desk.circumstances = { ...desk.circumstances, receiptId: 'of a second consent' };
    desk.begin();
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ header, columns }) => [header.receiptId, ...columns.x])).toEqual([
      ['018f0000-0000-7000-8000-000000000001', 1],
      ['of a second consent', 2],
    ]);
  });

  it('say of what a process hands over last what held when it captured it, not what holds by now', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.circumstances = { ...desk.circumstances, redaction: 'off' };
    desk.batch();
    desk.recorder.flush();
    desk.begin();
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ header, columns }) => [header.redaction, ...columns.x])).toEqual([
      ['shortcuts', 1, 2],
      ['off', 3],
    ]);
  });

  it('take up a change that needs no new process when they are rolled for it', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.circumstances = { ...desk.circumstances, policyId: 'fedcba9876543210' };
    desk.recorder.roll();
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments().map(({ header }) => header.policyId)).toEqual([
      '0123456789abcdef',
      'fedcba9876543210',
    ]);
  });
});

describe('gaps', () => {
  it.each(['withheld', 'stopped', 'crashed', 'asleep'] as const)(
    'of kind %s lie between two blocks',
    (kind) => {
      const desk = new RecordingDesk();
      desk.begin();
      desk.batch();
      desk.timers.run(1000);
      const startMonoMs = desk.clock.now().monoMs;
      desk.recorder.captureEnded(kind);
      desk.timers.run(60_000);
      desk.begin();
      desk.batch();
      const endMonoMs = desk.clock.now().monoMs;
      desk.recorder.roll();
      expect(desk.frames()).toEqual(['header block gap block']);
      expect(desk.segments()[0]?.gaps).toEqual([{ kind, startMonoMs, endMonoMs }]);
    },
  );

  it('hold nothing of what the process handed over last', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.timers.run(1000);
    desk.batch();
    desk.clock.advance(1);
    desk.recorder.captureEnded('withheld');
    const late = desk.moves(1);
    const lateMs = desk.clock.now().monoMs - 1;
    late.t[0] = lateMs;
    desk.clock.advance(200);
    desk.recorder.take(late, 1, NO_LOSS);
    desk.recorder.flush();
    desk.timers.run(10_000);
    desk.begin();
    desk.batch();
    desk.recorder.roll();
    expect(desk.frames()).toEqual(['header block block gap block']);
    const [gap] = desk.segments()[0]?.gaps ?? [];
    expect(gap?.startMonoMs).toBe(lateMs + 1);
    expect(desk.recorded()).toEqual([1, 2, 3]);
  });

  it('are both there when capture ends twice within one flush', () => {
    const desk = new RecordingDesk();
    desk.begin();
    const times: number[] = [];
    for (const kind of ['withheld', 'crashed'] as const) {
      desk.batch();
      desk.timers.run(100);
      times.push(desk.clock.now().monoMs);
      desk.recorder.captureEnded(kind);
      desk.timers.run(100);
      desk.begin();
      times.push(desk.clock.now().monoMs);
    }
    desk.batch();
    desk.recorder.roll();
    const [a = 0, b = 0, c = 0, d = 0] = times;
    expect(desk.segments()[0]?.gaps).toEqual([
      { kind: 'withheld', startMonoMs: a, endMonoMs: b },
      { kind: 'crashed', startMonoMs: c, endMonoMs: d },
    ]);
    expect(desk.frames()).toEqual(['header block gap block gap block']);
  });

  it('are one when nothing was captured between two, of the kind of the first', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch();
    desk.recorder.captureEnded('withheld');
    const { monoMs } = desk.clock.now();
    desk.timers.run(1000);
    desk.begin();
    desk.recorder.captureEnded('crashed');
    desk.timers.run(1000);
    desk.begin();
    desk.batch();
    desk.recorder.roll();
    expect(desk.segments()[0]?.gaps).toEqual([
      { kind: 'withheld', startMonoMs: monoMs, endMonoMs: monoMs + 2000 },
    ]);
  });

  it('stand at the head of the next segment when the one before was rolled meanwhile', () => {
    const desk = new RecordingDesk();
    desk.limits = { ...desk.limits, rollMs: 20_000 };
    desk.begin();
    desk.batch();
    const { monoMs } = desk.clock.now();
    desk.recorder.captureEnded('withheld');
    desk.timers.run(60_000);
    expect(desk.closed).toBe(1);
    desk.begin();
    desk.batch();
    desk.recorder.roll();
    expect(desk.frames()).toEqual(['header block', 'header gap block']);
    expect(desk.segments().map(({ gaps }) => gaps)).toEqual([
      [],
      [{ kind: 'withheld', startMonoMs: monoMs, endMonoMs: monoMs + 60_000 }],
    ]);
  });
});

describe('a step of the clock', () => {
  it('leaves right wall times on both sides, whether set by a person or passed in sleep', () => {
    const desk = new RecordingDesk();
    desk.begin();
    const wall: number[] = [];
    const next = (): void => {
      wall.push(desk.clock.now().wallMs);
      desk.batch();
    };
    next();
    desk.timers.run(6000);
    desk.clock.setWall(-3_600_000);
    next();
    desk.timers.run(6000);
    desk.clock.sleep(300_000);
    next();
    desk.recorder.roll();
    expect(desk.frames()).toEqual(['header block clockSync block clockSync block']);
    expect(desk.wallTimes()).toEqual({ 1: wall[0], 2: wall[1], 3: wall[2] });
  });

  it('does not touch what was pending when it came', () => {
    const desk = new RecordingDesk();
    desk.begin();
    const before = desk.clock.now().wallMs;
    desk.batch();
    desk.timers.run(1000);
    desk.clock.setWall(3_600_000);
    const after = desk.clock.now().wallMs;
    desk.batch();
    desk.recorder.roll();
    expect(desk.wallTimes()).toEqual({ 1: before, 2: after });
    expect(desk.segments()[0]?.header.startWallMs).toBe(before);
  });

  it('of a tenth of a second is drift, and only once it has added up is it written', () => {
    const desk = new RecordingDesk();
    desk.begin();
    for (let i = 0; i < 4; i++) {
      desk.batch();
      desk.timers.run(6000);
      desk.clock.setWall(40);
    }
    desk.recorder.roll();
    expect(desk.frames()).toEqual(['header block block block clockSync block']);
  });
});

describe('loss counters', () => {
  it('of a segment are what was lost since the one before, over restarts of the process', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch(1, { thinned: 10 });
    desk.recorder.flush();
    desk.batch(1, { thinned: 15, redacted: 2 });
    desk.recorder.roll();
    desk.begin();
    desk.batch(1, { thinned: 7, dropped: 1 });
    desk.recorder.roll();
    desk.batch(1);
    desk.recorder.roll();
    expect(desk.segments().map(({ loss }) => loss)).toEqual([
      { thinned: 15, redacted: 2, dropped: 0 },
      { thinned: 7, redacted: 0, dropped: 1 },
      NO_LOSS,
    ]);
    expect(desk.recorder.loss).toEqual({ thinned: 22, redacted: 2, dropped: 1 });
  });

  it('that came without an event are written with the next, even by another process', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch(1, { thinned: 1 });
    desk.recorder.flush();
    desk.recorder.take(desk.moves(0), 0, { thinned: 4, redacted: 3, dropped: 0 });
    desk.begin();
    desk.batch(1, { thinned: 5 });
    desk.recorder.roll();
    expect(desk.segments()[0]?.loss).toEqual({ thinned: 9, redacted: 3, dropped: 0 });
  });
});

describe('a purge in memory', () => {
  it('forgets what is pending from a time on and what still arrives of it, and keeps what is older', () => {
    const desk = new RecordingDesk();
    desk.begin();
    desk.batch(2);
    desk.clock.advance(1000);
    const fromWallMs = desk.clock.now().wallMs;
    desk.clock.advance(100);
    desk.batch(2);
    desk.recorder.purgeBegins(fromWallMs);
    desk.clock.advance(100);
    // A late one from before, and what the process hands over of that time.
    desk.batch(3);
    expect(desk.recorder.purgeEnded()).toBe(5);
    expect(desk.recorder.recordedEvents).toBe(2);
    desk.clock.advance(100);
    desk.begin();
    desk.batch(1);
    desk.recorder.flush();
    expect(desk.recorded()).toEqual([1, 2, 8]);
    const gaps = desk.segments().flatMap((segment) => segment.gaps);
    expect(gaps).toMatchObject([{ kind: 'withheld' }]);
  });
});

it('drops what waits for a key when what it was recorded under has changed', () => {
  const desk = new RecordingDesk();
  desk.begin();
  desk.key = { kind: 'wait' };
  desk.batch(3);
  desk.recorder.flush();
  desk.circumstances = { ...desk.circumstances, receiptId: '018f0000-0000-7000-8000-000000000002' };
  desk.begin();
  desk.key = { kind: 'plain' };
  desk.batch(1);
  desk.recorder.flush();
  expect(desk.recorded()).toEqual([4]);
  expect(desk.segments()[0]?.header.receiptId).toBe('018f0000-0000-7000-8000-000000000002');
  expect(desk.recorder.loss.dropped).toBe(3);
});
