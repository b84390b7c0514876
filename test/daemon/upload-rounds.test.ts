import { describe, expect, it } from 'vitest';
import { segmentId } from '../spool/samples.ts';
import { addSealed } from './filled-spool.ts';
import { AC, BATTERY, WIFI } from './hand-sources.ts';
import { resultOf, settled, UploadDesk, URL_HERE } from './upload-desk.ts';

describe('a collector that keeps files longer than was promised', () => {
  it('gets no more, the rest of a round included, until the policy or the enrolment changes', async () => {
    const desk = new UploadDesk();
    desk.promisedMs = 30 * 86_400_000;
    const uploader = await desk.startSending(1, 2);
    expect(uploader.round.segments[0]?.about).toMatchObject({ retentionMs: desk.promisedMs });
    desk.driver.takeResult(resultOf(segmentId(1), 'stored', { keptForMs: 365 * 86_400_000 }));
    expect(desk.blockers()).toEqual(['retention-mismatch']);
    expect(uploader.messages.at(-1)).toEqual({ type: 'abort', reason: 'retention-mismatch' });
    await uploader.exit();
    desk.timers.run(2 * 86_400_000);
    expect(desk.uploaders).toHaveLength(1);
    expect(desk.stage('sealed')).toEqual([2]);
    expect(desk.saved.at(-1)?.backoff.isKeptTooLong).toBe(true);
    desk.driver.policyChanged();
    expect(desk.blockers()).toEqual([]);
  });
});

describe('a round begins', () => {
  it('when one is due, the gate is open and something waits, and not otherwise', async () => {
    const desk = new UploadDesk();
    await desk.start();
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(0);
    addSealed(desk.spool, 1);
    desk.driver.evaluate();
    expect(desk.uploaders).toHaveLength(1);
    expect(desk.stage('outbox')).toEqual([1]);
    desk.uploader.connect(desk.driver);
    desk.driver.takeResult(resultOf(segmentId(1), 'stored'));
    await desk.uploader.exit();
    addSealed(desk.spool, 2);
    desk.driver.evaluate();
    desk.timers.run(3_600_000);
    expect(desk.uploaders).toHaveLength(1);
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(2);
  });

  it('when the gate opens, if one was due while it was closed', async () => {
    const desk = new UploadDesk();
    desk.power.become(BATTERY);
    await desk.start(1);
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(0);
    expect(desk.blockers()).toEqual(['on-battery']);
    desk.timers.run(600_000);
    desk.power.become(AC);
    expect(desk.uploaders).toHaveLength(1);
  });

  it('after a random part of five minutes when the gate opens to a collector elsewhere, at once when the person asks', async () => {
    for (const isAsked of [false, true]) {
      const desk = new UploadDesk();
      if (desk.policy !== null) desk.policy = { ...desk.policy, url: 'https://collector.example.com' };
      desk.pinned = { collectorKey: '', deviceKeyFile: '/none' };
      desk.power.become(BATTERY);
      await desk.start(1);
      desk.driver.due();
      desk.power.become(AC);
      expect(desk.blockers()).toEqual([]);
      expect(desk.driver.startsAtWallMs).toBe(desk.clock.now().wallMs + 150_000);
      desk.timers.run(149_000);
      expect(desk.uploaders).toHaveLength(0);
      if (isAsked) expect(desk.driver.uploadNow()).toEqual({ started: true, blockers: [] });
      else desk.timers.run(1000);
      expect(desk.uploaders).toHaveLength(1);
    }
  });

  it('not when the gate opens and none was due', async () => {
    const desk = new UploadDesk();
    desk.power.become(BATTERY);
    await desk.start(1);
    desk.power.become(AC);
    expect(desk.blockers()).toEqual([]);
    expect(desk.uploaders).toHaveLength(0);
  });

  it('with all that may be sent, and tells the uploader what it needs', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1, 2);
    expect(uploader.round).toMatchObject({
      url: URL_HERE,
      device: '5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69',
      outboxDir: `${desk.stateDir}/outbox`,
      rateBytesPerSecond: 256_000,
      budgetBytes: 20_000_000,
      ledgerHead: 'cd'.repeat(32),
      segments: [
        { id: segmentId(1), file: `${segmentId(1)}.tlm` },
        { id: segmentId(2), file: `${segmentId(2)}.tlm` },
      ],
    });
  });

  it('for the person at once, saying what stands against it when something does', async () => {
    const desk = new UploadDesk();
    await desk.start(1);
    expect(desk.driver.uploadNow()).toEqual({ started: true, blockers: [] });
    const other = new UploadDesk();
    other.power.become(BATTERY);
    await other.start(1);
    expect(other.driver.uploadNow()).toMatchObject({ started: false, blockers: [{ code: 'on-battery' }] });
    const empty = new UploadDesk();
    await empty.start();
    expect(empty.driver.uploadNow()).toEqual({ started: false, blockers: [] });
  });

  it('once: an uploader that comes a second time, late or for nothing gets no round', async () => {
    const desk = new UploadDesk();
    const first = await desk.startSending(1);
    const second: unknown[] = [];
    await desk.driver.serveRound((message) => second.push(message), new AbortController().signal);
    expect(second).toEqual([{ type: 'none' }]);
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(1);
    desk.power.become(BATTERY);
    const late: unknown[] = [];
    await desk.driver.serveRound((message) => late.push(message), new AbortController().signal);
    expect(late).toEqual([{ type: 'none' }]);
    await first.exit();
    const idle: unknown[] = [];
    await desk.driver.serveRound((message) => idle.push(message), new AbortController().signal);
    expect(idle).toEqual([{ type: 'none' }]);
  });

  it('again at once when more waits than fits in one, and not after one that sent nothing', async () => {
    const desk = new UploadDesk();
    desk.clock.advance(7_200_000);
    await desk.start(...Array.from({ length: 101 }, (_, i) => i + 1));
    desk.driver.due();
    desk.uploader.connect(desk.driver);
    expect(desk.uploader.round.segments).toHaveLength(100);
    // It fails without a word: it is not tried again before a round is due.
    await desk.uploader.exit();
    expect(desk.uploaders).toHaveLength(1);
    desk.driver.due();
    desk.uploader.connect(desk.driver);
    for (const { id } of desk.uploader.round.segments) desk.driver.takeResult(resultOf(id, 'stored'));
    await desk.uploader.exit();
    expect(desk.uploaders).toHaveLength(3);
    desk.uploader.connect(desk.driver);
    expect(desk.uploader.round.segments.map(({ id }) => id)).toEqual([segmentId(101)]);
  }, 30_000);
});

describe('hold-back', () => {
  it('counts from a segment’s last event, and wakes by itself when the first is ripe', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, holdBackMs: 3_600_000 };
    await desk.start(1, 2);
    desk.driver.due();
    expect(desk.blockers()).toEqual(['hold-back']);
    const lastEventMs = 60_000 + 19 * 10;
    expect(desk.timers.list()).toEqual([
      { name: 'upload-wake', atBootMs: desk.clock.now().bootMs + lastEventMs },
    ]);
    desk.timers.run(lastEventMs - 1);
    expect(desk.uploaders).toHaveLength(0);
    desk.timers.run(1);
    desk.uploader.connect(desk.driver);
    expect(desk.uploader.round.segments.map(({ id }) => id)).toEqual([segmentId(1)]);
    // The second is held back still, which is no reason to stop sending the first.
    desk.driver.evaluate();
    expect(desk.blockers()).toEqual(['hold-back']);
    expect(desk.uploader.messages).toHaveLength(1);
  });

  it('does not count for what may not leave at all', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, holdBackMs: 3_600_000 };
    desk.mayLeave = () => false;
    await desk.start(1);
    desk.driver.due();
    expect(desk.blockers()).toEqual([]);
    expect(desk.timers.names()).toEqual([]);
    desk.timers.run(7_200_000);
    expect(desk.uploaders).toHaveLength(0);
  });
});

describe('receipts', () => {
  it('decide segment by segment what leaves, and for where', async () => {
    const desk = new UploadDesk();
    const asked: string[] = [];
    desk.mayLeave = (receiptId, url) => {
      asked.push(`${receiptId} ${url}`);
      return receiptId === 'stands';
    };
    addSealed(desk.spool, 1, 20, { receiptId: 'was revoked' });
    addSealed(desk.spool, 2, 20, { receiptId: 'stands' });
    const uploader = await desk.startSending();
    expect(uploader.round.segments.map(({ id }) => id)).toEqual([segmentId(2)]);
    expect(asked).toContain(`was revoked ${URL_HERE}`);
    expect(desk.stage('sealed')).toEqual([1]);
  });
});

describe('the gate', () => {
  it('looks at power and network again before a round, for sources that no event wakes', async () => {
    const desk = new UploadDesk();
    await desk.start(1);
    desk.power.becomeQuietly(BATTERY);
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(0);
    expect(desk.blockers()).toEqual(['on-battery']);
  });

  it('tells of a change of conditions before it acts on it', async () => {
    const desk = new UploadDesk();
    await desk.start();
    desk.power.become(BATTERY);
    desk.power.become(AC);
    expect(desk.conditionChanges).toEqual(['', 'on-battery']);
  });

  it('says since when each thing stands against it', async () => {
    const desk = new UploadDesk();
    await desk.start();
    const since = desk.clock.now().wallMs;
    desk.power.become(BATTERY);
    desk.timers.run(60_000);
    desk.consent = 'stale';
    desk.driver.evaluate();
    expect(desk.driver.blockers.map(({ code, sinceWallMs }) => [code, sinceWallMs - since])).toEqual([
      ['consent-stale', 60_000],
      ['on-battery', 0],
    ]);
  });

  it('stays shut to any other machine: this device is enrolled nowhere', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, url: 'https://collector.example.com' };
    await desk.start(1);
    desk.driver.due();
    expect(desk.blockers()).toEqual(['not-enrolled']);
    desk.network.become({ ...WIFI, metered: 'yes' });
    expect(desk.blockers()).toEqual(['not-enrolled', 'metered']);
    expect(desk.uploaders).toHaveLength(0);
  });

  it('opens to another machine once this device is enrolled there, and has requests signed', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, url: 'https://collector.example.com' };
    await desk.start(1);
    desk.driver.due();
    expect(desk.blockers()).toEqual(['not-enrolled']);
    desk.pinned = { collectorKey: 'k', deviceKeyFile: '/state/device-key.json' };
    desk.driver.evaluate();
    expect(desk.blockers()).toEqual([]);
    // A fleet does not come at once.
    desk.timers.run(1_800_000);
    desk.uploader.connect(desk.driver);
    expect(desk.uploader.round.deviceKeyFile).toBe('/state/device-key.json');
  });

  it('is shut without a policy', async () => {
    const desk = new UploadDesk();
    desk.policy = null;
    await desk.start(1);
    desk.driver.due();
    expect(desk.blockers()).toEqual(['no-destination']);
    expect(desk.uploaders).toHaveLength(0);
  });

  it('opens by itself when the policy’s hours begin', async () => {
    const desk = new UploadDesk();
    const begins = new Date(desk.clock.now().wallMs + 2 * 3_600_000);
    const hour = String(begins.getHours()).padStart(2, '0');
    if (desk.policy !== null) desk.policy = { ...desk.policy, hours: `Mon-Sun ${hour}:00-${hour}:59` };
    await desk.start(1);
    desk.driver.due();
    expect(desk.blockers()).toEqual(['outside-hours']);
    const atMs = new Date(begins).setMinutes(0, 0, 0) - desk.clock.now().wallMs;
    desk.timers.run(atMs - 1);
    expect(desk.uploaders).toHaveLength(0);
    desk.timers.run(1);
    expect(desk.uploaders).toHaveLength(1);
  });
});

it('stops its sources and its timers when it is stopped, and starts nothing any more', async () => {
  const desk = new UploadDesk();
  await desk.start(1);
  await desk.driver.stop();
  expect([desk.power.isRunning, desk.network.isRunning]).toEqual([false, false]);
  desk.driver.due();
  await settled();
  expect(desk.uploaders).toHaveLength(0);
  expect(desk.timers.names()).toEqual([]);
});
