import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pipeline } from '../../src/capture/child/pipeline.ts';
import { type EventColumns, KIND, MADE_UP, MOD, unpackKeyDetail } from '../../src/core/events.ts';
import { keyCode, keyId } from '../../src/core/keys.ts';
import type { KeyMode } from '../../src/core/masking.ts';

function pipelineFor(keys: KeyMode = 'shortcuts', maxWaiting = 100_000): Pipeline {
  const pipeline = new Pipeline({ mouseHz: 1000, knows: { isAltCertain: false }, maxWaiting, ripens: false });
  pipeline.allow(0, keys);
  return pipeline;
}

function press(pipeline: Pipeline, tMs: number, code: string, mods = 0): void {
  pipeline.key(tMs, true, keyId(code), keyId(code), mods, false);
}

function release(pipeline: Pipeline, tMs: number, code: string, mods = 0): void {
  pipeline.key(tMs, false, keyId(code), keyId(code), mods, false);
}

function rows(columns: EventColumns): string[] {
  return Array.from({ length: columns.count }, (_, i) => {
    const { t, kind, x, y, a, b } = columns;
    const at = `${t[i]} ${Object.keys(KIND)[kind[i] ?? 0]} ${x[i]},${y[i]}`;
    if ((kind[i] ?? 0) < KIND.keydown) return at;
    const { keyClass, isRepeat, mods } = unpackKeyDetail(b[i] ?? 0);
    return `${at} ${keyCode(a[i] ?? 0) ?? keyClass}${mods > 0 ? ` mods=${mods}` : ''}${isRepeat ? ' repeat' : ''}`;
  });
}

function all(pipeline: Pipeline): string[] {
  pipeline.settle();
  return rows(pipeline.take(pipeline.countReady()));
}

describe('releases that nobody saw', () => {
  test('are marked, and those of text keys leave no trace', () => {
    const pipeline = pipelineFor();
    pipeline.button(1000, true, 1, 5, 5);
    press(pipeline, 1010, 'Enter');
    press(pipeline, 1020, 'KeyA');
    pipeline.buttonGone(1500, 1, 5, 5);
    for (const code of ['Enter', 'KeyA']) pipeline.keyGone(1500, keyId(code), keyId(code), 0);
    pipeline.lost();
    pipeline.settle();
    const columns = pipeline.take(pipeline.countReady());
    const made = Array.from({ length: columns.count }, (_, i) => i).filter(
      (i) => ((columns.b[i] ?? 0) & MADE_UP) !== 0,
    );
    expect(made.map((i) => [columns.t[i], columns.kind[i]])).toEqual([
      [1500, KIND.up],
      [1500, KIND.keyup],
    ]);
    expect(rows(columns).at(-1)).toBe('1500 keyup 5,5 Enter');
    expect(pipeline.loss.dropped).toBe(1);
  });
});

describe('masking in the pipeline', () => {
  test('a letter is a class with a coarse time, and its release follows at once', () => {
    const pipeline = pipelineFor();
    press(pipeline, 1234, 'KeyA');
    release(pipeline, 1987, 'KeyA');
    expect(all(pipeline)).toEqual(['1200 keydown 0,0 text', '1200 keyup 0,0 text']);
    expect(pipeline.loss.redacted).toBe(2);
  });

  test('a masked key stands before the moves of its 100 ms, with the position before them', () => {
    const pipeline = pipelineFor();
    pipeline.move(1190, 1, 1);
    pipeline.move(1200, 2, 2);
    pipeline.move(1210, 3, 3);
    press(pipeline, 1234, 'KeyA');
    pipeline.move(1250, 4, 4);
    expect(all(pipeline)).toEqual([
      '1190 move 1,1',
      '1200 keydown 1,1 text',
      '1200 keyup 1,1 text',
      '1200 move 2,2',
      '1210 move 3,3',
      '1250 move 4,4',
    ]);
  });

  test('what leaves is the same wherever in its 100 ms a letter was typed', () => {
    fc.assert(
      fc.property(fc.nat(99), fc.nat(99), fc.nat(300), fc.array(fc.nat(99)), (early, late, heldMs, moves) => {
        const run = (offsetMs: number): string[] => {
          const pipeline = pipelineFor();
          const events = [
            ...moves.map((at, x) => ({ at: 1200 + at, run: (t: number) => pipeline.move(t, x, x) })),
            { at: 1200 + offsetMs, run: (t: number) => press(pipeline, t, 'KeyQ') },
            { at: 1200 + offsetMs + heldMs, run: (t: number) => release(pipeline, t, 'KeyQ') },
          ].toSorted((a, b) => a.at - b.at);
          for (const event of events) event.run(event.at);
          return all(pipeline);
        };
        expect(run(early)).toEqual(run(late));
      }),
    );
  });

  test('a chord keeps its name through its release, though Ctrl is let go first', () => {
    const pipeline = pipelineFor();
    press(pipeline, 1000, 'ControlLeft', MOD.ctrl);
    press(pipeline, 1010, 'KeyC', MOD.ctrl);
    release(pipeline, 1020, 'ControlLeft', 0);
    release(pipeline, 1030, 'KeyC', 0);
    expect(all(pipeline)).toEqual([
      '1000 keydown 0,0 ControlLeft mods=2',
      '1010 keydown 0,0 KeyC mods=2',
      '1020 keyup 0,0 ControlLeft',
      '1030 keyup 0,0 KeyC mods=2',
    ]);
  });

  test('a letter pressed plain does not show its name when Ctrl is down at its release or repeats', () => {
    const pipeline = pipelineFor();
    press(pipeline, 1000, 'KeyC');
    press(pipeline, 1500, 'KeyC', MOD.ctrl);
    release(pipeline, 1510, 'KeyC', MOD.ctrl);
    expect(all(pipeline).join()).not.toContain('KeyC');
  });

  test('a release without its press is dropped when it may be text and kept when it is not', () => {
    const pipeline = pipelineFor();
    release(pipeline, 1000, 'KeyC', MOD.ctrl);
    release(pipeline, 1010, 'Enter');
    expect(all(pipeline)).toEqual(['1010 keyup 0,0 Enter']);
    expect(pipeline.loss.redacted).toBe(1);
  });

  test('off keeps no key and counts each', () => {
    const pipeline = pipelineFor('off');
    press(pipeline, 1000, 'Enter');
    release(pipeline, 1010, 'Enter');
    expect(all(pipeline)).toEqual([]);
    expect(pipeline.loss.redacted).toBe(2);
  });

  test('no letter, digit or unknown key shows an id in any order of presses without Ctrl or Meta', () => {
    const text = ['KeyA', 'Digit1', 'Space', 'Numpad5', 'NoSuchKey'];
    const step = fc.record({ code: fc.constantFrom(...text), isDown: fc.boolean(), gapMs: fc.nat(200) });
    const mods = fc.constantFrom(0, MOD.shift, MOD.alt);
    fc.assert(
      fc.property(fc.array(fc.tuple(step, mods)), (script) => {
        const pipeline = pipelineFor();
        let tMs = 1000;
        for (const [{ code, isDown, gapMs }, held] of script) {
          tMs += gapMs;
          if (isDown) press(pipeline, tMs, code, held);
          else release(pipeline, tMs, code, held);
        }
        pipeline.settle();
        const columns = pipeline.take(pipeline.countReady());
        expect(columns.a.every((id) => id === 0)).toBe(true);
        expect(columns.t.every((t) => t % 100 === 0)).toBe(true);
      }),
    );
  });
});

describe('auto-repeat in the pipeline', () => {
  test('a press of a key that is down is a repeat', () => {
    const pipeline = pipelineFor();
    for (const tMs of [1000, 1500, 1540]) press(pipeline, tMs, 'ArrowLeft');
    release(pipeline, 1550, 'ArrowLeft');
    expect(all(pipeline)).toEqual([
      '1000 keydown 0,0 ArrowLeft',
      '1500 keydown 0,0 ArrowLeft repeat',
      '1540 keydown 0,0 ArrowLeft repeat',
      '1550 keyup 0,0 ArrowLeft',
    ]);
  });

  test('a release and a press with one stamp are a repeat', () => {
    const pipeline = pipelineFor();
    press(pipeline, 1000, 'ArrowLeft');
    release(pipeline, 1500, 'ArrowLeft');
    pipeline.move(1500, 1, 1);
    press(pipeline, 1500, 'ArrowLeft');
    release(pipeline, 1600, 'ArrowLeft');
    press(pipeline, 1650, 'ArrowLeft');
    expect(all(pipeline).filter((row) => row.includes('key'))).toEqual([
      '1000 keydown 0,0 ArrowLeft',
      '1500 keydown 1,1 ArrowLeft repeat',
      '1600 keyup 1,1 ArrowLeft',
      '1650 keydown 1,1 ArrowLeft',
    ]);
  });
});

describe('what is ready to leave', () => {
  test('the last 100 ms stay until something newer comes', () => {
    const pipeline = pipelineFor();
    pipeline.button(1190, true, 1, 5, 5);
    pipeline.button(1230, false, 1, 5, 5);
    expect(rows(pipeline.take(pipeline.countReady()))).toEqual(['1190 down 5,5']);
    expect(pipeline.isEmpty).toBe(false);
    pipeline.button(1300, true, 1, 6, 6);
    expect(rows(pipeline.take(pipeline.countReady()))).toEqual(['1230 up 5,5']);
  });

  test('time never falls, whatever is taken when, but for keys that are rounded down', () => {
    const step = fc.record({
      what: fc.constantFrom('move', 'click', 'letter', 'arrow', 'take', 'settle'),
      gapMs: fc.nat(150),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (script) => {
        const pipeline = pipelineFor();
        const taken: number[] = [];
        const take = (): void => void taken.push(...pipeline.take(pipeline.countReady()).t);
        let tMs = 1000;
        let put = 0;
        for (const { what, gapMs } of script) {
          tMs += gapMs;
          if (what === 'move') pipeline.move(tMs, 1, 1);
          if (what === 'click') pipeline.button(tMs, true, 1, 1, 1);
          if (what === 'letter') press(pipeline, tMs, 'KeyA');
          if (what === 'arrow') press(pipeline, tMs, 'ArrowUp');
          if (what === 'take') take();
          if (what === 'settle') {
            pipeline.settle();
            take();
          }
          if (what === 'click' || what === 'arrow') put += 1;
        }
        pipeline.settle();
        take();
        expect(pipeline.isEmpty).toBe(true);
        expect(taken).toEqual(taken.toSorted((a, b) => a - b));
        expect(taken.length).toBeGreaterThanOrEqual(put);
      }),
    );
  });

  test('what happens after the cut-off leaves no trace', () => {
    const pipeline = pipelineFor();
    pipeline.cutOff(2000);
    pipeline.move(1999, 1, 1);
    pipeline.move(2001, 2, 2);
    press(pipeline, 2001, 'Enter');
    expect(all(pipeline)).toEqual(['1999 move 1,1']);
  });

  test('what has no room is counted as dropped', () => {
    const pipeline = pipelineFor('shortcuts', 3);
    for (let i = 0; i < 5; i++) pipeline.button(1000 + i, true, 1, i, i);
    expect(pipeline.waiting).toBe(3);
    expect(pipeline.loss.dropped).toBe(2);
  });
});
