import { describe, expect, it } from 'vitest';
import { HEALTH_REPLY, type RequestReply } from '../../src/control/protocol.ts';
import { HealthKeeper } from '../../src/daemon/health-keeper.ts';
import { standingFaults } from '../../src/daemon/standing-faults.ts';
import { readToldHealth } from '../../src/spool/health-file.ts';
import { segmentId } from '../spool/samples.ts';
import { addSealed } from './filled-spool.ts';
import { type HandUploader, resultOf, UploadDesk, URL_HERE } from './upload-desk.ts';

const DAY = 86_400_000;

function answer(status: number, chargedBytes = 700): RequestReply {
  return { id: HEALTH_REPLY, status, body: '{}', detail: '', chargedBytes, retryAfterMs: null };
}

/** The next round of one file, as far as the uploader sends what it is told. */
async function round(desk: UploadDesk, segment: number, status = 200): Promise<HandUploader['round']> {
  addSealed(desk.spool, segment);
  desk.driver.due();
  desk.uploader.connect(desk.driver);
  const { round: given } = desk.uploader;
  desk.driver.takeResult(resultOf(segmentId(segment), 'stored'));
  if (given.health !== undefined) desk.driver.takeHealthReply(answer(status));
  await desk.uploader.exit();
  return given;
}

describe('the collector is told of the program', () => {
  it('with a round that runs anyway, once a day, and the ledger says what', async () => {
    const desk = new UploadDesk();
    await desk.start();
    const { health } = await round(desk, 1);
    expect(health?.path).toBe('/v1/devices/5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69/health');
    expect(JSON.parse(health?.body ?? '')).toEqual({ version: '1.2.3', backend: 'x11', codes: [] });
    expect(desk.facts.filter(({ type }) => type === 'health')).toEqual([
      { type: 'health', version: '1.2.3', backend: 'x11', codes: [], destination: URL_HERE },
    ]);
    expect((await round(desk, 2)).health).toBeUndefined();
    desk.clock.advance(DAY);
    expect((await round(desk, 3)).health).toBeDefined();
    // Nothing waits: it has no round of its own.
    desk.clock.advance(DAY);
    const before = desk.uploaders.length;
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(before);
  });

  it('of a new fault in the next round, and of its end with the next day', async () => {
    const desk = new UploadDesk();
    await desk.start();
    await round(desk, 1);
    desk.faults = ['paused', 'no-permission'];
    desk.health.notice();
    // It is over before a round comes: told all the same.
    desk.faults = ['paused'];
    expect((await round(desk, 2)).health?.health.codes).toEqual(['no-permission']);
    expect((await round(desk, 3)).health).toBeUndefined();
    desk.clock.advance(DAY);
    expect((await round(desk, 4)).health?.health.codes).toEqual([]);
  });

  it('nothing of a pause, and not that nothing was captured since a start', async () => {
    const desk = new UploadDesk();
    await desk.start();
    await round(desk, 1);
    desk.backend = null;
    desk.faults = ['paused', 'exempt', 'consent-stale', 'locked'];
    expect((await round(desk, 2)).health).toBeUndefined();
  });

  it('anew by a collector that was too busy, and not by one that does not want to know', async () => {
    const desk = new UploadDesk();
    await desk.start();
    await round(desk, 1, 503);
    await round(desk, 2, 0);
    expect(desk.health.told).toBeNull();
    expect((await round(desk, 3, 404)).health).toBeDefined();
    expect((await round(desk, 4)).health).toBeUndefined();
  });

  it('by another address anew, and by this one not again after a restart', async () => {
    const desk = new UploadDesk();
    await desk.start();
    await round(desk, 1);
    expect(readToldHealth(desk.stateDir)).toMatchObject({ destination: URL_HERE, version: '1.2.3' });
    const next = new HealthKeeper({
      clock: desk.clock,
      log: desk.log.log,
      stateDir: desk.stateDir,
      version: '1.2.3',
      backend: () => null,
      faults: () => [],
      record: () => undefined,
    });
    next.start();
    expect(next.due(URL_HERE)).toBeNull();
    expect(next.due('http://127.0.0.1:1')).toMatchObject({ backend: 'x11' });
  });

  it('and what that cost is charged, and reserved while it is on its way', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    desk.driver.takeResult(resultOf(segmentId(1), 'stored'));
    const { spending } = desk.driver.state;
    expect(spending.reservedBytes).toBeGreaterThan(1000);
    desk.driver.takeHealthReply(answer(200, 700));
    expect(desk.driver.state.spending).toMatchObject({
      totalBytes: spending.totalBytes + 700,
      reservedBytes: 0,
    });
    await uploader.exit();
  });
});

describe('faults that stand', () => {
  const none = {
    state: { failure: null },
    reasons: [],
    notes: [],
    blockers: [],
    policyProblems: [],
    quarantined: 0,
  };
  const problem = {
    severity: 'error',
    where: '/etc/telemetryd/policy.toml:3:1',
    text: '',
    hint: '',
  } as const;

  it('are gathered wherever they show', () => {
    const reason = (code: string) => ({ code, text: '', hint: '' });
    const failure = { ...reason('tap-dead'), attempt: 1, retryAtBootMs: 0 };
    expect(
      standingFaults({
        state: { failure },
        reasons: [reason('storage')],
        notes: [reason('memory-readable')],
        blockers: [{ code: 'too-large', text: '' }],
        policyProblems: [problem],
        quarantined: 2,
      }),
    ).toEqual(['storage', 'memory-readable', 'too-large', 'tap-dead', 'policy-refused', 'quarantined']);
    expect(standingFaults(none)).toEqual([]);
  });

  it('leave out what the person’s own preferences say wrongly, and what is only noted', () => {
    const own = { ...problem, where: '/home/ada/.config/telemetryd/preferences.toml:1:1' };
    expect(standingFaults({ ...none, policyProblems: [own, { ...problem, severity: 'notice' }] })).toEqual(
      [],
    );
  });
});
