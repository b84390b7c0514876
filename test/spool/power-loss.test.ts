import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { MemoryDisk } from './memory-disk.ts';
import { type Deed, type Ending, PowerLife } from './power-life.ts';

interface Step {
  readonly deed: Deed;
  /** So many calls of the disk into this step the process ends; `null`: it does not. */
  readonly ending: (Ending & { readonly afterCalls: number }) | null;
}

const DEED = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<Deed>('open', 'open-encrypted', 'close') },
  { weight: 4, arbitrary: fc.constantFrom<Deed>('append', 'append', 'sync') },
  { weight: 4, arbitrary: fc.constantFrom<Deed>('seal', 'take', 'sent') },
  { weight: 1, arbitrary: fc.constantFrom<Deed>('return', 'refuse', 'limits', 'stop') },
);

const ENDING = fc.record({
  how: fc.constantFrom(
    'nothing' as const,
    'random' as const,
    'random' as const,
    'everything' as const,
    'kill' as const,
  ),
  seed: fc.integer(),
  afterCalls: fc.integer({ min: 0, max: 12 }),
});

const STEPS = fc.array(
  fc.record<Step>({
    deed: DEED,
    ending: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: ENDING }),
  }),
  { minLength: 10, maxLength: 40 },
);

/** Lives through the steps; rejects at the first promise that was not kept. */
async function live(
  steps: readonly Step[],
  ignoredSyncs: MemoryDisk['ignoredSyncs'] = 'none',
): Promise<void> {
  const life = new PowerLife();
  await life.begin();
  life.disk.ignoredSyncs = ignoredSyncs;
  for (const { deed, ending } of steps) {
    life.disk.callsToPowerCut = ending?.afterCalls ?? Infinity;
    await throughPowerCut(life, () => life.do(deed));
    if (ending === null) continue;
    // The first start after it may be cut short as well.
    life.disk.isOff = true;
    life.disk.reboot(ending.how === 'kill' ? 'everything' : ending.how, ending.seed);
    life.disk.callsToPowerCut = ending.afterCalls;
    await throughPowerCut(life, () => life.begin());
    await life.restart(ending);
  }
  await life.restart({ how: 'nothing', seed: 0 });
}

/** Whatever an operation makes of the calls that fail when the power has gone is of no account: its process is dead. */
async function throughPowerCut(life: PowerLife, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!life.disk.isOff) throw error;
  }
}

it('whenever the power goes, what was promised is there, once and whole, and what is lost shows', async () => {
  await fc.assert(
    fc.asyncProperty(STEPS, (steps) => live(steps)),
    { numRuns: 80 },
  );
});

it.each(['files', 'folders'] as const)('a disk that syncs no %s is found out', async (ignored) => {
  const { failed } = await fc.check(
    fc.asyncProperty(STEPS, (steps) => live(steps, ignored)),
    { numRuns: 300, endOnFailure: true },
  );
  expect(failed).toBe(true);
});
