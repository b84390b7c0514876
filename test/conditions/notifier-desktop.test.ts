import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { delayNode } from '../../src/capture/delay-node.ts';
import { Bus } from '../../src/conditions/dbus/bus.ts';
import { connectBus } from '../../src/conditions/dbus/bus-connection.ts';
import { DesktopNotifier } from '../../src/conditions/notifier-desktop.ts';
import type { Shown } from '../../src/core/notifier.ts';
import { BUS_MISSING, type MessageBus, startedBus } from './dbus/message-bus.ts';

const NAME = 'org.freedesktop.Notifications';
const PATH = '/org/freedesktop/Notifications';
const LONG = { timeout: 15_000, interval: 5 };

function notifierOn(server: MessageBus | null): DesktopNotifier {
  const bus = new Bus(server?.sockets ?? [], delayNode);
  const notifier = new DesktopNotifier(bus);
  onTestFinished(() => bus.stop());
  bus.start();
  return notifier;
}

/** The arguments of every notification that the desktop was asked for, as dbusmock keeps them. */
async function notified(server: MessageBus): Promise<unknown[][]> {
  const connection = await connectBus(server.sockets, delayNode);
  await connection.begin({ signal: () => undefined, gone: () => undefined });
  const asked = { interface: 'org.freedesktop.DBus.Mock', member: 'GetMethodCalls', args: ['Notify'] };
  const [calls] = await connection.call({ destination: NAME, path: PATH, ...asked });
  connection.close();
  return (calls as [number, unknown[]][]).map(([, args]) => args);
}

function told(notifier: DesktopNotifier, summary: string): Shown[] {
  const said: Shown[] = [];
  notifier.notify(summary, 'a body', (shown) => said.push(shown));
  return said;
}

describe.skipIf(BUS_MISSING !== undefined)(
  `desktop notifications${BUS_MISSING === undefined ? '' : ` (skipped: ${BUS_MISSING})`}`,
  () => {
    it('are shown by the desktop’s own service, each in place of the last', async () => {
      const server = await startedBus();
      await server.mock('notification_daemon');
      const notifier = notifierOn(server);
      const first = told(notifier, 'Recording began');
      await vi.waitUntil(() => first.includes('shown'), LONG);
      const second = told(notifier, 'The pause has ended');
      await vi.waitUntil(() => second.includes('shown'), LONG);
      const [one = [], two = []] = await notified(server);
      expect(one.slice(0, 5)).toEqual(['telemetryd', 0, '', 'Recording began', 'a body']);
      expect([one[5], [...(one[6] as Map<string, unknown>)]]).toEqual([[], []]);
      expect(two[1]).toBeGreaterThan(0);
      expect(two[3]).toBe('The pause has ended');
    });

    it('wait for a desktop that is not there yet, and are taken back when they are not true any more', async () => {
      const server = await startedBus();
      const notifier = notifierOn(server);
      const said = told(notifier, 'Recording began');
      await vi.waitUntil(() => said.includes('no-desktop'), LONG);
      await server.mock('notification_daemon');
      await vi.waitUntil(() => said.at(-1) === 'shown', LONG);
      expect(await notified(server)).toHaveLength(1);

      const other = await startedBus();
      const late = notifierOn(other);
      const unsaid = told(late, 'Recording began');
      await vi.waitUntil(() => unsaid.includes('no-desktop'), LONG);
      late.withdraw();
      await other.mock('notification_daemon');
      const next = told(late, 'The pause has ended');
      await vi.waitUntil(() => next.includes('shown'), LONG);
      expect((await notified(other)).map((args) => args[3])).toEqual(['The pause has ended']);
      expect(unsaid).not.toContain('shown');
    });

    it('are not shown where there is no bus, and that is said at once', () => {
      const notifier = notifierOn(null);
      expect(told(notifier, 'Recording began').at(-1)).toBe('no-desktop');
    });
  },
);
