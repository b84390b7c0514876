import { afterEach, expect, it } from 'vitest';
import { parseDestination } from '../../src/core/destination.ts';
import { CollectorLink } from '../../src/upload/collector-link-node.ts';
import { Pace } from '../../src/upload/pace.ts';
import { runRound } from '../../src/upload/run-round.ts';
import { sendSegment } from '../../src/upload/send-segment.ts';
import { FaultyCollector } from '../upload/faulty-collector.ts';
import { type HandUploader, UploadDesk } from './upload-desk.ts';

const MINUTE_MS = 60_000;

const collector = new FaultyCollector([{ status: 500 }]);
afterEach(() => collector.stop());

/** What the uploader's process does with a round, in this one. */
async function send(desk: UploadDesk, uploader: HandUploader): Promise<void> {
  uploader.connect(desk.driver);
  const { round } = uploader;
  const destination = parseDestination(round.url);
  const link = new CollectorLink(destination);
  const pace = new Pace(round.rateBytesPerSecond);
  const never = new AbortController().signal;
  const ports = {
    monoMs: () => desk.clock.now().monoMs,
    wallMs: () => desk.clock.now().wallMs,
    sleep: () => Promise.resolve(),
  };
  const sending = { round, destination, link, pace, signer: null, ports, aborted: never, overdue: never };
  await runRound(
    round,
    {
      send: (segment, leftBytes) => sendSegment(segment, leftBytes, sending),
      report: (result) => {
        desk.driver.takeResult(result);
        return Promise.resolve();
      },
    },
    never,
  );
  link.close();
  await uploader.exit();
}

it('a collector that fails for an hour is asked ever more rarely, is charged for, and gets everything once', async () => {
  const desk = new UploadDesk();
  const url = await collector.start();
  if (desk.policy !== null) desk.policy = { ...desk.policy, url };
  await desk.start(1, 2, 3);
  const askedAtMinutes: number[] = [];
  let rounds = 0;
  for (let minute = 0; minute < 180; minute++) {
    if (minute === 60) collector.behave(['good']);
    desk.driver.due();
    if (desk.uploaders.length > rounds) {
      rounds = desk.uploaders.length;
      askedAtMinutes.push(minute);
      await send(desk, desk.uploader);
    }
    desk.timers.run(MINUTE_MS);
  }
  const during = askedAtMinutes.filter((minute) => minute < 60);
  // Half of 30 s, of a minute, of two, and so on: the jitter of this desk is one half.
  expect(during).toEqual([0, 1, 2, 3, 5, 9, 17, 33]);
  expect(collector.seen).toHaveLength(during.length + 3);
  const segments = collector.seen.slice(during.length).map(({ url: path }) => new URL(path, url).pathname);
  expect(segments.map((path) => path.slice(-1))).toEqual(['1', '2', '3']);
  expect(desk.stage('sent')).toEqual([1, 2, 3]);
  const bodies = collector.seen.reduce((sum, { body }) => sum + body.length, 0);
  expect(desk.driver.state.spending.totalBytes).toBeGreaterThan(bodies + during.length * 4096);
  expect(desk.driver.state.backoff).toMatchObject({ attempt: 0, untilWallMs: null });
});
