import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { delayNode } from '../../src/capture/delay-node.ts';
import { Bus } from '../../src/conditions/dbus/bus.ts';
import type { Delay } from '../../src/conditions/dbus/bus-connection.ts';
import { SessionBusSource } from '../../src/conditions/session-bus-source.ts';
import type { Session } from '../../src/core/conditions.ts';
import { BUS_MISSING, type MessageBus, type MockServices, startedBus } from './dbus/message-bus.ts';

const LOGIND = '/org/freedesktop/login1';
const SESSION = 'org.freedesktop.login1.Session';
const MANAGER = 'org.freedesktop.login1.Manager';
const ME = 1000;
const LONG = { timeout: 15_000, interval: 2 };
/** All waits of the code under test, ten times as fast. */
const delay: Delay = (ms, fire) => delayNode(ms / 10, fire);

const path = (id: string): string => `${LOGIND}/session/${id}`;

/** logind with my session 1 in front, as it is on a desktop. */
async function logind(server: MessageBus): Promise<MockServices> {
  const services = await server.mock('logind');
  await services.call(LOGIND, 'AddSession', '1', 'seat0', ME, 'me', true);
  await services.set(path('1'), SESSION, { Type: 'wayland' });
  return services;
}

/** The source on these buses and every lock that it said, one after the other. */
async function watched(system: MessageBus | null, session: MessageBus | null = null) {
  const buses = [system, session].map((server) => new Bus(server?.sockets ?? [], delay));
  const [systemBus, sessionBus] = buses;
  if (systemBus === undefined || sessionBus === undefined) throw new Error('two buses were made');
  const source = new SessionBusSource({ systemBus, sessionBus, uid: ME, delay });
  const said: Session['lock'][] = [];
  const slept: boolean[] = [];
  onTestFinished(async () => {
    await source.stop();
    for (const bus of buses) bus.stop();
  });
  source.onSleep((isFallingAsleep) => slept.push(isFallingAsleep));
  const atOnce = source.current().lock;
  await source.start(() => said.push(source.current().lock));
  const becomes = (lock: Session['lock']): Promise<void> =>
    vi.waitFor(() => expect(source.current().lock).toBe(lock), LONG);
  return { source, said, slept, becomes, atOnce };
}

describe.skipIf(BUS_MISSING !== undefined)('the session over a real bus', () => {
  it('follows the lock, switching away, the greeter and a second session', async () => {
    const server = await startedBus();
    const services = await logind(server);
    const { source, becomes, atOnce } = await watched(server);
    expect(atOnce).toBe('unknown');
    await becomes('unlocked');
    expect(source.current().sources).toEqual(['logind']);
    await services.call(path('1'), 'SetLockedHint', true);
    await becomes('locked');
    await services.call(path('1'), 'SetLockedHint', false);
    await becomes('unlocked');

    await services.call(LOGIND, 'AddSession', 'c1', 'seat0', 42, 'greeter', false);
    await services.set(path('c1'), SESSION, { Class: 'greeter', Type: 'wayland' });
    await services.emit(LOGIND, MANAGER, 'SessionNew', 'so', 'c1', path('c1'));
    await services.set(path('1'), SESSION, { Active: false });
    await becomes('locked');
    await services.set(path('1'), SESSION, { Active: true });
    await becomes('unlocked');

    await services.call(LOGIND, 'AddSession', '2', 'seat0', ME, 'me', true);
    await services.set(path('2'), SESSION, { Type: 'x11', LockedHint: true });
    await services.emit(LOGIND, MANAGER, 'SessionNew', 'so', '2', path('2'));
    await becomes('locked');
    await services.set(path('2'), SESSION, { Active: false });
    await becomes('unlocked');
  });

  it('ends, however fast it flaps, with what is true, and was locked in between', async () => {
    const server = await startedBus();
    const services = await logind(server);
    const { said, becomes, source } = await watched(server);
    await becomes('unlocked');
    said.length = 0;
    for (let i = 0; i < 20; i++) void services.call(path('1'), 'SetLockedHint', i % 2 === 0);
    await services.call(path('1'), 'SetLockedHint', true);
    // It is locked half of the time on the way there, too.
    await vi.waitFor(() => expect(said).toHaveLength(21), LONG);
    expect(source.current().lock).toBe('locked');
    expect(said.filter((lock) => lock === 'locked')).toHaveLength(11);
  });

  it('is unknown while logind hangs, is away, or the bus is, and recovers', async () => {
    const server = await startedBus();
    const services = await logind(server);
    const { said, becomes, source } = await watched(server);
    await becomes('unlocked');

    await services.release('org.freedesktop.login1');
    await becomes('unknown');
    services.hang();
    const owned = services.own('org.freedesktop.login1');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(source.current().lock).toBe('unknown');
    services.goOn();
    await owned;
    await vi.waitFor(() => {
      source.refresh(); // the heartbeat
      expect(source.current().lock).toBe('unlocked');
    }, LONG);

    said.length = 0;
    await server.kill();
    await becomes('unknown');
    await server.start();
    const again = await logind(server);
    // Who looks while the mock makes the session sees a seat in use and nobody's session; the real one tells of it.
    await again.emit(LOGIND, MANAGER, 'SessionNew', 'so', '1', path('1'));
    await becomes('unlocked');
    expect([said[0], said.at(-1)]).toEqual(['unknown', 'unlocked']);
    expect(said).not.toContain('none');
  });

  it('tells of sleep and waking', async () => {
    const server = await startedBus();
    const services = await logind(server);
    const { slept, becomes } = await watched(server);
    await becomes('unlocked');
    await services.emit(LOGIND, MANAGER, 'PrepareForSleep', 'b', true);
    await services.emit(LOGIND, MANAGER, 'PrepareForSleep', 'b', false);
    await vi.waitFor(() => expect(slept).toEqual([true, false]), LONG);
  });

  it('is locked when a screen saver of the session bus says so, though logind does not', async () => {
    const [server, sessionServer] = [await startedBus(), await startedBus()];
    await logind(server);
    const saver = await sessionServer.mock('gnome_screensaver');
    const { source, said, becomes } = await watched(server, sessionServer);
    await becomes('unlocked');
    expect(source.current().sources).toEqual(['logind', 'org.gnome.ScreenSaver']);
    said.length = 0;
    await saver.call('/org/gnome/ScreenSaver', 'SetActive', true);
    await becomes('locked');
    // From the signal on, and not only from the answer.
    expect(said).toEqual(['unknown', 'locked']);
    await saver.call('/org/gnome/ScreenSaver', 'SetActive', false);
    await becomes('unlocked');
    await saver.stop();
    await vi.waitFor(() => expect(source.current()).toEqual({ lock: 'unlocked', sources: ['logind'] }), LONG);
  });

  it('has no source without any bus, and none on a bus without logind', async () => {
    const none = { lock: 'unlocked', sources: [] };
    expect((await watched(null)).source.current()).toEqual(none);
    const server = await startedBus();
    const { source } = await watched(server);
    await vi.waitFor(() => expect(source.current()).toEqual(none), LONG);
    // One that comes later is believed from then on.
    const services = await server.mock('logind');
    await services.call(LOGIND, 'AddSession', '1', 'seat0', 42, 'greeter', true);
    await services.emit(LOGIND, MANAGER, 'SessionNew', 'so', '1', path('1'));
    await vi.waitFor(() => expect(source.current().lock).toBe('locked'), LONG);
  });
});
