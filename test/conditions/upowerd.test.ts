import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { delayNode } from '../../src/capture/delay-node.ts';
import { powerBus } from '../../src/conditions/bus-source.ts';
import { Bus } from '../../src/conditions/dbus/bus.ts';
import { AC, HandSource } from '../daemon/hand-sources.ts';
import { MessageBus, UPOWERD_MISSING } from './dbus/message-bus.ts';

const LONG = { timeout: 20_000, interval: 10 };

describe.skipIf(UPOWERD_MISSING !== undefined)('the real upowerd, on a laptop of umockdev', () => {
  it('is believed: charging, unplugged, unplugged when full, and a charger too weak', async () => {
    const server = new MessageBus();
    onTestFinished(() => server.close());
    await server.start();
    const set = await server.upowerd();
    const bus = new Bus(server.sockets, (ms, fire) => delayNode(ms / 10, fire));
    const source = powerBus(bus, new HandSource(AC), (ms, fire) => delayNode(ms / 10, fire));
    onTestFinished(() => bus.stop());
    await source.start(() => undefined);
    onTestFinished(() => source.stop());
    const becomes = (state: string): Promise<void> =>
      vi.waitFor(() => expect(source.current().state).toBe(state), LONG);

    await becomes('ac');
    await set({ BAT0: { status: 'Discharging' }, AC: { online: '0' } });
    await becomes('battery');
    await set({ BAT0: { status: 'Charging' }, AC: { online: '1' } });
    await becomes('ac');
    await set({ BAT0: { status: 'Full' }, AC: { online: '0' } });
    await becomes('battery');
    await set({ AC: { online: '1' } });
    await becomes('ac');
    await set({ BAT0: { status: 'Discharging' }, AC: { online: '1' } });
    await becomes('battery');
  });
});
