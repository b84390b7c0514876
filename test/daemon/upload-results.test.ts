import { describe, expect, it } from 'vitest';
import { readSent } from '../../src/spool/sent-log.ts';
import { charge, NO_SPENDING } from '../../src/upload/spending.ts';
import { segmentId } from '../spool/samples.ts';
import { addSealed } from './filled-spool.ts';
import { BATTERY } from './hand-sources.ts';
import { resultOf, UploadDesk, URL_HERE } from './upload-desk.ts';

const DAY_MS = 86_400_000;

describe('a segment that was stored', () => {
  it('is recorded as sent exactly once, however often it is reported', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    const [file] = uploader.round.segments;
    for (let i = 0; i < 3; i++) desk.driver.takeResult(resultOf(segmentId(1), 'stored'));
    expect(desk.facts).toEqual([
      {
        type: 'sent',
        segment: segmentId(1),
        bytes: file?.sizeBytes,
        sha256: 'a'.repeat(64),
        destination: URL_HERE,
      },
    ]);
    expect([...readSent(desk.stateDir)]).toHaveLength(1);
    expect(desk.stage('sent')).toEqual([1]);
    await uploader.exit();
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(1);
  });

  it('sets the time of the last success, charges its bytes, and is saved before the uploader hears of it', async () => {
    const desk = new UploadDesk();
    await desk.startSending(1);
    desk.driver.takeResult(resultOf(segmentId(1), 'stored', { chargedBytes: 4321 }));
    const { wallMs } = desk.clock.now();
    expect(desk.saved.at(-1)).toEqual(desk.driver.state);
    expect(desk.driver.state).toMatchObject({
      lastSuccessWallMs: wallMs,
      spending: { totalBytes: 4321 },
    });
  });

  it('counts though the round was aborted meanwhile, and does not go back', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1, 2);
    desk.power.become(BATTERY);
    desk.driver.takeResult(resultOf(segmentId(1), 'stored'));
    desk.driver.takeResult(resultOf(segmentId(2), 'aborted'));
    await uploader.exit();
    expect(desk.stage('sent')).toEqual([1]);
    expect(desk.stage('sealed')).toEqual([2]);
    expect(desk.facts.map(({ type }) => type)).toEqual(['sent']);
  });
});

describe('a segment that was not', () => {
  it('is set aside when the collector will never take it, and the others go on', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1, 2);
    desk.driver.takeResult(resultOf(segmentId(1), 'refused', { detail: '422: no segment' }));
    desk.driver.takeResult(resultOf(segmentId(2), 'stored'));
    await uploader.exit();
    expect(desk.stage('quarantine')).toEqual([1]);
    expect(desk.stage('sent')).toEqual([2]);
    expect(desk.facts[0]).toEqual({ type: 'quarantined', segment: segmentId(1), why: '422: no segment' });
    expect(desk.blockers()).toEqual([]);
  });

  it('waits when the collector cannot take it now, and the gate opens by itself afterwards', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    desk.driver.takeResult(resultOf(segmentId(1), 'retry', { retryAfterMs: 600_000 }));
    expect(desk.blockers()).toEqual(['collector-backoff']);
    // With something against it the round is over too.
    expect(uploader.messages.map(({ type }) => type)).toEqual(['round', 'abort']);
    await uploader.exit();
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(1);
    // Half of the random factor of 1 to 2.
    desk.timers.run(899_999);
    expect(desk.uploaders).toHaveLength(1);
    desk.timers.run(1);
    expect(desk.uploaders).toHaveLength(2);
  });

  it('waits longer each time, and a success ends that', async () => {
    const desk = new UploadDesk();
    await desk.startSending(1);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      const { wallMs } = desk.clock.now();
      desk.driver.takeResult(resultOf(segmentId(1), 'retry'));
      const untilMs = desk.driver.state.backoff.untilWallMs ?? 0;
      waits.push(untilMs - wallMs);
      await desk.uploader.exit();
      desk.driver.due();
      desk.timers.run(untilMs - wallMs);
      desk.uploader.connect(desk.driver);
    }
    expect(waits).toEqual([15_000, 30_000, 60_000, 120_000]);
    desk.driver.takeResult(resultOf(segmentId(1), 'stored'));
    expect(desk.driver.state.backoff.attempt).toBe(0);
  });

  it('stops everything when the collector does not know this device, also after a restart', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    desk.driver.takeResult(resultOf(segmentId(1), 'unauthorised'));
    await uploader.exit();
    desk.driver.due();
    desk.timers.run(30 * DAY_MS);
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(1);
    expect(desk.blockers()).toEqual(['unauthorised']);
    const again = new UploadDesk(desk.saved.at(-1));
    await again.start(1);
    again.driver.due();
    expect(again.blockers()).toEqual(['unauthorised']);
  });

  it('is tried again a day later at the soonest when the collector finds it too large', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    desk.driver.takeResult(resultOf(segmentId(1), 'too-large'));
    await uploader.exit();
    expect(desk.stage('sealed')).toEqual([1]);
    expect(desk.blockers()).toContain('collector-backoff');
    desk.driver.due();
    desk.timers.run(DAY_MS - 1);
    expect(desk.uploaders).toHaveLength(1);
    desk.timers.run(DAY_MS);
    expect(desk.uploaders).toHaveLength(2);
  });

  it('is not of this round: its bytes are charged and nothing else is done', async () => {
    const desk = new UploadDesk();
    await desk.startSending(1);
    addSealed(desk.spool, 2);
    desk.driver.takeResult(resultOf(segmentId(2), 'stored', { chargedBytes: 77 }));
    expect(desk.stage('sealed')).toEqual([2]);
    expect(desk.facts).toEqual([]);
    expect(desk.driver.state.spending.totalBytes).toBe(77);
  });
});

describe('budgets', () => {
  it('close the gate when the day’s bytes are spent, failures included, and the next day opens it', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, dailyBudgetBytes: 50_000 };
    const uploader = await desk.startSending(1, 2);
    expect(uploader.round.budgetBytes).toBe(50_000);
    desk.driver.takeResult(resultOf(segmentId(1), 'aborted', { chargedBytes: 50_000 }));
    expect(desk.blockers()).toEqual(['daily-budget']);
    await uploader.exit();
    desk.driver.due();
    expect(desk.uploaders).toHaveLength(1);
    desk.clock.advance(DAY_MS);
    // The daemon's heartbeat does this while something waits.
    desk.driver.refresh();
    expect(desk.uploaders).toHaveLength(2);
  });

  it('give a round what is left of the day and of the month, whichever is less', async () => {
    const spending = charge(charge(NO_SPENDING, 60_000, Date.UTC(2026, 6, 1, 8)), 0, 0);
    const desk = new UploadDesk({ spending });
    if (desk.policy !== null) {
      desk.policy = { ...desk.policy, dailyBudgetBytes: 100_000, monthlyBudgetBytes: 90_000 };
    }
    const uploader = await desk.startSending(1);
    expect(uploader.round.budgetBytes).toBe(30_000);
  });

  it('close it when the next segment needs more than is left, rather than start for nothing', async () => {
    const desk = new UploadDesk();
    if (desk.policy !== null) desk.policy = { ...desk.policy, dailyBudgetBytes: 3000 };
    await desk.start(1);
    desk.driver.due();
    expect(desk.uploaders).toEqual([]);
    expect(desk.driver.blockers[0]?.text).toBe(
      'Today’s byte budget has less left than the next segment needs.',
    );
  });

  it('are charged for a transfer that nobody gives account of, as if it had gone through', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1, 2);
    desk.driver.takeResult(resultOf(segmentId(1), 'stored'));
    await uploader.exit(false);
    const [second] = uploader.round.segments.slice(1);
    expect(second?.sizeBytes).toBeGreaterThan(0);
    expect(desk.driver.state.spending.totalBytes).toBeGreaterThan(1000 + (second?.sizeBytes ?? 0));
    // The next one does, before it sends anything.
    const { totalBytes } = desk.driver.state.spending;
    desk.driver.due();
    desk.uploader.connect(desk.driver);
    await desk.uploader.exit();
    expect(desk.saved.at(-1)?.spending).toMatchObject({ totalBytes, reservedBytes: 0 });
  });

  it('are charged also for the transfer in which a daemon died', async () => {
    const first = new UploadDesk();
    await first.startSending(1);
    const left = first.saved.at(-1);
    const second = new UploadDesk(left);
    await second.start();
    expect(second.driver.state.spending.totalBytes).toBe(left?.spending.reservedBytes);
    expect(second.driver.state.spending.totalBytes).toBeGreaterThan(0);
  });

  it('of the month close it beyond the day', async () => {
    const spending = charge(NO_SPENDING, 9000, Date.UTC(2026, 6, 1, 8));
    const desk = new UploadDesk({ spending });
    if (desk.policy !== null) desk.policy = { ...desk.policy, monthlyBudgetBytes: 9000 };
    await desk.start(1);
    expect(desk.blockers()).toEqual(['monthly-budget']);
    desk.clock.advance(DAY_MS);
    desk.driver.refresh();
    expect(desk.blockers()).toEqual(['monthly-budget']);
    desk.clock.advance(31 * DAY_MS);
    desk.driver.refresh();
    expect(desk.blockers()).toEqual([]);
  });
});

it('a round under a policy that is no longer in force is aborted, and the rest goes under the new one', async () => {
  const desk = new UploadDesk();
  const uploader = await desk.startSending(1);
  if (desk.policy !== null) desk.policy = { ...desk.policy, rateBytesPerSecond: 1000 };
  desk.driver.policyChanged();
  expect(uploader.messages.at(-1)).toEqual({ type: 'abort', reason: 'the policy changed' });
  await uploader.exit();
  desk.uploader.connect(desk.driver);
  expect(desk.uploader.round.rateBytesPerSecond).toBe(1000);
});

it('tries anew under another policy what the collector refused under the one before', async () => {
  const desk = new UploadDesk();
  const uploader = await desk.startSending(1);
  desk.driver.takeResult(resultOf(segmentId(1), 'unauthorised'));
  await uploader.exit();
  expect(desk.blockers()).toEqual(['unauthorised']);
  desk.driver.policyChanged();
  expect(desk.blockers()).toEqual([]);
  expect(desk.saved.at(-1)?.backoff.isUnauthorised).toBe(false);
});
