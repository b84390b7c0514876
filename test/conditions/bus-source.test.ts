import { afterEach, describe, expect, it, vi } from 'vitest';
import { delayNode } from '../../src/capture/delay-node.ts';
import { networkBus, powerBus } from '../../src/conditions/bus-source.ts';
import { Bus } from '../../src/conditions/dbus/bus.ts';
import type { Delay } from '../../src/conditions/dbus/bus-connection.ts';
import type { Network, Power, Source } from '../../src/core/conditions.ts';
import { AC, BATTERY, HandSource, WIFI } from '../daemon/hand-sources.ts';
import { BUS_MISSING, MessageBus, type MockServices } from './dbus/message-bus.ts';

const UPOWER = '/org/freedesktop/UPower';
const DEVICES = `${UPOWER}/devices`;
const DEVICE = 'org.freedesktop.UPower.Device';
const NM = '/org/freedesktop/NetworkManager';
const NM_NAME = 'org.freedesktop.NetworkManager';
const UNKNOWN: Power = { state: 'unknown', isSaver: false };
/** All waits of the code under test, ten times as fast: a change is settled after 100 ms. */
const delay: Delay = (ms, fire) => delayNode(ms / 10, fire);
const LONG = { timeout: 15_000, interval: 2 };

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startedBus(): Promise<MessageBus> {
  const bus = new MessageBus();
  closers.push(() => bus.close());
  await bus.start();
  return bus;
}

/** A source on this bus, and each state it said, with the time since the one before in milliseconds. */
async function watched<Fact extends object>(server: MessageBus, make: (bus: Bus) => Source<Fact>) {
  const bus = new Bus(server.sockets, delay);
  const source = make(bus);
  const said: Fact[] = [];
  closers.push(async () => {
    await source.stop();
    bus.stop();
  });
  await source.start(() => said.push(source.current()));
  const becomes = (fact: Partial<Fact>): Promise<void> =>
    vi.waitFor(() => expect(source.current()).toMatchObject(fact), LONG);
  return { source, said, becomes };
}

/** A laptop on its charger. */
async function laptop(services: MockServices): Promise<void> {
  await services.call(UPOWER, 'AddAC', 'AC', 'charger');
  await services.set(`${DEVICES}/AC`, DEVICE, { Type: 1, Online: true });
  await services.call(UPOWER, 'AddChargingBattery', 'BAT0', 'battery', 80, 1200);
}

describe.skipIf(BUS_MISSING !== undefined)('power over a real bus', () => {
  it('closes with the signal, and opens when AC has lasted', async () => {
    const server = await startedBus();
    const services = await server.mock('upower');
    await laptop(services);
    const { source, said, becomes } = await watched<Power>(server, (bus) =>
      powerBus(bus, new HandSource(AC), delay),
    );
    expect(source.current()).toEqual(UNKNOWN);
    await becomes({ state: 'ac' });

    await services.set(UPOWER, 'org.freedesktop.UPower', { OnBattery: true });
    const sentAt = performance.now();
    await becomes({ state: 'battery' });
    expect(performance.now() - sentAt).toBeLessThan(1000);

    // Plugged in, out and in again at once: it counts from the last time.
    for (const onBattery of [false, true, false]) {
      await services.set(UPOWER, 'org.freedesktop.UPower', { OnBattery: onBattery });
    }
    const pluggedAt = performance.now();
    await becomes({ state: 'ac' });
    expect(performance.now() - pluggedAt).toBeGreaterThan(90);
    expect(said.map(({ state }) => state)).toEqual(['ac', 'battery', 'ac']);
  });

  it('sees a battery that discharges though OnBattery says nothing, and devices that come and go', async () => {
    const server = await startedBus();
    const services = await server.mock('upower');
    await laptop(services);
    const { becomes } = await watched<Power>(server, (bus) => powerBus(bus, new HandSource(AC), delay));
    await becomes({ state: 'ac' });
    await services.set(`${DEVICES}/AC`, DEVICE, { Online: false });
    await becomes({ state: 'battery' });
    await services.set(`${DEVICES}/AC`, DEVICE, { Online: true });
    await becomes({ state: 'ac' });
    await services.call(UPOWER, 'AddDischargingBattery', 'BAT1', 'second', 50, 900);
    await becomes({ state: 'battery' });
    await services.remove(UPOWER, `${DEVICES}/BAT1`);
    await services.emit(UPOWER, 'org.freedesktop.UPower', 'DeviceRemoved', 'o', `${DEVICES}/BAT1`);
    await becomes({ state: 'ac' });
  });

  it('knows the battery saver', async () => {
    const server = await startedBus();
    const services = await server.mock('upower', 'power_profiles_daemon');
    const { becomes } = await watched<Power>(server, (bus) => powerBus(bus, new HandSource(AC), delay));
    await becomes({ state: 'ac', isSaver: false });
    const name = 'net.hadess.PowerProfiles';
    await services.set('/net/hadess/PowerProfiles', name, { ActiveProfile: 'power-saver' });
    await becomes({ isSaver: true });
    await services.set('/net/hadess/PowerProfiles', name, { ActiveProfile: 'balanced' });
    await becomes({ state: 'ac', isSaver: false });
  });

  it('is closed from the moment that the bus dies, and recovers with it', async () => {
    const server = await startedBus();
    await server.mock('upower');
    const { said, becomes } = await watched<Power>(server, (bus) => powerBus(bus, new HandSource(AC), delay));
    await becomes({ state: 'ac' });
    await server.kill();
    await becomes(UNKNOWN);
    await server.start();
    await server.mock('upower');
    await becomes({ state: 'ac' });
    expect(said.map(({ state }) => state)).toEqual(['ac', 'unknown', 'ac']);
  });

  it('is closed while the service is away, and asks the new one', async () => {
    const server = await startedBus();
    const services = await server.mock('upower');
    const { becomes } = await watched<Power>(server, (bus) => powerBus(bus, new HandSource(AC), delay));
    await becomes({ state: 'ac' });
    await services.release('org.freedesktop.UPower');
    await becomes(UNKNOWN);
    await services.own('org.freedesktop.UPower');
    await becomes({ state: 'ac' });
  });

  it('takes sysfs where there is no UPower, no bus, and for a battery that sysfs sees first', async () => {
    const server = await startedBus();
    const sysfs = new HandSource(AC);
    const { said, becomes } = await watched<Power>(server, (bus) => powerBus(bus, sysfs, delay));
    await becomes({ state: 'ac' });
    sysfs.become(BATTERY);
    sysfs.become(AC);
    // As it is, without waiting.
    expect(said.slice(-2)).toEqual([BATTERY, AC]);

    const services = await server.mock('upower');
    await laptop(services);
    await becomes({ state: 'ac' });
    sysfs.become(BATTERY);
    await becomes(BATTERY);

    const nowhere = new MessageBus();
    closers.push(() => nowhere.close());
    const bare = await watched<Power>(nowhere, (bus) => powerBus(bus, new HandSource(BATTERY), delay));
    expect(bare.source.current()).toEqual(BATTERY);
  });

  it('does not believe what others than UPower signal in its name', async () => {
    const server = await startedBus();
    const services = await server.mock('upower');
    await laptop(services);
    const { said, becomes } = await watched<Power>(server, (bus) => powerBus(bus, new HandSource(AC), delay));
    await services.set(UPOWER, 'org.freedesktop.UPower', { OnBattery: true });
    await becomes({ state: 'battery' });
    // Another process with the same objects that does not own the name.
    const liar = await server.mock();
    await liar.object('/org/freedesktop/UPower');
    await liar.emitChange(UPOWER, 'org.freedesktop.UPower', { OnBattery: false });
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(said.map(({ state }) => state)).not.toContain('ac');
  });
});

describe.skipIf(BUS_MISSING !== undefined)('the network over a real bus', () => {
  const NONE: Network = { ...WIFI, kind: 'none' };

  /** Wi-Fi of this name carries the default route. */
  async function wifi(services: MockServices, ssid: string): Promise<void> {
    await services.call(NM, 'AddWiFiDevice', 'wlan0', 'wlan0', 100);
    const device = `${NM}/Devices/wlan0`;
    await services.call(
      NM,
      'AddAccessPoint',
      device,
      'ap',
      ssid,
      '00:00:00:00:00:01',
      2,
      2412,
      5400,
      80,
      0x100,
    );
    await services.call(NM, 'AddWiFiConnection', device, '1', ssid, '');
    await services.call(
      NM,
      'AddActiveConnection',
      [device],
      `${NM}/Settings/1`,
      `${NM}/AccessPoint/ap`,
      '1',
      2,
    );
    const active = `${NM}/ActiveConnection/1`;
    await services.set(device, `${NM_NAME}.Device`, {
      Metered: 4,
      ActiveConnection: active,
      Driver: 'iwlwifi',
    });
    await services.set(active, `${NM_NAME}.Connection.Active`, { Vpn: false });
    await services.set(NM, NM_NAME, { Metered: 4, PrimaryConnection: active });
  }

  it('follows Wi-Fi, a metered guess, a portal and the end of it, and is open only when settled', async () => {
    const server = await startedBus();
    const services = await server.mock('networkmanager');
    await wifi(services, 'Office');
    const { said, becomes } = await watched<Network>(server, (bus) =>
      networkBus(bus, new HandSource(NONE), delay),
    );
    await becomes({ kind: 'wifi', metered: 'no', ssid: 'Office' });
    await services.set(`${NM}/Devices/wlan0`, `${NM_NAME}.Device`, { Metered: 3 });
    await becomes({ kind: 'unknown' });
    await becomes({ kind: 'wifi', metered: 'yes' });
    await services.set(NM, NM_NAME, { Connectivity: 2 });
    await becomes({ kind: 'wifi', isCaptivePortal: true });
    await services.set(NM, NM_NAME, { Connectivity: 4, State: 20, PrimaryConnection: '/' });
    await becomes({ kind: 'none' });
    expect(said.map(({ kind, isCaptivePortal }) => (isCaptivePortal ? 'portal' : kind))).toEqual([
      'wifi',
      'unknown',
      'wifi',
      'portal',
      'none',
    ]);
  });

  it('does not call it no network where there is a way out that NetworkManager does not manage', async () => {
    const server = await startedBus();
    const services = await server.mock('networkmanager');
    await services.set(NM, NM_NAME, { State: 20 });
    const routes = new HandSource(WIFI);
    const { source, becomes } = await watched<Network>(server, (bus) => networkBus(bus, routes, delay));
    routes.become(NONE);
    await becomes({ kind: 'none' });
    routes.become(WIFI);
    expect(source.current().kind).toBe('unknown');
  });

  it('takes sysfs and the routes where there is no NetworkManager', async () => {
    const server = await startedBus();
    const { becomes } = await watched<Network>(server, (bus) => networkBus(bus, new HandSource(WIFI), delay));
    await becomes(WIFI);
  });
});
