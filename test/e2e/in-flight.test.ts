import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUS_MISSING, MessageBus, type MockServices } from '../conditions/dbus/message-bus.ts';
import { chargingLaptop, NM, NM_NAME, UPOWER, wifi } from '../conditions/dbus/mock-laptop.ts';
import { Desk, until } from './desk.ts';

const UPOWER_NAME = 'org.freedesktop.UPower';
const WLAN = `${NM}/Devices/wlan0`;
/** At this rate what is recorded here takes ten seconds and more: a transfer runs when something happens to it. */
const SLOW = '"1KB/s"';
const FAST = '"1MB/s"';

if (BUS_MISSING !== undefined) console.warn(`skipped, conditions in flight: ${BUS_MISSING}`);

describe.skipIf(BUS_MISSING !== undefined)('a transfer that runs', () => {
  const desk = new Desk();
  const bus = new MessageBus();
  let services: MockServices;

  const writePolicy = (upload: Record<string, string>): void =>
    desk.writePolicy({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"3s"', flush: '"1s"' },
      upload: {
        url: `"${desk.url}"`,
        hold_back: '"0s"',
        networks: '["wifi"]',
        schedule: '"* * * * * *"',
        ...upload,
      },
    });
  /** Puts a policy into force. */
  const reload = async (upload: Record<string, string>): Promise<void> => {
    const { id } = (await desk.status()).policy;
    writePolicy(upload);
    desk.daemon?.child.kill('SIGHUP');
    await desk.waitFor('the policy', ({ policy }) => policy.id !== id);
  };

  beforeAll(async () => {
    await bus.start();
    services = await bus.mock('upower', 'networkmanager');
    await chargingLaptop(services);
    await wifi(services, 'Office');
    desk.extraEnv = { DBUS_SYSTEM_BUS_ADDRESS: bus.address };
    await services.set(NM, NM_NAME, { State: 20 });
    await desk.startDisplay();
    await desk.startCollector();
    // Consent is to the faster one: a slower one asks less of the person, the other way round would ask anew.
    writePolicy({ rate: FAST });
    await desk.startDaemon();
    await desk.grant();
    await reload({ rate: SLOW });
    const anywhere = (size: number): number => Math.floor(Math.random() * size);
    await desk.display.input(
      ...Array.from({ length: 5000 }, () => `mousemove ${anywhere(1280)} ${anywhere(800)} sleep 0.001`),
    );
    await desk.waitFor('sealed segments', ({ upload }) => upload.queued.bytes > 6000);
    await services.set(NM, NM_NAME, { State: 70 });
  });

  afterAll(async () => {
    await desk.close();
    await bus.close();
  });

  interface Change {
    readonly end: () => Promise<unknown>;
    readonly undo: () => Promise<unknown>;
    readonly withinMs?: number;
  }
  const CHANGES: Record<string, Change> = {
    'on-battery': {
      end: () => services.set(UPOWER, UPOWER_NAME, { OnBattery: true }),
      undo: () => services.set(UPOWER, UPOWER_NAME, { OnBattery: false }),
    },
    'no-network': {
      end: () => services.set(NM, NM_NAME, { State: 50 }),
      undo: () => services.set(NM, NM_NAME, { State: 70 }),
    },
    metered: {
      end: () => services.set(WLAN, `${NM_NAME}.Device`, { Metered: 1 }),
      undo: () => services.set(WLAN, `${NM_NAME}.Device`, { Metered: 4 }),
    },
    'daily-budget': {
      end: () => reload({ rate: SLOW, daily_budget: '"1KB"' }),
      undo: () => reload({ rate: SLOW }),
      // A policy is read by a process of its own before it counts.
      withinMs: 4000,
    },
  };

  /** When the daemon last ended a transfer, by its own log. */
  const lastAbortAt = (): number => {
    const lines = desk.daemon?.out.split('\n').filter((line) => line.includes('upload round aborted')) ?? [];
    return lines.length === 0 ? 0 : (JSON.parse(lines.at(-1) ?? '') as { time: number }).time;
  };

  it.each(Object.entries(CHANGES))(
    'stops within a second: %s',
    async (code, { end, undo, withinMs = 1000 }) => {
      await desk.waitFor('a transfer', ({ upload }) => upload.isSending);
      const changedAt = Date.now();
      try {
        await end();
        const { upload } = await desk.waitFor(
          'the abort',
          (status) => !status.upload.isSending && status.upload.blockers.some((found) => found.code === code),
        );
        expect(lastAbortAt()).toBeGreaterThanOrEqual(changedAt);
        expect(lastAbortAt() - changedAt).toBeLessThan(withinMs);
        expect(upload.queued.segments).toBeGreaterThan(0);
      } finally {
        await undo();
      }
    },
  );

  it('and goes later, whole and once', async () => {
    await reload({ rate: FAST });
    await desk.sendAll();
    expect((await desk.stored()).length).toBe((await desk.status()).capture.events.recorded);
    const sent = (await desk.status()).upload.sent.totalSegments;
    expect(desk.storedFiles()).toHaveLength(sent);
  });

  it('stops within a second when consent is revoked, and never goes', async () => {
    await reload({ rate: SLOW });
    const before = desk.storedFiles().length;
    await desk.display.input(...Array.from({ length: 400 }, (_, n) => `mousemove ${n} ${n % 7} sleep 0.001`));
    await desk.waitFor('a transfer', ({ upload }) => upload.isSending);
    const revokedAt = Date.now();
    await desk.ok('consent', 'revoke', '--yes');
    await desk.waitFor('the abort', ({ upload }) => !upload.isSending);
    expect(lastAbortAt()).toBeGreaterThanOrEqual(revokedAt);
    // The command line has to start first.
    expect(lastAbortAt() - revokedAt).toBeLessThan(2000);
    await until('a second to pass', () => Date.now() - revokedAt > 1500);
    expect(desk.storedFiles()).toHaveLength(before);
  });
});
