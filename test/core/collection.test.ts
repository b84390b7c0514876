import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../src/core/clock.ts';
import {
  admittedCount,
  type CollectionEffect,
  type CollectionEvent,
  type CollectionState,
  type ConsentStanding,
  exemptUntilBootMs,
  initialCollection,
  reasonsFor,
  type StandingExemption,
  stepCollection,
} from '../../src/core/collection.ts';
import { refreshDeadline } from '../../src/core/deadline.ts';
import { isWithinHours } from '../../src/core/hours.ts';
import { type Requester, restorePause, startPause } from '../../src/core/pause.ts';

/** A machine whose clocks move as told: sleep moves boot and wall, a clock change moves wall alone. */
class Machine implements Clock {
  wallMs = 1_780_000_000_000;
  bootMs = 1_000_000;
  monoMs = 900_000;
  boots = 0;
  get bootId(): string {
    return `boot-${this.boots}`;
  }
  now() {
    return { wallMs: this.wallMs, bootMs: this.bootMs, monoMs: this.monoMs };
  }
  run(ms: number): void {
    this.wallMs += ms;
    this.bootMs += ms;
    this.monoMs += ms;
  }
  sleep(ms: number): void {
    this.wallMs += ms;
    this.bootMs += ms;
  }
  setWall(byMs: number): void {
    this.wallMs += byMs;
  }
}

const POLICY = { hours: null, refusal: null } as const;
const EXIT_REASON = { code: 'crashed', text: 'The capture process crashed.', hint: 'wait' };

/** The state machine with a capture process that produces one event at every moment it runs, however it is told. */
class World {
  readonly machine = new Machine();
  state: CollectionState = initialCollection(this.machine.now());
  /** Generations of processes that exist, whatever the state machine believes. */
  alive = new Set<number>();
  readonly recorded: { t: number; wasAllowed: boolean }[] = [];
  effects: CollectionEffect[] = [];
  private produced: { generation: number; t: number; wasAllowed: boolean }[] = [];

  /** The oracle: kept by hand beside the state machine, from the same events. */
  consent: ConsentStanding = 'missing';
  hasPolicy = false;
  isLocked = false;
  isStopping = false;
  exemptions: StandingExemption[] = [];
  pauses = new Map<Requester, number>();

  isAllowed(): boolean {
    const now = this.machine.bootMs;
    const isPaused = [...this.pauses.values()].some((until) => until > now);
    const isExempt = this.exemptions.some(
      ({ untilBootMs, hours }) => untilBootMs > now && isWithinHours(hours, this.machine.wallMs),
    );
    return (
      this.consent === 'granted' &&
      this.hasPolicy &&
      !this.isLocked &&
      !this.isStopping &&
      !isPaused &&
      !isExempt
    );
  }

  send(event: CollectionEvent): void {
    const { state, effects } = stepCollection(this.state, event, this.machine.now());
    this.state = state;
    this.effects.push(...effects);
    for (const effect of effects) if (effect.type === 'start-child') this.alive.add(effect.generation);
  }

  /** Every live process sees input now. */
  input(): void {
    for (const generation of this.alive) {
      this.produced.push({ generation, t: this.machine.monoMs, wasAllowed: this.isAllowed() });
    }
  }

  /** Every live process hands over what it has. */
  deliver(): void {
    for (const generation of this.alive) {
      const mine = this.produced.filter((event) => event.generation === generation);
      const t = Float64Array.from(mine, (event) => event.t);
      const count = admittedCount(this.state, generation, { count: t.length, t });
      this.recorded.push(...mine.slice(0, count));
      this.produced = this.produced.filter((event) => event.generation !== generation);
    }
  }

  exit(generation: number): void {
    this.deliver();
    this.alive.delete(generation);
    this.send({ type: 'child-exited', generation, reason: EXIT_REASON });
  }
}

type Action = (world: World) => void;

const duration = fc.integer({ min: 1, max: 40_000 });
/** Always, half of all minutes, or never. */
const hours = fc.constantFrom(
  null,
  Array.from({ length: 7 }, () => Array.from({ length: 720 }, (_, n) => [2 * n, 2 * n + 1] as const)),
  Array.from({ length: 7 }, () => []),
);
const requester: fc.Arbitrary<Requester> = fc.constantFrom('person', 'uid:1001', 'uid:0');

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: duration.map(
      (ms): Action =>
        (w) =>
          w.machine.run(ms),
    ),
  },
  {
    weight: 1,
    arbitrary: duration.map(
      (ms): Action =>
        (w) =>
          w.machine.sleep(ms * 10),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -1e9, max: 1e9 }).map(
      (ms): Action =>
        (w) =>
          w.machine.setWall(ms),
    ),
  },
  { weight: 10, arbitrary: fc.constant<Action>((w) => w.input()) },
  { weight: 3, arbitrary: fc.constant<Action>((w) => w.deliver()) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<ConsentStanding>('granted', 'granted', 'granted', 'revoked', 'stale').map(
      (standing): Action =>
        (w) => {
          w.consent = standing;
          w.send({ type: 'consent', standing });
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Action>((w) => {
      w.hasPolicy = true;
      w.send({ type: 'policy', policy: POLICY });
    }),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(requester, duration).map(
      ([who, ms]): Action =>
        (w) => {
          w.pauses.set(who, w.machine.bootMs + ms);
          w.send({ type: 'pause', pause: startPause(who, ms, '', w.machine) });
        },
    ),
  },
  {
    weight: 1,
    arbitrary: requester.map(
      (by): Action =>
        (w) => {
          if (by === 'person') w.pauses.clear();
          else w.pauses.delete(by);
          w.send({ type: 'resume', by });
        },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.array(fc.record({ ms: duration, hours, isPending: fc.boolean() }), { maxLength: 2 }).map(
      (asked): Action =>
        (w) => {
          w.exemptions = asked.map(({ ms, ...rest }) => ({ untilBootMs: w.machine.bootMs + ms, ...rest }));
          w.send({ type: 'exempt', exemptions: w.exemptions });
        },
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('locked', 'unlocked', 'unlocked', 'unknown').map(
      (lock): Action =>
        (w) => {
          w.isLocked = lock !== 'unlocked';
          w.send({ type: 'lock', lock });
        },
    ),
  },
  { weight: 3, arbitrary: fc.constant<Action>((w) => w.send({ type: 'tick' })) },
  { weight: 1, arbitrary: fc.constant<Action>((w) => w.send({ type: 'retry' })) },
  {
    weight: 4,
    arbitrary: fc.constant<Action>((w) =>
      w.send({ type: 'child-ready', generation: w.state.child.generation }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.nat(5).map(
      (pick): Action =>
        (w) => {
          const generation = [...w.alive][pick % Math.max(1, w.alive.size)];
          if (generation !== undefined) w.exit(generation);
        },
    ),
  },
  // The daemon itself dies and comes back in the same boot: pauses are read back, everything else is told again.
  {
    weight: 1,
    arbitrary: fc.constant<Action>((w) => {
      const saved = w.state.pauses;
      for (const generation of w.alive) w.alive.delete(generation);
      w.isStopping = false;
      w.state = {
        ...initialCollection(w.machine.now()),
        child: { ...w.state.child, phase: 'none', cutoffMonoMs: null },
      };
      for (const pause of saved) {
        const standing = restorePause(pause, w.machine);
        if (standing !== undefined) w.send({ type: 'pause', pause: standing });
      }
      w.send({ type: 'exempt', exemptions: w.exemptions });
      w.isLocked = false;
      w.hasPolicy = true;
      w.send({ type: 'policy', policy: POLICY });
      w.send({ type: 'consent', standing: w.consent });
    }),
  },
);

function play(actions: readonly Action[], check: (world: World) => void): World {
  const world = new World();
  world.consent = 'granted';
  world.hasPolicy = true;
  world.send({ type: 'consent', standing: 'granted' });
  world.send({ type: 'policy', policy: POLICY });
  world.send({ type: 'child-ready', generation: 1 });
  for (const act of actions) {
    act(world);
    // The caller's one timer: it fires at the latest when the clocks are read next.
    world.send({ type: 'tick' });
    check(world);
  }
  return world;
}

describe('collection', () => {
  it('records no event from a moment in which capture was not allowed, whatever happens', () => {
    let recorded = 0;
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 120 }), (actions) => {
        const world = play(actions, () => undefined);
        world.deliver();
        recorded += world.recorded.length;
        return world.recorded.every((event) => event.wasAllowed);
      }),
      { numRuns: 400 },
    );
    // The property would hold for a machine that never records: this one does.
    expect(recorded).toBeGreaterThan(300);
  });

  it('is in capturing only while everything allows it', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 120 }), (actions) => {
        play(actions, (world) => {
          if (world.state.name === 'capturing') expect(world.isAllowed()).toBe(true);
          expect(reasonsFor(world.state, world.machine.now()).length === 0).toBe(
            world.state.name === 'capturing',
          );
        });
      }),
      { numRuns: 200 },
    );
  });

  it('keeps each pause exactly as long as was asked, and lets nobody but the person end the person’s', () => {
    fc.assert(
      fc.property(fc.array(action, { minLength: 20, maxLength: 120 }), (actions) => {
        play(actions, (world) => {
          const now = world.machine.bootMs;
          const expected = [...world.pauses].filter(([, until]) => until > now).map(([who]) => who);
          expect(new Set(world.state.pauses.map((pause) => pause.requester))).toEqual(new Set(expected));
        });
      }),
      { numRuns: 200 },
    );
  });

  it('asks for a wake-up no later than the end of each pause', () => {
    const machine = new Machine();
    const start = stepCollection(
      initialCollection(machine.now()),
      { type: 'pause', pause: startPause('person', 5000, '', machine) },
      machine.now(),
    );
    expect(start.wakeAtBootMs).toBe(machine.bootMs + 5000);
    machine.setWall(-86_400_000);
    expect(stepCollection(start.state, { type: 'tick' }, machine.now()).state.pauses).toHaveLength(1);
    machine.sleep(5000);
    expect(stepCollection(start.state, { type: 'tick' }, machine.now()).state.pauses).toHaveLength(0);
  });

  it('takes nothing more from a child after revocation, not even what it captured before', () => {
    const world = capturing();
    world.input();
    world.machine.run(10);
    world.send({ type: 'consent', standing: 'revoked' });
    world.deliver();
    expect(world.recorded).toEqual([]);
    expect(world.effects.at(-2)).toEqual({ type: 'stop-child', generation: 1 });
    expect(world.state.name).toBe('awaiting-consent');
  });

  it('takes what a child captured before a pause, and nothing from the moment of the pause on', () => {
    const world = capturing();
    world.input();
    world.machine.run(10);
    world.send({ type: 'pause', pause: startPause('person', 1000, '', world.machine) });
    world.input();
    world.machine.run(10);
    world.input();
    world.deliver();
    expect(world.recorded).toHaveLength(1);
  });

  it('takes nothing more from a child once its time is exempt, not even what it captured before', () => {
    const world = capturing();
    world.input();
    world.machine.run(10);
    world.send({ type: 'exempt', exemptions: [exemption(world, 60_000)] });
    world.deliver();
    expect(world.recorded).toEqual([]);
    expect(world.state.name).toBe('exempt');
  });

  it('captures outside the hours of an exemption and not within them', () => {
    const world = capturing();
    const start = new Date(world.machine.wallMs);
    const minute = start.getHours() * 60 + start.getMinutes();
    const soon: [number, number] = [minute + 1, minute + 2];
    const standing = { ...exemption(world, 86_400_000), hours: Array.from({ length: 7 }, () => [soon]) };
    world.send({ type: 'exempt', exemptions: [standing] });
    expect(world.state.name).toBe('capturing');
    expect(exemptUntilBootMs(world.state, world.machine.now())).toBeNull();
    const { wakeAtBootMs } = stepCollection(world.state, { type: 'tick' }, world.machine.now());
    world.machine.run((wakeAtBootMs ?? 0) - world.machine.bootMs);
    world.send({ type: 'tick' });
    expect(world.state.name).toBe('exempt');
    expect(exemptUntilBootMs(world.state, world.machine.now())).toBe(world.machine.bootMs + 60_000);
  });

  it('says whether an exemption stands or is only asked for', () => {
    const world = capturing();
    const pending = { ...exemption(world, 60_000), isPending: true };
    world.send({ type: 'exempt', exemptions: [pending] });
    expect(reasonsFor(world.state, world.machine.now())[0]?.code).toBe('exemption-pending');
    world.send({ type: 'exempt', exemptions: [pending, exemption(world, 1000)] });
    expect(reasonsFor(world.state, world.machine.now())[0]?.code).toBe('exempt');
    expect(exemptUntilBootMs(world.state, world.machine.now())).toBe(pending.untilBootMs);
  });

  it('forgets a stopping child’s last batch when consent is revoked before it is gone', () => {
    const world = capturing();
    world.input();
    world.machine.run(10);
    world.send({ type: 'pause', pause: startPause('person', 1000, '', world.machine) });
    world.send({ type: 'consent', standing: 'revoked' });
    world.deliver();
    expect(world.recorded).toEqual([]);
  });

  it('restarts a dying child ever more slowly, up to half a minute, and at once when told to retry', () => {
    const world = capturing();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      world.exit(world.state.child.generation);
      expect(world.state.name).toBe('blocked');
      expect(reasonsFor(world.state, world.machine.now())[0]).toEqual(EXIT_REASON);
      const at = world.state.failure?.retryAtBootMs ?? 0;
      waits.push(at - world.machine.bootMs);
      world.machine.run(at - world.machine.bootMs);
      world.send({ type: 'tick' });
      expect(world.state.child.phase).toBe('starting');
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    world.exit(world.state.child.generation);
    world.send({ type: 'retry' });
    expect(world.state.child.phase).toBe('starting');
  });

  it('starts from the shortest wait again after a child that ran for a minute', () => {
    const world = capturing();
    world.exit(1);
    world.machine.run(1000);
    world.send({ type: 'tick' });
    world.send({ type: 'child-ready', generation: 2 });
    world.machine.run(60_000);
    world.exit(2);
    expect(world.state.failure?.attempt).toBe(1);
  });

  it('shows the reasons of every obstacle, the deciding one first', () => {
    const world = capturing();
    world.send({ type: 'lock', lock: 'locked' });
    world.send({ type: 'pause', pause: startPause('uid:1001', 1000, '', world.machine) });
    const codes = reasonsFor(world.state, world.machine.now()).map((reason) => reason.code);
    expect(codes).toEqual(['paused', 'locked']);
    expect(world.state.name).toBe('paused');
  });
});

function exemption(world: World, ms: number): StandingExemption {
  return { untilBootMs: world.machine.bootMs + ms, hours: null, isPending: false };
}

function capturing(): World {
  const world = new World();
  world.send({ type: 'policy', policy: POLICY });
  world.send({ type: 'consent', standing: 'granted' });
  world.send({ type: 'child-ready', generation: 1 });
  expect(world.state.name).toBe('capturing');
  return world;
}

describe('a pause read back from disk', () => {
  it('keeps its deadline within the same boot, whatever the wall clock says', () => {
    const machine = new Machine();
    const pause = startPause('person', 60_000, '', machine);
    machine.setWall(10 * 86_400_000);
    machine.run(59_999);
    expect(restorePause(pause, machine)?.untilBootMs).toBe(pause.untilBootMs);
    machine.run(1);
    expect(restorePause(pause, machine)).toBeUndefined();
  });

  it('after a reboot never outlasts the remainder last written, and never its wall-clock deadline', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 1_800_000 }),
        fc.nat(1_800_000),
        fc.integer({ min: -4_000_000, max: 4_000_000 }),
        fc.nat(600_000),
        (askedMs, ranMs, downMs, uptimeMs) => {
          const machine = new Machine();
          const pause = startPause('person', askedMs, '', machine);
          machine.run(ranMs);
          const saved = refreshDeadline(pause, machine.now());
          machine.boots++;
          machine.setWall(downMs);
          machine.bootMs = uptimeMs;
          machine.wallMs += uptimeMs;
          const restored = restorePause(saved, machine);
          if (restored === undefined) return;
          const leftMs = restored.untilBootMs - machine.bootMs;
          expect(leftMs).toBeLessThanOrEqual(Math.max(0, askedMs - ranMs - uptimeMs));
          if (machine.wallMs >= pause.startWallMs) {
            expect(machine.wallMs + leftMs).toBeLessThanOrEqual(saved.untilWallMs);
          }
        },
      ),
    );
  });

  it('lasts as long as asked across a quick reboot with a sound clock', () => {
    const machine = new Machine();
    const saved = refreshDeadline(startPause('person', 1_800_000, '', machine), machine.now());
    machine.boots++;
    machine.setWall(20_000);
    machine.bootMs = 15_000;
    const restored = restorePause(saved, machine);
    expect((restored?.untilBootMs ?? 0) - machine.bootMs).toBe(1_780_000);
  });

  it('is bounded by uptime when the clock was set back before its start', () => {
    const machine = new Machine();
    const saved = startPause('person', 100_000, '', machine);
    machine.boots++;
    machine.setWall(-86_400_000);
    machine.bootMs = 40_000;
    expect((restorePause(saved, machine)?.untilBootMs ?? 0) - machine.bootMs).toBe(60_000);
  });
});
