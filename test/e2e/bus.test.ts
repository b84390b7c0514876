import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUS_MISSING, MessageBus, type MockServices } from '../conditions/dbus/message-bus.ts';
import { chargingLaptop, NM, NM_NAME, UPOWER, wifi } from '../conditions/dbus/mock-laptop.ts';
import { Desk, until } from './desk.ts';

const PROFILES = 'net.hadess.PowerProfiles';
const SESSION = '/org/freedesktop/login1/session/1';
const UID = process.getuid?.() ?? 0;

describe.skipIf(BUS_MISSING !== undefined)('a laptop whose system bus tells of it', () => {
  const desk = new Desk();
  const bus = new MessageBus();
  let services: MockServices;

  async function machine(): Promise<void> {
    services = await bus.mock('upower', 'networkmanager', 'power_profiles_daemon', 'logind');
    await chargingLaptop(services);
    await wifi(services, 'Office');
    await services.call('/org/freedesktop/login1', 'AddSession', '1', 'seat0', UID, 'me', true);
    await services.set(SESSION, 'org.freedesktop.login1.Session', { Type: 'x11' });
  }

  beforeAll(async () => {
    await bus.start();
    await machine();
    desk.extraEnv = { DBUS_SYSTEM_BUS_ADDRESS: bus.address };
    await desk.startRecording({
      capture: { focus_unknown: '"record"', mouse_hz: '1000' },
      segment: { roll: '"2s"', flush: '"1s"' },
      upload: {
        hold_back: '"0s"',
        networks: '["wifi"]',
        ssids: '["Office"]',
        // A slow line, so that there is time to pull the plug while a transfer runs.
        rate: '"2KB/s"',
        schedule: '"* * * * *"',
      },
    });
  });

  afterAll(async () => {
    await desk.close();
    await bus.close();
  });

  const sees = (...codes: readonly string[]) =>
    desk.waitFor(codes.join(), ({ upload }) =>
      codes.every((code) => upload.blockers.some((blocker) => blocker.code === code)),
    );

  it('sends on AC and an allowed Wi-Fi, and stops a transfer within a second of the signal', async () => {
    const status = await desk.status();
    expect(status.daemon.simulated).toBe(true);
    expect(status.conditions.session).toEqual({ lock: 'unlocked', sources: ['logind'] });
    const anywhere = (size: number): number => Math.floor(Math.random() * size);
    await desk.display.input(
      ...Array.from({ length: 3000 }, () => `mousemove ${anywhere(1280)} ${anywhere(800)} sleep 0.001`),
    );
    await desk.waitFor('a sealed segment', ({ upload }) => upload.queued.segments > 0, 30_000);
    await desk.waitFor(
      'a transfer',
      ({ upload }) => upload.isSending,
      30_000,
      () => desk.ctl('upload', 'now', '--json'),
    );
    const signalAt = Date.now();
    await services.set(UPOWER, 'org.freedesktop.UPower', { OnBattery: true });
    const closed = await desk.waitFor(
      'the abort',
      ({ upload }) => upload.gate === 'closed' && !upload.isSending,
    );
    const blocker = closed.upload.blockers.find(({ code }) => code === 'on-battery');
    expect(Date.parse(blocker?.since ?? '') - signalAt).toBeLessThan(1000);
    expect(closed.upload.queued.segments).toBeGreaterThan(0);
  });

  it('names every blocker there is, in status and in words', async () => {
    await services.set('/net/hadess/PowerProfiles', PROFILES, { ActiveProfile: 'power-saver' });
    await sees('on-battery', 'battery-saver');
    await services.set(`${NM}/Devices/wlan0`, `${NM_NAME}.Device`, { Metered: 3 });
    const point = [
      `${NM}/Devices/wlan0`,
      'cafe',
      'Café',
      '00:00:00:00:00:02',
      2,
      2412,
      5400,
      80,
      0x100,
    ] as const;
    await services.call(NM, 'AddAccessPoint', ...point);
    await services.set(`${NM}/ActiveConnection/1`, `${NM_NAME}.Connection.Active`, {
      SpecificObject: `${NM}/AccessPoint/cafe`,
    });
    await services.set(NM, NM_NAME, { Connectivity: 2 });
    await sees('metered', 'ssid-not-allowed', 'captive-portal');
    const why = await desk.ok('why');
    for (const words of [
      /battery saver is on/,
      /network is metered/,
      /sign-in page/,
      /not one the policy names/,
    ])
      expect(why).toMatch(words);
    await services.set(NM, NM_NAME, { Connectivity: 4, State: 50 });
    await sees('no-network');
    await services.release('org.freedesktop.NetworkManager');
    await sees('network-unknown');
  });

  it('has no capture process while the session is locked or away', async () => {
    const session = 'org.freedesktop.login1.Session';
    for (const [off, on] of [
      [{ LockedHint: true }, { LockedHint: false }],
      [{ Active: false }, { Active: true }],
    ] as const) {
      await services.set(SESSION, session, off);
      const { collection } = await desk.waitFor(
        'the process to be gone',
        ({ capture, collection: { state } }) => capture.pid === null && state === 'locked',
      );
      expect(collection.reasons[0]).toMatchObject({ code: 'locked', hint: 'unlock the session' });
      await services.set(SESSION, session, on);
      await desk.waitFor('capture to go on', ({ collection: { state } }) => state === 'capturing');
    }
  });

  it('is closed and locked from the moment that the bus dies, and sends everything when it is back', async () => {
    await bus.kill();
    const status = await sees('power-unknown', 'network-unknown');
    expect(status.collection).toMatchObject({ state: 'locked', reasons: [{ code: 'lock-unknown' }] });
    await until('the process to be gone', async () => (await desk.status()).capture.pid === null);
    await bus.start();
    await machine();
    await desk.waitFor('capture to go on', ({ collection }) => collection.state === 'capturing', 30_000);
    await desk.sendAll();
    expect((await desk.stored()).length).toBe((await desk.status()).capture.events.recorded);
  });
});
