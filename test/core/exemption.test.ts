import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import {
  canWithdraw,
  closesWindow,
  coversRecording,
  ERASE_REASON_AFTER_MS,
  type Exemption,
  type ExemptionEvent,
  exemptApp,
  isForgettable,
  isUndecided,
  RELEASE_AFTER_MS,
  refreshExemption,
  requestExemption,
  restoreExemption,
  standingExemption,
  stepExemption,
  treatmentOf,
  wakeAtBootMs,
} from '../../src/core/exemption.ts';
import { parseScope, touchesHours } from '../../src/core/exemption-scope.ts';
import { parseHours } from '../../src/core/hours.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

class Machine implements Clock {
  wallMs = Date.UTC(2026, 6, 1, 8);
  bootMs = 1_000_000;
  /** What a clock shows that nobody can set. */
  trueMs = 0;
  boots = 0;
  get bootId(): string {
    return `boot-${this.boots}`;
  }
  now() {
    return { wallMs: this.wallMs, bootMs: this.bootMs, monoMs: this.bootMs };
  }
  run(ms: number): void {
    this.wallMs += ms;
    this.bootMs += ms;
    this.trueMs += ms;
  }
}

interface Recording {
  readonly sequence: number;
  readonly startWallMs: number;
  lastEventWallMs: number;
  /** Requests that were undecided, and not over, at a moment of it. */
  readonly asked: Set<string>;
  fate: 'here' | 'sent' | 'deleted';
}

/** A daemon that records all the time, whose collector and person do as they are told; the oracle stands beside it. */
class World {
  readonly machine = new Machine();
  exemptions: Exemption[] = [];
  readonly recordings: Recording[] = [];
  open: Recording | null = null;
  nextSequence = 1;
  readonly deniedAt = new Map<string, number>();
  readonly approved = new Set<string>();
  readonly withdrawn = new Set<string>();
  /** When each ends, by the clock that nobody can set. */
  readonly endsAt = new Map<string, number>();

  record(): void {
    const { wallMs, trueMs } = this.machine;
    this.open ??= {
      sequence: this.nextSequence++,
      startWallMs: wallMs,
      lastEventWallMs: wallMs,
      asked: new Set(),
      fate: 'here',
    };
    if (!this.recordings.includes(this.open)) this.recordings.push(this.open);
    this.open.lastEventWallMs = Math.max(this.open.lastEventWallMs, wallMs);
    for (const { id } of this.exemptions) {
      const isDecided = this.deniedAt.has(id) || this.approved.has(id) || this.withdrawn.has(id);
      if (!isDecided && trueMs < (this.endsAt.get(id) ?? 0)) this.open.asked.add(id);
    }
  }

  request(ms: number): void {
    this.open = null;
    const id = `request-${this.exemptions.length}`;
    this.endsAt.set(id, this.machine.trueMs + ms);
    this.exemptions.push(
      requestExemption({ id, scope: 'all', destination: '', durationMs: ms, reason: 'YWdl' }, this.moment()),
    );
  }

  send(pick: number, event: ExemptionEvent): void {
    const at = pick % Math.max(1, this.exemptions.length);
    const before = this.exemptions[at];
    if (before === undefined) return;
    if (closesWindow(before, event, this.machine.now())) this.open = null;
    const after = stepExemption(before, event, this.moment());
    if (event.type === 'decided' && after.decision !== before.decision) {
      if (event.decision.verdict === 'denied') this.deniedAt.set(before.id, this.machine.trueMs);
      else this.approved.add(before.id);
    }
    if (after.state === 'withdrawn') this.withdrawn.add(before.id);
    this.exemptions[at] = after;
  }

  /** What the daemon does all the time: it ticks, deletes what is to be deleted, and sends what is free. */
  work(): void {
    for (const at of this.exemptions.keys()) this.send(at, { type: 'tick' });
    for (const [at, exemption] of this.exemptions.entries()) {
      if (!exemption.isClearing) continue;
      for (const found of this.here()) if (coversRecording(exemption, found)) found.fate = 'deleted';
      this.send(at, { type: 'cleared' });
    }
    const now = this.machine.now();
    for (const found of this.here()) {
      if (found === this.open) continue;
      const isHeld = this.exemptions.some(
        (exemption) => treatmentOf(exemption, now) !== 'free' && coversRecording(exemption, found),
      );
      if (!isHeld) found.fate = 'sent';
    }
  }

  restart(downMs: number, wallJumpMs: number): void {
    const saved = this.exemptions.map((exemption) => refreshExemption(exemption, this.machine.now()));
    this.open = null;
    if (downMs > 0) {
      this.machine.boots++;
      this.machine.bootMs = 5000;
      this.machine.trueMs += downMs;
      this.machine.wallMs += downMs + wallJumpMs;
    }
    this.exemptions = saved.map((exemption) => restoreExemption(exemption, this.machine));
  }

  here(): Recording[] {
    return this.recordings.filter(({ fate }) => fate === 'here');
  }

  moment() {
    return { clock: this.machine, nextSequence: this.nextSequence };
  }
}

type Action = (world: World) => void;
const decision = (verdict: 'approved' | 'denied') => ({ verdict, by: 'Ada', reason: 'because' });

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: span(2 * HOUR_MS).map(
      (ms): Action =>
        (w) =>
          w.machine.run(ms),
    ),
  },
  {
    weight: 2,
    arbitrary: span(20 * HOUR_MS).map(
      (ms): Action =>
        (w) =>
          w.machine.run(ms),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -1e9, max: 1e9 }).map(
      (ms): Action =>
        (w) =>
          (w.machine.wallMs += ms),
    ),
  },
  { weight: 8, arbitrary: fc.constant<Action>((w) => w.record()) },
  { weight: 3, arbitrary: fc.constant<Action>((w) => (w.open = null)) },
  {
    weight: 2,
    arbitrary: span(5 * DAY_MS).map(
      (ms): Action =>
        (w) =>
          w.request(ms),
    ),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.nat(5),
        fc.constantFrom<ExemptionEvent>(
          { type: 'delivered', what: 'request' },
          { type: 'decided', decision: decision('approved') },
          { type: 'decided', decision: decision('denied') },
          { type: 'decided', decision: decision('denied') },
          { type: 'withdraw' },
        ),
      )
      .map(
        ([pick, event]): Action =>
          (w) =>
            w.send(pick, event),
      ),
  },
  {
    weight: 1,
    // A clock that was set forward while the machine was off looks like a longer time off: nobody can tell.
    arbitrary: fc.tuple(span(3 * DAY_MS), fc.integer({ min: -1e9, max: 0 }), fc.boolean()).map(
      ([ms, jump, isReboot]): Action =>
        (w) =>
          w.restart(isReboot ? ms : 0, jump),
    ),
  },
);

function span(max: number): fc.Arbitrary<number> {
  return fc.integer({ min: 1, max });
}

function play(actions: readonly Action[]): World {
  const world = new World();
  for (const act of actions) {
    act(world);
    world.work();
  }
  return world;
}

describe('exemptions', () => {
  it('let nothing of an undecided time leave before a day after its denial, whatever happens', () => {
    let released = 0;
    let free = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 100 }), (actions) => {
        const world = new World();
        for (const act of actions) {
          act(world);
          const before = new Set(world.here());
          world.work();
          for (const found of before) {
            if (found.fate !== 'sent') continue;
            if (found.asked.size === 0) free++;
            for (const id of found.asked) {
              if (world.withdrawn.has(id)) continue;
              const waitedMs = world.machine.trueMs - (world.deniedAt.get(id) ?? Infinity);
              expect(waitedMs).toBeGreaterThanOrEqual(RELEASE_AFTER_MS);
              released++;
            }
          }
        }
      }),
      { numRuns: 800 },
    );
    // The property would hold for a daemon that never sends: this one does, and after a denial too.
    expect(free).toBeGreaterThan(100);
    expect(released).toBeGreaterThan(15);
  });

  it('leave nothing of an approved time, neither here nor sent', () => {
    let deleted = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 100 }), (actions) => {
        const world = play(actions);
        for (const found of world.recordings) {
          if ([...found.asked].some((id) => world.approved.has(id))) expect(found.fate).toBe('deleted');
          if (found.fate === 'deleted') deleted++;
        }
      }),
      { numRuns: 800 },
    );
    expect(deleted).toBeGreaterThan(15);
  });

  it('move only forwards, each into a state that may follow its own', () => {
    const after: Record<string, readonly string[]> = {
      queued: ['queued', 'pending', 'approved', 'denied', 'expired', 'withdrawn'],
      pending: ['pending', 'approved', 'denied', 'expired', 'withdrawn'],
      approved: ['approved', 'expired', 'withdrawn'],
      denied: ['denied'],
      expired: ['expired'],
      withdrawn: ['withdrawn'],
    };
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 100 }), (actions) => {
        const world = new World();
        for (const act of actions) {
          const before = new Map(
            world.exemptions.map(({ id, state, decision: found }) => [id, { state, found }]),
          );
          act(world);
          world.work();
          for (const { id, state, decision: found } of world.exemptions) {
            const was = before.get(id);
            if (was === undefined) continue;
            expect(after[was.state]).toContain(state);
            if (was.found !== null) expect(found).toEqual(was.found);
          }
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('an exemption', () => {
  it('keeps capture off from its approval to its end, and not before unless the policy wants that', () => {
    const { machine, asked, moment } = request('all', 7 * DAY_MS);
    expect(standingExemption(asked, 'withhold', machine.now())).toBeNull();
    expect(standingExemption(asked, 'pause', machine.now())).toEqual({
      untilBootMs: machine.bootMs + 7 * DAY_MS,
      hours: null,
      isPending: true,
    });
    machine.run(HOUR_MS);
    const approved = stepExemption(asked, { type: 'decided', decision: decision('approved') }, moment());
    expect(standingExemption(approved, 'withhold', machine.now())).toEqual({
      untilBootMs: asked.end.untilBootMs,
      hours: null,
      isPending: false,
    });
    machine.run(7 * DAY_MS - HOUR_MS);
    const over = stepExemption(approved, { type: 'tick' }, moment());
    expect(over.state).toBe('expired');
    expect(standingExemption(over, 'pause', machine.now())).toBeNull();
  });

  it('is over when its author takes it back', () => {
    const { machine, asked, moment } = request('all', DAY_MS);
    const approved = stepExemption(asked, { type: 'decided', decision: decision('approved') }, moment());
    const withdrawn = stepExemption(approved, { type: 'withdraw' }, moment());
    expect(withdrawn).toMatchObject({ state: 'withdrawn', reason: null, isWithdrawalDue: true });
    expect(standingExemption(withdrawn, 'pause', machine.now())).toBeNull();
    expect(canWithdraw(withdrawn)).toBe(false);
    const late = stepExemption(withdrawn, { type: 'delivered', what: 'request' }, moment());
    expect(late.isWithdrawalDue).toBe(true);
    expect(stepExemption(late, { type: 'delivered', what: 'withdrawal' }, moment()).isWithdrawalDue).toBe(
      false,
    );
  });

  it('of an application is in force from the moment of asking, and withholds nothing else', () => {
    const { machine, asked, moment } = request('app:Signal', DAY_MS);
    expect(exemptApp(asked, machine.now())).toBe('Signal');
    expect(standingExemption(asked, 'pause', machine.now())).toBeNull();
    expect(
      coversRecording(asked, { sequence: 9, startWallMs: machine.wallMs, lastEventWallMs: machine.wallMs }),
    ).toBe(false);
    const denied = stepExemption(asked, { type: 'decided', decision: decision('denied') }, moment());
    expect(exemptApp(denied, machine.now())).toBeNull();
  });

  it('of some hours is about what was recorded in them alone', () => {
    const { machine, asked } = request('hours:Mon-Sun 12:00-13:00', 7 * DAY_MS);
    const noon = new Date(machine.wallMs).setHours(12, 0, 0, 0) + DAY_MS;
    const span = (fromMs: number, untilMs: number) =>
      coversRecording(asked, { sequence: 9, startWallMs: noon + fromMs, lastEventWallMs: noon + untilMs });
    expect(span(-HOUR_MS, -1)).toBe(false);
    expect(span(-HOUR_MS, 0)).toBe(true);
    expect(span(HOUR_MS / 2, 2 * HOUR_MS)).toBe(true);
    expect(span(HOUR_MS, 2 * HOUR_MS)).toBe(false);
  });

  it('that nobody decides stays decidable for a month after its end, and its recordings never leave', () => {
    const { machine, asked, moment } = request('all', HOUR_MS);
    machine.run(29 * DAY_MS);
    const waiting = stepExemption(asked, { type: 'tick' }, moment());
    expect(isUndecided(waiting)).toBe(true);
    expect(waiting.window.to).not.toBeNull();
    machine.run(3 * DAY_MS);
    const given = stepExemption(waiting, { type: 'tick' }, moment());
    expect(given).toMatchObject({ state: 'expired', reason: null });
    expect(treatmentOf(given, machine.now())).toBe('keep');
    const late = stepExemption(given, { type: 'decided', decision: decision('denied') }, moment());
    expect(late).toEqual(given);
  });

  it('loses its reason thirty days after the decision, and wakes up for that', () => {
    const { machine, asked, moment } = request('all', 90 * DAY_MS);
    const decided = stepExemption(asked, { type: 'decided', decision: decision('denied') }, moment());
    machine.run(ERASE_REASON_AFTER_MS - 1);
    expect(stepExemption(decided, { type: 'tick' }, moment()).reason).toBe('YWdl');
    machine.run((wakeAtBootMs(decided, machine.now()) ?? 0) - machine.bootMs);
    const erased = stepExemption(decided, { type: 'tick' }, moment());
    expect(erased).toMatchObject({ state: 'denied', reason: null, decision: { reason: 'because' } });
    expect(isForgettable(erased, machine.now())).toBe(false);
    machine.run(500 * DAY_MS);
    expect(isForgettable(erased, machine.now())).toBe(true);
  });

  it('wakes at every moment that matters to it', () => {
    const { machine, asked, moment } = request('all', DAY_MS);
    const wakeInMs = (exemption: Exemption) => (wakeAtBootMs(exemption, machine.now()) ?? 0) - machine.bootMs;
    expect(wakeInMs(asked)).toBe(DAY_MS);
    const denied = stepExemption(asked, { type: 'decided', decision: decision('denied') }, moment());
    expect(wakeInMs(denied)).toBe(RELEASE_AFTER_MS);
    machine.run(RELEASE_AFTER_MS);
    expect(wakeInMs(denied)).toBe(ERASE_REASON_AFTER_MS - RELEASE_AFTER_MS);
    const hours = request('hours:Mon-Sun 12:00-13:00', 7 * DAY_MS);
    const inMs = (wakeAtBootMs(hours.asked, hours.machine.now()) ?? 0) - hours.machine.bootMs;
    expect(new Date(hours.machine.wallMs + inMs).getHours()).toBe(12);
  });
});

function request(scope: string, durationMs: number) {
  const machine = new Machine();
  const moment = () => ({ clock: machine, nextSequence: 5 });
  return {
    machine,
    moment,
    asked: requestExemption({ id: 'x', scope, destination: '', durationMs, reason: 'YWdl' }, moment()),
  };
}

describe('the scope of an exemption', () => {
  it.each(['all', 'app:Signal', 'app:Visual Studio Code', 'hours:Mon-Fri 12:00-13:00'])('takes %s', (text) =>
    expect(parseScope(text)).toBeDefined(),
  );
  it.each([
    '',
    'everything',
    'app:',
    'app: ',
    'app:a\nb',
    'hours:',
    'hours:noon',
    'hours:never',
    'All',
    `app:${'x'.repeat(300)}`,
  ])('refuses %j', (text) => expect(parseScope(text)).toBeUndefined());

  it('touches hours that begin within a stretch of time, and none after it', () => {
    const hours = parseHours('Mon-Sun 12:00-13:00') ?? [];
    const noon = new Date(2026, 6, 1, 12).getTime();
    expect(touchesHours(hours, noon - 1000, noon - 1)).toBe(false);
    expect(touchesHours(hours, noon - 1000, noon)).toBe(true);
    expect(touchesHours(hours, noon + 2 * HOUR_MS, noon + 2 * HOUR_MS)).toBe(false);
  });
});
