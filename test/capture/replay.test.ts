import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { KIND, packKeyDetail } from '../../src/core/events.ts';
import { keyId } from '../../src/core/keys.ts';
import { buildChild, TestChild, temporaryFolder } from './child-bundle.ts';
import { CONFIG } from './child-config.ts';

const HEADER = 't_us,kind,x,y,a,b';

describe('replay of a recording', { timeout: 20_000 }, () => {
  let bundle: Awaited<ReturnType<typeof buildChild>>;
  let folder: string;
  let child: TestChild;

  beforeAll(async () => {
    bundle = await buildChild();
    folder = await temporaryFolder();
  });
  afterEach(async () => {
    await child.child.stop();
  });
  afterAll(async () => {
    await bundle.remove();
  });

  const replay = async (
    lines: readonly string[],
    speed: number | 'max' = 'max',
    mouseHz = 1000,
  ): Promise<void> => {
    const file = join(folder, `recording-${Math.trunc(performance.now())}.csv`);
    await writeFile(file, [HEADER, ...lines, ''].join('\n'));
    await play(file, speed, mouseHz);
  };
  const play = async (file: string, speed: number | 'max' = 'max', mouseHz = 1000): Promise<void> => {
    child = new TestChild(bundle.entryFile, {});
    await child.start({ ...CONFIG, mouseHz, replay: { file, speed } });
    await child.until(() => child.isGone || child.messages.some((message) => message.type === 'end'));
  };

  test('gives exactly the expected columns', async () => {
    await replay([
      '0,0,500,400,0,0',
      '8000,0,510,400,0,0',
      '9000,1,510,401,1,0',
      '80500,2,510,401,1,0',
      '90000,3,510,401,0,-2',
      '100000,4,0,0,29,0', // Ctrl down
      '110000,4,0,0,46,0', // C down
      '120000,5,0,0,46,0',
      '130000,5,0,0,29,0',
      '234000,4,0,0,30,0', // A down
      '300000,6,0,0,30,0', // A repeats
      '310000,5,0,0,30,0',
      '320000,4,0,0,105,0', // Left down
      '330000,6,0,0,105,0',
    ]);
    expect(child.info).toEqual({
      backend: 'replay',
      coordinates: 'absolute',
      screens: [],
      why: 'a recording is replayed',
    });
    const batches = child.messages.filter((message) => message.type === 'batch');
    const ctrl = packKeyDetail('modifier', false, 2);
    const chord = packKeyDetail('text', false, 2);
    const { move, down, up, wheel, keydown, keyup } = KIND;
    expect(
      child.events.map(({ t, x, y, a, b, kind }) => [t, KIND[kind as keyof typeof KIND], x, y, a, b]),
    ).toEqual([
      [0, move, 500, 400, 0, 0],
      [8, move, 510, 400, 0, 0],
      [9, down, 510, 401, 1, 0],
      [80, up, 510, 401, 1, 0],
      [90, wheel, 510, 401, 0, -2],
      [100, keydown, 510, 401, keyId('ControlLeft'), ctrl],
      [110, keydown, 510, 401, keyId('KeyC'), chord],
      [120, keyup, 510, 401, keyId('KeyC'), chord],
      [130, keyup, 510, 401, keyId('ControlLeft'), packKeyDetail('modifier', false, 0)],
      [200, keydown, 510, 401, 0, 0],
      [200, keyup, 510, 401, 0, 0],
      [300, keydown, 510, 401, 0, packKeyDetail('text', true, 0)],
      [320, keydown, 510, 401, keyId('ArrowLeft'), packKeyDetail('navigation', false, 0)],
      [330, keydown, 510, 401, keyId('ArrowLeft'), packKeyDetail('navigation', true, 0)],
    ]);
    expect(batches.at(-1)?.loss).toEqual({ thinned: 0, redacted: 3, dropped: 0 });
    expect(child.isGone).toBe(false);
  });

  test('a hundred thousand events come through at full speed, all of them, in order', async () => {
    const clicks = Array.from(
      { length: 100_000 },
      (_, i) => `${i * 5000},${1 + (i % 2)},${i},${i % 1000},1,0`,
    );
    await replay(clicks);
    const events = child.events;
    expect(events).toHaveLength(100_000);
    expect(events.every((event, i) => event.x === i && event.t === i * 5)).toBe(true);
  });

  test('mouse_hz thins a recording too', async () => {
    await replay(
      Array.from({ length: 1000 }, (_, i) => `${i * 1000},0,${1000 + i},500,0,0`),
      'max',
      100,
    );
    expect(child.events.length).toBeGreaterThanOrEqual(100);
    expect(child.events.length).toBeLessThanOrEqual(102);
    expect(child.events.at(-1)?.x).toBe(1999);
  });

  test('positions are taken as they stand, small and negative ones as well', async () => {
    await replay(['0,0,5,-2,0,0', '10000,0,-1,0,0,0', '20000,1,-1,0,1,0', '30000,0,3,3,0,0']);
    expect(child.events.map(({ x, y }) => [x, y])).toEqual([
      [5, -2],
      [-1, 0],
      [-1, 0],
      [3, 3],
    ]);
  });

  test('speed 4 takes a quarter of the time, and stopping half-way is at once', async () => {
    const before = performance.now();
    await replay(['0,0,300,300,0,0', '2000000,0,301,300,0,0'], 4);
    const took = performance.now() - before;
    expect(took).toBeGreaterThan(500);
    expect(took).toBeLessThan(2000);
    child = new TestChild(bundle.entryFile, {});
    const file = join(folder, 'slow.csv');
    await writeFile(file, [HEADER, '0,0,300,300,0,0', '90000000,0,301,300,0,0'].join('\n'));
    await child.start({ ...CONFIG, replay: { file, speed: 1 } });
    const stopping = performance.now();
    await child.child.stop();
    expect(performance.now() - stopping).toBeLessThan(600);
    expect(await child.exit.promise).toMatchObject({ code: 'stopped' });
    expect(child.events).toHaveLength(1);
  });

  test('a bad line is one error with its number and nothing of its content', async () => {
    await replay(['0,0,300,300,0,0', '1000,0,30x,300,0,0', '2000,0,1,1,0,0']);
    const reason = await child.exit.promise;
    expect(reason.code).toBe('bad-recording');
    expect(reason.text).toMatch(/\.csv:3: this line is not six whole numbers/);
    expect(reason.text).not.toContain('30x');
    await replay(['0,7,300,300,0,0']);
    expect((await child.exit.promise).text).toMatch(/:2: .*kind/);
  });

  test('events before a bad line are still handed over', async () => {
    const good = Array.from({ length: 6000 }, (_, i) => `${i * 1000},1,1,1,1,0`);
    await replay([...good, 'nonsense']);
    expect((await child.exit.promise).text).toContain(':6002:');
    expect(child.events).toHaveLength(6000);
  });

  test('a file that is not there, or not a recording, is said', async () => {
    await play(join(folder, 'missing.csv'));
    expect(await child.exit.promise).toMatchObject({ code: 'recording-unreadable' });
    const file = join(folder, 'other.csv');
    await writeFile(file, 'a'.repeat(3_000_000));
    await play(file);
    expect((await child.exit.promise).text).toContain(':1:');
  });

  test('real recordings play through', async () => {
    const shared = join(import.meta.dirname, '../../../shared/data');
    child = new TestChild(bundle.entryFile, {});
    if (!existsSync(shared)) return;
    for (const name of (await readdir(shared)).filter((file) => file.endsWith('.csv'))) {
      await play(join(shared, name));
      expect(child.isGone).toBe(false);
      expect(child.events.length).toBeGreaterThan(10);
      await child.child.stop();
    }
  });
});
