import { describe, expect, it } from 'vitest';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { segmentId } from '../spool/samples.ts';
import { AC, BATTERY, WIFI } from './hand-sources.ts';
import { resultOf, settled, UploadDesk, URL_HERE } from './upload-desk.ts';

/** Networks are named, so that they count for a collector on this machine too. */
const STRICT_POLICY: UploadDesk['policy'] = {
  ...DEFAULT_POLICY.upload,
  url: URL_HERE,
  holdBackMs: 0,
  isNetworksExplicit: true,
};

/** What ends a round, and what undoes it again. */
const CONDITIONS: Record<string, { end: (desk: UploadDesk) => void; undo: (desk: UploadDesk) => void }> = {
  'on-battery': { end: (desk) => desk.power.become(BATTERY), undo: (desk) => desk.power.become(AC) },
  'power-unknown': {
    end: (desk) => desk.power.become({ state: 'unknown', isSaver: false }),
    undo: (desk) => desk.power.become(AC),
  },
  'battery-saver': {
    end: (desk) => desk.power.become({ state: 'ac', isSaver: true }),
    undo: (desk) => desk.power.become(AC),
  },
  'no-network': {
    end: (desk) => desk.network.become({ ...WIFI, kind: 'none' }),
    undo: (desk) => desk.network.become(WIFI),
  },
  'not-wifi': {
    end: (desk) => desk.network.become({ ...WIFI, kind: 'ethernet' }),
    undo: (desk) => desk.network.become(WIFI),
  },
  'network-unknown': {
    end: (desk) => desk.network.become({ ...WIFI, kind: 'unknown' }),
    undo: (desk) => desk.network.become(WIFI),
  },
  metered: {
    end: (desk) => desk.network.become({ ...WIFI, metered: 'yes' }),
    undo: (desk) => desk.network.become(WIFI),
  },
  'captive-portal': {
    end: (desk) => desk.network.become({ ...WIFI, isCaptivePortal: true }),
    undo: (desk) => desk.network.become(WIFI),
  },
  'consent-revoked': {
    end: (desk) => setConsent(desk, 'revoked'),
    undo: (desk) => setConsent(desk, 'granted'),
  },
  'consent-stale': {
    end: (desk) => setConsent(desk, 'stale'),
    undo: (desk) => setConsent(desk, 'granted'),
  },
  'no-destination': {
    end: (desk) => setPolicy(desk, null),
    undo: (desk) => setPolicy(desk, STRICT_POLICY),
  },
};

function setConsent(desk: UploadDesk, consent: UploadDesk['consent']): void {
  desk.consent = consent;
  desk.driver.evaluate();
}

function setPolicy(desk: UploadDesk, policy: UploadDesk['policy']): void {
  desk.policy = policy;
  desk.driver.evaluate();
}

describe.each(Object.entries(CONDITIONS))('%s', (code, { end, undo }) => {
  it('aborts a running round at once; what was not sent goes back, and out again when it is over', async () => {
    const desk = new UploadDesk();
    desk.policy = STRICT_POLICY;
    const uploader = await desk.startSending(1, 2);
    end(desk);
    expect(uploader.messages.at(-1)).toEqual({ type: 'abort', reason: code });
    await uploader.ended;
    expect(desk.stage('outbox')).toEqual([1, 2]);
    await uploader.exit();
    expect(uploader.wasKilled).toBe(false);
    expect(desk.stage('outbox')).toEqual([]);
    expect(desk.stage('sealed')).toEqual([1, 2]);
    expect(desk.driver.isSending).toBe(false);
    expect(desk.uploaders).toHaveLength(1);
    undo(desk);
    expect(desk.uploaders).toHaveLength(2);
  });
});

it('a condition that no event tells of aborts within a second', async () => {
  const desk = new UploadDesk();
  const uploader = await desk.startSending(1);
  desk.power.becomeQuietly(BATTERY);
  desk.timers.run(999);
  expect(uploader.messages).toHaveLength(1);
  desk.timers.run(1);
  expect(uploader.messages.at(-1)).toEqual({ type: 'abort', reason: 'on-battery' });
});

it('a network that does not bind this machine does not abort', async () => {
  const desk = new UploadDesk();
  const uploader = await desk.startSending(1);
  desk.network.become({ ...WIFI, kind: 'none' });
  expect(uploader.messages).toHaveLength(1);
});

it('a round is aborted once', async () => {
  const desk = new UploadDesk();
  const uploader = await desk.startSending(1);
  desk.power.become(BATTERY);
  desk.consent = 'revoked';
  desk.driver.evaluate();
  desk.timers.run(500);
  expect(uploader.messages.map(({ type }) => type)).toEqual(['round', 'abort']);
});

describe('an uploader', () => {
  it('that never comes is killed, its files go back, and nothing is tried before the next round is due', async () => {
    const desk = new UploadDesk();
    await desk.start(1);
    desk.driver.due();
    desk.timers.run(14_999);
    expect(desk.uploader.wasKilled).toBe(false);
    desk.timers.run(1);
    expect(desk.uploader.wasKilled).toBe(true);
    await settled();
    expect(desk.stage('sealed')).toEqual([1]);
    desk.timers.run(3_600_000);
    expect(desk.uploaders).toHaveLength(1);
    expect(desk.timers.names()).toEqual([]);
  });

  it('that has not come when the gate closes is killed then', async () => {
    const desk = new UploadDesk();
    await desk.start(1);
    desk.driver.due();
    desk.power.become(BATTERY);
    expect(desk.uploader.wasKilled).toBe(true);
    await settled();
    expect(desk.stage('sealed')).toEqual([1]);
  });

  it('that has come is left the time it needs', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    desk.timers.run(3_600_000);
    expect(uploader.wasKilled).toBe(false);
  });

  it('that does not obey an abort is killed a second later', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    desk.power.become(BATTERY);
    desk.timers.run(999);
    expect(uploader.wasKilled).toBe(false);
    desk.timers.run(1);
    expect(uploader.wasKilled).toBe(true);
  });

  it('that lost its connection and does not exit is killed too', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    await uploader.disconnect();
    desk.timers.run(14_999);
    expect(uploader.wasKilled).toBe(false);
    desk.timers.run(1);
    expect(uploader.wasKilled).toBe(true);
  });

  it('that lost its connection is killed at once when the gate closes: it cannot be told', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    await uploader.disconnect();
    desk.driver.takeResult(resultOf(segmentId(1), 'retry'));
    expect(uploader.wasKilled).toBe(true);
  });

  it('that lost its connection and then exits as it should is not', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    await uploader.disconnect();
    desk.timers.run(100);
    await uploader.exit();
    expect(uploader.wasKilled).toBe(false);
    expect(desk.timers.names()).toEqual([]);
  });

  it('that exits by itself leaves nothing behind', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    await uploader.exit();
    await uploader.ended;
    expect(desk.stage('sealed')).toEqual([1]);
    expect(desk.driver.isSending).toBe(false);
    expect(desk.timers.names()).toEqual([]);
  });
});

describe('stopping', () => {
  it('aborts the round and waits until its uploader is gone and its files are back', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    let isStopped = false;
    const stopped = desk.driver.stop().then(() => {
      isStopped = true;
    });
    await settled();
    expect(isStopped).toBe(false);
    expect(uploader.messages.at(-1)).toEqual({ type: 'abort', reason: 'the daemon is stopping' });
    await uploader.exit();
    await stopped;
    expect(desk.stage('sealed')).toEqual([1]);
    expect(desk.timers.names()).toEqual([]);
    expect(desk.uploaders).toHaveLength(1);
  });

  it('kills an uploader that does not obey', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    const stopped = desk.driver.stop();
    desk.timers.run(1000);
    expect(uploader.wasKilled).toBe(true);
    await stopped;
  });

  it('kills one that was being aborted already', async () => {
    const desk = new UploadDesk();
    const uploader = await desk.startSending(1);
    desk.power.become(BATTERY);
    desk.timers.run(500);
    const stopped = desk.driver.stop();
    desk.timers.run(500);
    expect(uploader.wasKilled).toBe(true);
    await stopped;
  });

  it('kills one that has not come yet', async () => {
    const desk = new UploadDesk();
    await desk.start(1);
    desk.driver.due();
    await desk.driver.stop();
    expect(desk.uploader.wasKilled).toBe(true);
    expect(desk.stage('sealed')).toEqual([1]);
  });
});
