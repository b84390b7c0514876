import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { LoadedPolicy } from '../../src/core/policy.ts';
import { PolicyKeeper } from '../../src/daemon/policy-keeper.ts';
import type { Refused } from '../../src/policy/policy-outcome.ts';
import { keepingLog } from '../control/reports.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { loadedFrom, REFUSED } from './policies.ts';

const ONE = loadedFrom('[capture]\nkeys = "off"\n');
const OTHER = loadedFrom('[capture]\nkeys = "activity"\n');

/** A keeper over a folder; `files` is what the files say now. */
function keeperOver(stateDir: string, files: LoadedPolicy | Refused) {
  const { log, lines } = keepingLog();
  const world = { files, lines };
  const keeper = new PolicyKeeper({ stateDir, log, load: () => Promise.resolve(world.files) });
  return Object.assign(world, { keeper });
}

it('tells whether the policy in force has become another one', async () => {
  const world = keeperOver(tempFolder(), ONE);
  expect(await world.keeper.reload()).toBe(true);
  expect(world.keeper.policy).toEqual(ONE.policy);
  expect(await world.keeper.reload()).toBe(false);
  world.files = OTHER;
  expect(await world.keeper.reload()).toBe(true);
  expect(world.keeper.mustHave().id).toBe(OTHER.id);
});

it('goes on with the last good policy while the files are refused, and says what is wrong', async () => {
  const world = keeperOver(tempFolder(), ONE);
  await world.keeper.reload();
  world.files = REFUSED;
  expect(await world.keeper.reload()).toBe(false);
  expect(world.keeper.policy).toEqual(ONE.policy);
  expect(world.keeper.loaded?.source).toBe('last-good');
  expect(world.keeper.problems).toEqual(REFUSED.problems);
  world.files = ONE;
  expect(await world.keeper.reload()).toBe(false);
  expect(world.keeper.loaded?.source).toBe('policy.toml');
  expect(world.keeper.problems).toEqual([]);
});

it('knows the last good policy after a restart', async () => {
  const stateDir = tempFolder();
  await keeperOver(stateDir, ONE).keeper.reload();
  await keeperOver(stateDir, OTHER).keeper.reload();
  const again = keeperOver(stateDir, REFUSED);
  expect(await again.keeper.reload()).toBe(true);
  expect(again.keeper.policy).toEqual(OTHER.policy);
});

it('has none when there never was one: nothing may be captured, and the first problem says why', async () => {
  const world = keeperOver(tempFolder(), REFUSED);
  expect(await world.keeper.reload()).toBe(false);
  expect(world.keeper.policy).toBeNull();
  expect(() => world.keeper.mustHave()).toThrow('policy.toml:2:1: keyz is not known');
  world.files = ONE;
  expect(await world.keeper.reload()).toBe(true);
  expect(world.keeper.policy).toEqual(ONE.policy);
});

it('has none when what was kept is damaged, and keeps that aside', async () => {
  const stateDir = tempFolder();
  const path = join(stateDir, 'policy-last-good.json');
  writeFileSync(path, '{"schema":1,"loaded":{}}');
  const world = keeperOver(stateDir, REFUSED);
  await world.keeper.reload();
  expect(world.keeper.policy).toBeNull();
  expect(readFileSync(`${path}.corrupt-1`, 'utf8')).toBe('{"schema":1,"loaded":{}}');
});

it('holds on to what it has in memory when the file of it is gone', async () => {
  const stateDir = tempFolder();
  const world = keeperOver(stateDir, ONE);
  await world.keeper.reload();
  rmSync(join(stateDir, 'policy-last-good.json'));
  world.files = REFUSED;
  await world.keeper.reload();
  expect(world.keeper.policy).toEqual(ONE.policy);
});

it('puts a new policy in force though it cannot be kept', async () => {
  const stateDir = tempFolder();
  mkdirSync(join(stateDir, 'policy-last-good.json'));
  const world = keeperOver(stateDir, ONE);
  expect(await world.keeper.reload()).toBe(true);
  expect(world.keeper.policy).toEqual(ONE.policy);
  expect(world.lines.join()).toContain('could not be kept');
});

it('lets the reading that began last count, however long the one before takes', async () => {
  const { log } = keepingLog();
  const slow = Promise.withResolvers<LoadedPolicy>();
  const answers = [slow.promise, Promise.resolve(OTHER)];
  let began = 0;
  const load = () => answers[began++] ?? Promise.reject(new Error('read too often'));
  const keeper = new PolicyKeeper({ stateDir: tempFolder(), log, load });
  const both = [keeper.reload(), keeper.reload()];
  await new Promise((resolve) => setImmediate(resolve));
  slow.resolve(ONE);
  expect(await Promise.all(both)).toEqual([true, true]);
  expect(keeper.policy).toEqual(OTHER.policy);
});
