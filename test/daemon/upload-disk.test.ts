import { expect, it } from 'vitest';
import { segmentId } from '../spool/samples.ts';
import { resultOf, UploadDesk } from './upload-desk.ts';

it('a disk that lets nothing into a round is told of, and the round runs when it does', async () => {
  const desk = new UploadDesk();
  await desk.start(1, 2);
  desk.isMovingRefused = true;
  desk.driver.due();
  expect(desk.uploaders).toEqual([]);
  expect(desk.storage).toEqual([expect.stringMatching(/^cannot (?:move|write) .*EIO$/)]);
  desk.driver.refresh();
  expect(desk.storage.at(-1)).not.toBeNull();
  desk.isMovingRefused = false;
  desk.driver.refresh();
  expect(desk.storage.at(-1)).toBeNull();
  expect(desk.uploaders).toHaveLength(1);
  expect(desk.stage('outbox')).toEqual([1, 2]);
});

it('a disk that lets nothing out of a round is told of, and lets it out later', async () => {
  const desk = new UploadDesk();
  const uploader = await desk.startSending(1, 2);
  desk.isMovingRefused = true;
  await uploader.exit();
  expect(desk.storage.at(-1)).toMatch(/^cannot (?:move|write) .*EIO$/);
  expect(desk.stage('outbox')).toEqual([1, 2]);
  desk.isMovingRefused = false;
  desk.driver.refresh();
  expect(desk.storage.at(-1)).toBeNull();
  expect(desk.stage('outbox')).toEqual([]);
});

it('a sent segment that cannot be moved counts as sent, once', async () => {
  const desk = new UploadDesk();
  const uploader = await desk.startSending(1);
  desk.isMovingRefused = true;
  desk.driver.takeResult(resultOf(segmentId(1), 'stored'));
  expect(desk.storage.at(-1)).toMatch(/^cannot (?:move|write) .*EIO$/);
  expect(desk.saved.at(-1)?.spending).toMatchObject({ totalBytes: 1000 });
  desk.isMovingRefused = false;
  await uploader.exit();
  expect(desk.storage.at(-1)).toBeNull();
  expect(desk.spool.stats().sentEver.segments).toBe(1);
});
