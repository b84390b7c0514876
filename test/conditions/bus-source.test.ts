import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { delayNode } from '../../src/capture/delay-node.ts';
import { networkBus, powerBus } from '../../src/conditions/bus-source.ts';
import { Bus } from '../../src/conditions/dbus/bus.ts';
import { busCall, type Delay } from '../../src/conditions/dbus/bus-connection.ts';
import { textIn } from '../../src/conditions/dbus/values.ts';
import type { Network, Power, Source } from '../../src/core/conditions.ts';
import { AC, BATTERY, HandSource, WIFI } from '../daemon/hand-sources.ts';
import { BUS_MISSING, MessageBus, startedBus } from './dbus/message-bus.ts';
import { chargingLaptop, NM, NM_NAME, UPOWER, wifi } from './dbus/mock-laptop.ts';

const DEVICES = `${UPOWER}/devices`;
const DEVICE = 'org.freedesktop.UPower.Device';
const UNKNOWN: Power = { state: 'unknown', isSaver: false };
/** All waits of the code under test, ten times as fast: a change is settled after 100 ms. */
const delay: Delay = (ms, fire) => delayNode(ms / 10, fire);
/** The same, but an answer has its 5 s: a service of Python's that starts while it is watched may need as long. */
const patient: Delay = (ms, fire) => delayNode(ms >= 5000 ? ms : ms / 10, fire);
const LONG = { timeout: 30_000, interval: 2 };

/** A source on this bus, and each state it said, with the time since the one before in milliseconds. */
async function watched<Fact extends object>(
  server: MessageBus,
  make: (bus: Bus) => Source<Fact>,
  wait = delay,
) {
  const bus = new Bus(server.sockets, wait);
  const source = make(bus);
  const said: Fact[] = [];
  onTestFinished(async () => {
    await source.stop();
    bus.stop();
  });
  await source.start(() => said.push(source.current()));
  const becomes = (fact: Partial<Fact>): Promise<void> =>
    vi.waitFor(() => expect(source.current()).toMatchObject(fact), LONG);
  return { source, said, becomes };
}

describe.skipIf(BUS_MISSING !== undefined)('power over a real bus', () => {
  it('closes with the signal, and opens when AC has lasted', async () => {
    const server = await startedBus();
    const services = await server.mock('upower');
    await chargingLaptop(services);
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
    await chargingLaptop(services);
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

  it('asks nothing while nothing changes, whatever else the service signals', async () => {
    const server = await startedBus();
    const services = await server.mock('upower', 'networkmanager');
    await chargingLaptop(services);
    await wifi(services, 'Office');
    const { becomes } = await watched<Power>(server, (bus) => powerBus(bus, new HandSource(AC), delay));
    const network = await watched<Network>(server, (bus) => networkBus(bus, new HandSource(WIFI), delay));
    await becomes({ state: 'ac' });
    await network.becomes({ kind: 'wifi' });
    // dbusmock signals each call that it gets, from the object that was called.
    const calls: string[] = [];
    const listener = new Bus(server.sockets, delay);
    onTestFinished(() => listener.stop());
    const listens = Promise.withResolvers<undefined>();
    listener.use({
      connected: (connection) => {
        const rule = "type='signal',interface='org.freedesktop.DBus.Mock'";
        connection.call(busCall('AddMatch', rule)).then(() => listens.resolve(undefined), listens.reject);
      },
      disconnected: () => undefined,
      signal: ({ member, body }) => {
        if (member === 'MethodCalled') calls.push(textIn(body[0]));
      },
    });
    listener.start();
    await listens.promise;
    await services.emit(UPOWER, 'org.freedesktop.DBus.Mock', 'MethodCalled', 'sav', 'Test', []);
    await vi.waitUntil(() => calls.length > 0, LONG);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(calls).toEqual(['Test']);
    await services.emit(UPOWER, 'org.freedesktop.UPower', 'DeviceAdded', 'o', '/');
    await vi.waitFor(() => expect(calls).toEqual(['Test', 'EnumerateDevices']), LONG);
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

  it('asks anew what a service could not answer when it started, once that has something to tell', async () => {
    const server = await startedBus();
    const services = await server.mock();
    // It has the name, and of what is asked for nothing.
    await services.own('org.freedesktop.UPower');
    const { source, becomes } = await watched<Power>(
      server,
      (bus) => powerBus(bus, new HandSource(AC), patient),
      patient,
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(source.current()).toEqual(UNKNOWN);
    await services.object(UPOWER);
    const manager = 'org.freedesktop.UPower';
    await services.call(UPOWER, 'AddProperty', manager, 'OnBattery', true);
    await services.call(UPOWER, 'AddMethod', manager, 'EnumerateDevices', '', 'ao', 'ret = []');
    await services.emit(UPOWER, manager, 'DeviceAdded', 'o', `${DEVICES}/AC`);
    await becomes({ state: 'battery' });
  });

  it('takes sysfs where there is no UPower, no bus, and for a battery that sysfs sees first', async () => {
    const server = await startedBus();
    const sysfs = new HandSource(AC);
    const { said, becomes } = await watched<Power>(server, (bus) => powerBus(bus, sysfs, patient), patient);
    await becomes({ state: 'ac' });
    sysfs.become(BATTERY);
    sysfs.become(AC);
    // As it is, without waiting.
    expect(said.slice(-2)).toEqual([BATTERY, AC]);

    const services = await server.mock('upower');
    await chargingLaptop(services);
    await becomes({ state: 'ac' });
    sysfs.become(BATTERY);
    await becomes(BATTERY);

    const nowhere = new MessageBus();
    onTestFinished(() => nowhere.close());
    const bare = await watched<Power>(nowhere, (bus) => powerBus(bus, new HandSource(BATTERY), delay));
    expect(bare.source.current()).toEqual(BATTERY);
  });

  it('does not believe what others than UPower signal in its name', async () => {
    const server = await startedBus();
    const services = await server.mock('upower');
    await chargingLaptop(services);
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
