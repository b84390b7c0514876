import { expect, test } from 'vitest';
import { Batcher } from '../../src/capture/child/batcher.ts';
import { Pipeline } from '../../src/capture/child/pipeline.ts';

const SMALL = [{ x: 0, y: 0, width: 640, height: 480, scale: 1 }];
const LARGE = [{ x: 0, y: 0, width: 1280, height: 800, scale: 1 }];

function batcherFor() {
  const said: string[] = [];
  const timers: (() => void)[] = [];
  const pipeline = new Pipeline({
    mouseHz: 1000,
    knows: { isAltCertain: true },
    maxWaiting: 1000,
    ripens: false,
  });
  pipeline.allow(0, 'shortcuts');
  const batcher = new Batcher({
    pipeline,
    outlet: {
      send: ({ count, t }) => {
        if (count > 0) said.push(`moves ${[...t.subarray(0, count)].join(' ')}`);
      },
      sendScreens: ([screen]) => said.push(`screen ${screen?.width}`),
      isFull: false,
    },
    delay: (_, fire) => {
      timers.push(fire);
      return () => undefined;
    },
    intervalMs: 1000,
    poke: () => undefined,
    ripen: () => Promise.resolve(),
  });
  const move = (tMs: number): void => {
    pipeline.move(tMs, tMs, 0);
    batcher.onInput();
  };
  const tick = async (): Promise<void> => {
    for (const fire of timers.splice(0)) fire();
    await Promise.resolve();
    await Promise.resolve();
  };
  return { batcher, said, move, tick, timers };
}

test('a change of the screens is told between the events of before and those of after it', async () => {
  const { batcher, said, move, tick } = batcherFor();
  for (const tMs of [1000, 1110, 1120]) move(tMs);
  // Told late: events of after it are waiting already.
  move(1150);
  batcher.screens(1130, SMALL);
  move(1320);
  batcher.screens(1310, LARGE);
  move(1450);
  await tick();
  expect(said).toEqual(['moves 1000 1110 1120', 'screen 640', 'moves 1150', 'screen 1280', 'moves 1320']);
});

test('a change of the screens waits while earlier events may still come', async () => {
  const { batcher, said, move, tick } = batcherFor();
  move(1000);
  batcher.screens(1050, SMALL);
  await tick();
  expect(said).toEqual([]);
  // Silence decides: nothing of before will come.
  await tick();
  expect(said).toEqual(['moves 1000', 'screen 640']);
});

test('a change of the screens in silence is told by itself, and leaves nothing to wait for', async () => {
  const { batcher, said, tick, timers } = batcherFor();
  batcher.screens(5000, SMALL);
  await tick();
  expect(said).toEqual(['screen 640']);
  expect(timers).toEqual([]);
});

test('all changes of the screens are told at the end', () => {
  const { batcher, said, move } = batcherFor();
  move(1000);
  batcher.screens(1050, SMALL);
  move(1060);
  batcher.finish();
  expect(said).toEqual(['moves 1000', 'screen 640', 'moves 1060']);
});
