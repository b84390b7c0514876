import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERASE_REASON_AFTER_MS, RELEASE_AFTER_MS } from '../../src/core/exemption.ts';
import type { PersonRequests } from '../../src/daemon/person-requests.ts';
import { readRequests } from '../../src/spool/request-files.ts';
import { exemptionsOver } from './exemption-desk.ts';
import { addClosed, addSealed } from './filled-spool.ts';
import { requestsOver } from './request-desk.ts';
import { resultOf, settled, UploadDesk } from './upload-desk.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const REASON = `YWdlLWVuY3J5cHRpb24ub3JnL3Yx${Buffer.from('canary').toString('base64')}`;
const WEEK = { scope: 'all', durationMs: 7 * DAY_MS, reason: REASON };

/** A daemon's exemptions, uploads and requests over one state folder; the collector says what the test says. */
async function office() {
  const desk = new UploadDesk();
  let requests: PersonRequests | null = null;
  const { keeper, again, world } = exemptionsOver({
    clock: desk.clock,
    timers: desk.timers,
    stateDir: desk.stateDir,
    spool: desk.spool,
    requests: () => {
      if (requests === null) throw new Error('no lane yet');
      return requests;
    },
    changed: () => desk.driver.evaluate(),
  });
  const lane = requestsOver(desk);
  lane.world.handlers = { exemption: keeper };
  requests = lane.requests;
  Object.assign(lane.world, { mayGo: false });
  desk.isWithheld = (segment) => keeper.isWithheld(segment);
  keeper.start();
  await desk.start();
  const reply = (id: string, said: object) => {
    const request = readRequests(desk.stateDir).find((known) => known.id === id);
    const answered = {
      device: '',
      createdAt: '',
      destination: '',
      kind: 'exemption',
      body: {},
      ...request,
      id,
    } as const;
    return keeper.answered(answered, { request: id, ...said });
  };
  return {
    ...{ desk, keeper, again, world, lane, reply },
    /** Segments are numbered on; sealed ones wait to be sent. */
    record: (n: number) => {
      world.nextSequence = n + 1;
      return addSealed(desk.spool, n);
    },
    /** What a round that is due now would take. */
    round: async (): Promise<string[]> => {
      desk.driver.due();
      if (!desk.driver.isSending) return [];
      const { uploader } = desk;
      uploader.connect(desk.driver);
      const ids = uploader.round.segments.map(({ id }) => id);
      for (const id of ids) desk.driver.takeResult(resultOf(id, 'stored'));
      await uploader.exit();
      await settled();
      return ids;
    },
    saved: () => readFileSync(join(desk.stateDir, 'exemptions.json'), 'utf8'),
  };
}

describe('an undecided exemption', () => {
  it('keeps back what was recorded since, lets go of what was before, and says so', async () => {
    const { desk, keeper, record, round } = await office();
    const before = record(1);
    keeper.request(WEEK);
    record(2);
    expect(await round()).toEqual([before]);
    expect(desk.blockers()).toEqual(['exemption-pending']);
    expect(await round()).toEqual([]);
  });

  it('that is denied releases it a day later, and not a minute sooner', async () => {
    const { desk, keeper, record, reply, round, world } = await office();
    const { id } = keeper.request(WEEK);
    const canary = record(2);
    expect(reply(id, { state: 'denied', by: 'Ada', reason: 'not now' })).toEqual({ kind: 'settled' });
    expect(keeper.list[0]).toMatchObject({ state: 'denied', decision: { by: 'Ada', reason: 'not now' } });
    expect(world.told.at(-1)).toBe('denied');
    desk.timers.run(RELEASE_AFTER_MS - 60_000);
    expect(await round()).toEqual([]);
    desk.timers.run(60_000);
    expect(await round()).toEqual([canary]);
  });

  it('that is approved deletes it, also what is being sealed just then, and stands from there', async () => {
    const { desk, keeper, record, reply, world, round } = await office();
    const before = record(1);
    const { id, end } = keeper.request(WEEK);
    record(2);
    addClosed(desk.spool, 3);
    const busy = addClosed(desk.spool, 4);
    world.busy.add(busy);
    world.nextSequence = 5;
    expect(world.standing).toEqual([]);
    reply(id, { state: 'approved', by: 'Ada', reason: '' });
    expect(world.standing).toEqual([{ untilBootMs: end.untilBootMs, hours: null, isPending: false }]);
    expect(desk.stage('sealed')).toEqual([1]);
    expect(desk.spool.waiting()).toEqual([busy]);
    world.busy.clear();
    desk.spool.seal(busy);
    expect(keeper.isWithheld({ sequence: 4, startWallMs: 0, lastEventWallMs: 0 })).toBe(true);
    keeper.clear();
    expect(desk.stage('sealed')).toEqual([1]);
    expect(keeper.list[0]?.isClearing).toBe(false);
    expect(await round()).toEqual([before]);
    desk.timers.run(7 * DAY_MS);
    expect(keeper.list[0]?.state).toBe('expired');
    expect(world.standing).toEqual([]);
  });

  it('is asked after once an hour, and at once when somebody wants to know', async () => {
    const { desk, keeper, lane } = await office();
    lane.world.mayGo = true;
    const { id } = keeper.request(WEEK);
    const pending = { id, status: 200, detail: '', chargedBytes: 1, retryAfterMs: null } as const;
    const answer = async (said: object): Promise<void> => {
      lane.requests.takeReply({ ...pending, body: JSON.stringify({ request: id, ...said }) });
      await lane.uploaders.at(-1)?.exit();
    };
    expect(lane.uploaders).toHaveLength(1);
    await answer({ state: 'pending' });
    expect(keeper.list[0]?.state).toBe('pending');
    desk.timers.run(HOUR_MS - 1);
    expect(lane.uploaders).toHaveLength(1);
    desk.timers.run(1);
    expect(lane.uploaders).toHaveLength(2);
    await answer({ state: 'pending' });
    keeper.hurry();
    expect(lane.uploaders).toHaveLength(3);
    await answer({ state: 'approved', by: 'Ada', reason: '' });
    expect(readRequests(desk.stateDir)).toEqual([]);
    desk.timers.run(DAY_MS);
    expect(lane.uploaders).toHaveLength(3);
  });

  it('by the policy "pause" has capture off meanwhile', async () => {
    const { keeper, world, reply } = await office();
    world.whilePending = 'pause';
    const { id, end } = keeper.request({ ...WEEK, scope: 'hours:Mon-Fri 12:00-13:00' });
    expect(world.standing).toMatchObject([{ untilBootMs: end.untilBootMs, isPending: true }]);
    reply(id, { state: 'denied', by: 'Ada', reason: 'no' });
    expect(world.standing).toEqual([]);
  });

  it('of an application leaves it out from the moment of asking, until it is denied', async () => {
    const { keeper, world, reply, record, round } = await office();
    const { id } = keeper.request({ ...WEEK, scope: 'app:Signal' });
    expect(world.apps).toEqual(['Signal']);
    const other = record(2);
    expect(await round()).toEqual([other]);
    reply(id, { state: 'denied', by: 'Ada', reason: 'no' });
    expect(world.apps).toEqual([]);
  });

  it('is taken back at any time, and its collector told until it knows', async () => {
    const { desk, keeper, record, reply, round } = await office();
    const { id } = keeper.request(WEEK);
    const canary = record(2);
    expect(keeper.withdraw(id)).toMatchObject({ state: 'withdrawn', reason: null });
    expect(readRequests(desk.stateDir)).toMatchObject([{ id, body: { scope: 'all', withdrawn: true } }]);
    expect(readFileSync(join(desk.stateDir, 'requests', `${id}.json`), 'utf8')).not.toContain(REASON);
    // The answer to what was asked before.
    expect(reply(id, { state: 'approved', by: 'Ada', reason: '' })).toMatchObject({ kind: 'again' });
    expect(keeper.list[0]).toMatchObject({ state: 'withdrawn', decision: null });
    expect(reply(id, { state: 'withdrawn' })).toEqual({ kind: 'settled' });
    expect(await round()).toEqual([canary]);
    expect(() => keeper.withdraw(id)).toThrow('nothing to take back');
  });
});

describe('a reply about an exemption', () => {
  it('counts for a request of ours, while it is undecided, and for nothing else', async () => {
    const { keeper, world, reply } = await office();
    const { id } = keeper.request(WEEK);
    const stranger = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    expect(reply(stranger, { state: 'approved', by: 'Eve', reason: '' })).toEqual({ kind: 'settled' });
    expect(keeper.list).toMatchObject([{ id, state: 'queued' }]);
    reply(id, { state: 'denied', by: 'Ada', reason: 'no' });
    expect(reply(id, { state: 'approved', by: 'Eve', reason: '' })).toEqual({ kind: 'settled' });
    expect(keeper.list).toMatchObject([{ state: 'denied', decision: { by: 'Ada' } }]);
    expect(world.log.filter((line) => line.includes('ignored'))).toHaveLength(2);
  });

  it('that says nothing known changes nothing, and one in several lines is told on one', async () => {
    const { keeper, reply } = await office();
    const { id } = keeper.request(WEEK);
    for (const said of [{}, { state: 'maybe' }, { state: 'withdrawn' }, { state: 7 }])
      expect(reply(id, said)).toMatchObject({ kind: 'again' });
    expect(keeper.list).toMatchObject([{ state: 'queued' }]);
    reply(id, { state: 'denied', by: 7, reason: `no\n\u001b[2J${'x'.repeat(5000)}` });
    expect(keeper.list[0]?.decision?.by).toBe('');
    expect(keeper.list[0]?.decision?.reason).toMatch(/^no \[2Jx{994}$/);
  });
});

describe('exemptions on disk', () => {
  it('hold over a restart and a reboot, without any network', async () => {
    const { desk, keeper, again, world, reply } = await office();
    const { id } = keeper.request(WEEK);
    reply(id, { state: 'approved', by: 'Ada', reason: '' });
    expect(statSync(join(desk.stateDir, 'exemptions.json')).mode & 0o777).toBe(0o600);
    desk.timers.run(DAY_MS);
    world.standing = [];
    again().start();
    const left = () => (world.standing[0]?.untilBootMs ?? 0) - desk.clock.now().bootMs;
    expect(left()).toBe(6 * DAY_MS);
    keeper.beat();
    // Off for two days; the clock of the new boot is right.
    desk.clock.bootId = 'next-boot';
    desk.clock.setWall(2 * DAY_MS);
    again().start();
    expect(left()).toBe(4 * DAY_MS);
    desk.clock.bootId = 'third-boot';
    desk.clock.setWall(-300 * DAY_MS);
    again().start();
    expect(left()).toBeGreaterThan(0);
  });

  it('withhold and clear over a restart', async () => {
    const { desk, keeper, again, record, reply, world } = await office();
    const { id } = keeper.request(WEEK);
    record(2);
    const busy = addClosed(desk.spool, 3);
    world.busy.add(busy);
    reply(id, { state: 'approved', by: 'Ada', reason: '' });
    expect(desk.spool.waiting()).toEqual([busy]);
    world.busy.clear();
    const next = again();
    next.start();
    next.clear();
    expect(desk.spool.waiting()).toEqual([]);
  });

  it('that are damaged count as one that stands, which the person can end', async () => {
    const { desk, again, world } = await office();
    writeFileSync(join(desk.stateDir, 'exemptions.json'), '{');
    const keeper = again();
    keeper.start();
    expect(world.standing).toMatchObject([{ hours: null, isPending: false }]);
    expect(world.log.join()).toContain('damaged');
    const [inDoubt] = keeper.list;
    keeper.withdraw(inDoubt?.id ?? '');
    expect(world.standing).toEqual([]);
    expect(readRequests(desk.stateDir)).toEqual([]);
  });

  it('that never reached the lane are asked again after a start', async () => {
    const { desk, keeper, again, lane } = await office();
    const { id } = keeper.request(WEEK);
    lane.requests.drop(id);
    const next = again();
    next.start();
    next.ask();
    expect(readRequests(desk.stateDir)).toMatchObject([{ id, kind: 'exemption', body: { reason: REASON } }]);
  });

  it('have their reason erased thirty days after the decision; log and ledger never had it', async () => {
    const { desk, keeper, reply, world, saved } = await office();
    const { id } = keeper.request({ ...WEEK, scope: 'app:Signal' });
    reply(id, { state: 'denied', by: 'Ada', reason: 'decider’s words' });
    expect(saved()).toContain(REASON);
    desk.timers.run(ERASE_REASON_AFTER_MS);
    expect(saved()).not.toContain(REASON);
    expect(world.facts).toEqual([
      { type: 'exemption', exemption: id, change: 'requested', scope: 'app' },
      { type: 'exemption', exemption: id, change: 'denied', scope: 'app' },
    ]);
    for (const secret of [REASON, 'Signal', 'decider']) expect(world.log.join()).not.toContain(secret);
  });
});

describe('a request for an exemption', () => {
  it('needs somebody who could decide', async () => {
    const { keeper, world } = await office();
    world.destination = '';
    expect(() => keeper.request(WEEK)).toThrow('nobody who could decide');
    expect(keeper.list).toEqual([]);
  });

  it('is refused when ten are undecided already', async () => {
    const { keeper } = await office();
    for (let n = 0; n < 10; n++) keeper.request(WEEK);
    expect(() => keeper.request(WEEK)).toThrow('10 undecided');
    keeper.withdraw(keeper.list[3]?.id ?? '');
    keeper.request(WEEK);
  });
});
