import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FocusGuard } from '../../src/capture/child/focus-guard.ts';
import type { FocusHost, FocusSource } from '../../src/capture/child/focus-source.ts';
import { Pipeline } from '../../src/capture/child/pipeline.ts';
import { KIND, MOD, unpackKeyDetail } from '../../src/core/events.ts';
import type { Focus, FocusRules, KeysShown } from '../../src/core/focus.ts';
import { keyCode, keyId } from '../../src/core/keys.ts';

const EDITOR: Focus = { kind: 'window', pid: 1, facts: { names: ['Editor'], titles: ['Notes'] } };
const MANAGER: Focus = { kind: 'window', pid: 2, facts: { names: ['KeePassXC'], titles: ['Passwords'] } };
const TERMINAL: Focus = { kind: 'window', pid: 3, facts: { names: ['XTerm'], titles: [''] } };
const SECRET: Focus = { kind: 'secret' };

/** A child's inside from what a back end sees to what leaves, with a focus and a clock that the test moves. */
class Desk implements FocusSource {
  nowMs = 10_000;
  isCertain = true;
  gateSays: KeysShown = 'editor';
  readonly left: string[] = [];
  readonly withheldFromMs: number[] = [];
  readonly pipeline: Pipeline;
  readonly guard: FocusGuard;
  #host: FocusHost | null = null;

  constructor(rules: Partial<FocusRules> = {}) {
    this.pipeline = new Pipeline({
      mouseHz: 20,
      knows: { isAltCertain: true },
      maxWaiting: 10_000,
      ripens: true,
    });
    this.guard = new FocusGuard({
      rules: {
        keys: 'shortcuts',
        fullApps: ['XTerm'],
        focusUnknown: 'no-keys',
        exclude: { apps: ['keepassxc'], titles: [] },
        ...rules,
      },
      source: this,
      gate: { look: () => this.gateSays, glance: () => this.gateSays },
      pipeline: this.pipeline,
      nowMonoMs: () => this.nowMs,
      delay: (ms, fire) => {
        this.nowMs += ms;
        queueMicrotask(() => queueMicrotask(() => queueMicrotask(fire)));
        return () => undefined;
      },
      changed: (_, fromMs) => {
        if (fromMs !== null) this.withheldFromMs.push(fromMs);
      },
    });
  }

  start(host: FocusHost): Promise<void> {
    this.#host = host;
    return Promise.resolve();
  }

  confirm(): Promise<boolean> {
    return Promise.resolve(this.isCertain);
  }

  stop(): void {
    // Nothing is held.
  }

  async begin(focus: Focus): Promise<this> {
    await this.guard.start(() => undefined, new AbortController().signal);
    this.focus(focus);
    return this;
  }

  focus(focus: Focus): void {
    this.#host?.changed(focus, this.nowMs);
  }

  key(code: string, isDown: boolean, mods = 0): void {
    this.pipeline.key(this.nowMs, isDown, keyId(code), keyId(code), mods, false);
  }

  async tick(): Promise<void> {
    this.pipeline.settle();
    await this.guard.ripen();
    this.#take();
  }

  async stopNow(): Promise<void> {
    this.pipeline.cutOff(this.nowMs);
    await this.guard.lastLook(this.nowMs);
    this.pipeline.settle();
    this.#take();
  }

  #take(): void {
    const { count, t, kind, x, a, b } = this.pipeline.take(this.pipeline.countReady());
    for (let i = 0; i < count; i++) {
      const isKey = (kind[i] ?? 0) >= KIND.keydown;
      const { keyClass } = unpackKeyDetail(b[i] ?? 0);
      const what = isKey ? (keyCode(a[i] ?? 0) ?? keyClass) : x[i];
      this.left.push(`${t[i]} ${Object.keys(KIND)[kind[i] ?? 0]} ${what}`);
    }
  }
}

describe('events ripen', () => {
  test('for half a second, then leave', async () => {
    const desk = await new Desk().begin(EDITOR);
    desk.key('Enter', true);
    desk.nowMs += 499;
    await desk.tick();
    expect(desk.left).toEqual([]);
    desk.nowMs += 101;
    await desk.tick();
    expect(desk.left).toEqual(['10000 keydown Enter']);
  });

  test('only while it is certain what is in use', async () => {
    const desk = await new Desk().begin(EDITOR);
    desk.key('Enter', true);
    desk.nowMs += 5000;
    desk.isCertain = false;
    await desk.tick();
    expect(desk.left).toEqual([]);
    desk.isCertain = true;
    await desk.tick();
    expect(desk.left).toHaveLength(1);
  });

  test('and those that have not are thrown away by a switch to what is excluded, stamps before it or not', async () => {
    const desk = await new Desk().begin(EDITOR);
    desk.key('ArrowUp', true);
    desk.nowMs += 700;
    await desk.tick();
    desk.key('F2', true);
    desk.nowMs += 15;
    desk.focus(MANAGER);
    desk.key('F3', true);
    desk.nowMs += 2000;
    // Late from the source, and stamped before the switch.
    desk.pipeline.key(10_710, true, 1, keyId('F4'), 0, false);
    await desk.tick();
    desk.focus(EDITOR);
    desk.pipeline.key(desk.nowMs - 1, true, 2, keyId('F5'), 0, false);
    desk.key('ArrowDown', true);
    desk.nowMs += 700;
    await desk.tick();
    expect(desk.left).toEqual(['10000 keydown ArrowUp', '12715 keydown ArrowDown']);
    expect(desk.withheldFromMs).toEqual([10_700]);
  });

  test('and those that have are ready at once, so that they leave before what follows', async () => {
    const desk = await new Desk().begin(EDITOR);
    desk.key('Enter', true);
    desk.nowMs += 700;
    await desk.guard.ripen();
    expect(desk.pipeline.countReady()).toBe(0);
    desk.focus(MANAGER);
    expect(desk.pipeline.countReady()).toBe(1);
  });

  test('and how many were thrown away is not told', async () => {
    const counts = await Promise.all(
      [1, 12].map(async (keys) => {
        const desk = await new Desk().begin(EDITOR);
        desk.focus(MANAGER);
        for (let i = 0; i < keys; i++) desk.key('KeyA', i % 2 === 0);
        desk.focus(EDITOR);
        return desk.pipeline.loss.redacted;
      }),
    );
    expect(counts[0]).toBe(counts[1]);
  });

  test('a stop hands over the last of them only when a last look says that nothing has changed', async () => {
    const good = await new Desk().begin(EDITOR);
    good.key('Enter', true);
    await good.stopNow();
    expect(good.left).toHaveLength(1);

    const doubtful = await new Desk().begin(EDITOR);
    doubtful.key('Enter', true);
    doubtful.isCertain = false;
    await doubtful.stopNow();
    expect(doubtful.left).toEqual([]);
  });
});

describe('keys over a switch to what is excluded', () => {
  test('that went down there are not seen to come up, nor to repeat', async () => {
    const desk = await new Desk().begin(EDITOR);
    desk.focus(MANAGER);
    desk.key('Enter', true);
    desk.nowMs += 20;
    desk.focus(EDITOR);
    desk.key('Enter', true);
    desk.nowMs += 30;
    // Repeats of a server that sends them as pairs.
    desk.key('Enter', false);
    desk.key('Enter', true);
    desk.nowMs += 30;
    desk.key('Enter', false);
    desk.nowMs += 30;
    desk.key('Enter', true);
    desk.key('Tab', false);
    desk.nowMs += 700;
    await desk.tick();
    expect(desk.left).toEqual(['10110 keydown Enter']);
  });

  test('are not seen to come up either when capture began there', async () => {
    const desk = await new Desk().begin(MANAGER);
    desk.nowMs += 20;
    desk.focus(EDITOR);
    desk.key('Enter', false);
    desk.nowMs += 700;
    await desk.tick();
    expect(desk.left).toEqual([]);
  });

  test('make no shortcut of prose: Alt let go there is not held here', async () => {
    const desk = await new Desk().begin(EDITOR);
    desk.key('AltLeft', true, MOD.alt);
    desk.focus(MANAGER);
    desk.key('AltLeft', false, MOD.alt);
    desk.focus(EDITOR);
    for (const code of ['KeyH', 'KeyI']) {
      desk.nowMs += 100;
      desk.key(code, true);
      desk.key(code, false);
    }
    desk.nowMs += 700;
    await desk.tick();
    expect(desk.left.filter((row) => row.includes('keydown'))).toEqual([
      '10100 keydown text',
      '10200 keydown text',
    ]);
  });
});

describe('keys in an application that may have all of them recorded', () => {
  test('are by name while its terminal shows them, by class while it reads key by key, and nothing for a secret', async () => {
    const desk = await new Desk({ keys: 'full' }).begin(TERMINAL);
    const type = async (says: typeof desk.gateSays): Promise<string[]> => {
      desk.gateSays = says;
      await desk.tick();
      desk.left.length = 0;
      desk.key('KeyQ', true);
      desk.key('KeyQ', false);
      desk.nowMs += 700;
      await desk.tick();
      return desk.left.map((row) => row.split(' ')[2] ?? '');
    };
    expect(await type('editor')).toEqual(['KeyQ', 'KeyQ']);
    expect(await type('unclear')).toEqual(['text', 'text']);
    expect(await type('secret')).toEqual([]);
    expect(await type('editor')).toEqual(['KeyQ', 'KeyQ']);
  });

  test('are not by name in any other, also not those typed just before the switch to it was told', async () => {
    const desk = await new Desk({ keys: 'full' }).begin(TERMINAL);
    desk.key('KeyQ', true);
    desk.nowMs += 15;
    desk.focus(EDITOR);
    desk.key('KeyW', true);
    desk.nowMs += 700;
    await desk.tick();
    expect(desk.left.map((row) => row.split(' ')[2])).toEqual(['text', 'text']);
    expect(desk.left.every((row) => row.startsWith('10000'))).toBe(true);
  });
});

describe('whatever happens when', () => {
  const step = fc.record({
    gapMs: fc.oneof(fc.nat(30), fc.nat(900)),
    what: fc.constantFrom('move', 'down', 'up', 'down', 'up', 'tick', 'good', 'bad', 'grabbed'),
    code: fc.constantFrom('Enter', 'Tab', 'F5', 'ArrowUp'),
  });

  test('nothing leaves from a bad stretch, nor from the half second before it; all else does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (script) => {
        const desk = await new Desk().begin(EDITOR);
        const bad: { fromMs: number; toMs: number }[] = [];
        let moves = 0;
        for (const { gapMs, what, code } of script) {
          desk.nowMs += gapMs;
          const open = bad.at(-1);
          const isBad = open !== undefined && open.toMs === Infinity;
          if (what === 'move') desk.pipeline.move(desk.nowMs, ++moves, 0);
          if (what === 'down' || what === 'up') desk.key(code, what === 'down');
          if (what === 'tick') await desk.tick();
          if (what === 'good') desk.focus(EDITOR);
          if (what === 'good' && isBad) open.toMs = desk.nowMs;
          if (what === 'bad' || what === 'grabbed') desk.focus(what === 'bad' ? MANAGER : SECRET);
          if ((what === 'bad' || what === 'grabbed') && !isBad)
            bad.push({ fromMs: desk.nowMs, toMs: Infinity });
        }
        await desk.stopNow();

        const left = desk.left.map((row) => ({ t: Number(row.split(' ')[0]), row }));
        for (const { t, row } of left) {
          const caught = bad.find(({ fromMs, toMs }) => t >= fromMs - 500 && t < toMs);
          expect(caught, row).toBeUndefined();
        }
        // A key that comes up went down before, with nothing bad between.
        for (const [index, { t, row }] of left.entries()) {
          if (!row.includes('keyup')) continue;
          const press = left
            .slice(0, index)
            .findLast((before) => before.row.endsWith(`keydown ${row.split(' ')[2]}`));
          const pressedMs = press?.t ?? Number.NEGATIVE_INFINITY;
          const isFirst = press === undefined && bad.every(({ fromMs }) => fromMs > t);
          expect(isFirst || !bad.some(({ fromMs }) => fromMs > pressedMs && fromMs <= t), row).toBe(true);
        }
        // Without anything bad nothing is lost.
        const kept = left.filter(({ row }) => row.includes(' move ')).length;
        if (bad.length === 0) expect(kept + desk.pipeline.loss.thinned).toBe(moves);
      }),
      { numRuns: 300 },
    );
  });
});
