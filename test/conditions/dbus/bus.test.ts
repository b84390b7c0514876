import { rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { delayNode } from '../../../src/capture/delay-node.ts';
import { Bus } from '../../../src/conditions/dbus/bus.ts';
import { type BusConnection, busCall, connectBus } from '../../../src/conditions/dbus/bus-connection.ts';
import { BUS_MISSING, MessageBus, startedBus } from './message-bus.ts';

/** A client and what it was told, newest last. */
function client(sockets: ConstructorParameters<typeof Bus>[0]) {
  const bus = new Bus(sockets, delayNode);
  const told: string[] = [];
  const found: { connection: BusConnection | null } = { connection: null };
  bus.use({
    connected: (connection) => {
      found.connection = connection;
      told.push('connected');
    },
    disconnected: (state) => told.push(state),
    signal: ({ member }) => told.push(member),
  });
  onTestFinished(() => bus.stop());
  bus.start();
  return { bus, told, found };
}

describe.skipIf(BUS_MISSING !== undefined)('a client of a real dbus-daemon', () => {
  it('is let in by who it is, and calls methods of strings and numbers', async () => {
    const { sockets } = await startedBus();
    const { found } = client(sockets);
    const connection = await vi.waitUntil(() => found.connection);
    const [names] = await connection.call(busCall('ListNames'));
    expect(names).toContain('org.freedesktop.DBus');
    expect(await connection.call(busCall('NameHasOwner', 'org.nobody'))).toEqual([false]);
    await expect(connection.call(busCall('GetNameOwner', 'org.nobody'))).rejects.toMatchObject({
      name: 'org.freedesktop.DBus.Error.NameHasNoOwner',
    });
  });

  it('finds a bus in the abstract namespace, behind an address that leads nowhere', async () => {
    const { sockets } = await startedBus(`unix:abstract=/telemetryd-test-${process.pid}`);
    const { told } = client([{ path: '/nonexistent/bus' }, ...sockets]);
    await vi.waitUntil(() => told.includes('connected'));
  });

  it('tells that the bus went, and goes on with the one that comes in its place', async () => {
    const server = await startedBus();
    const { told } = client(server.sockets);
    await vi.waitUntil(() => told.includes('connected'));
    await server.kill();
    await vi.waitUntil(() => told.includes('lost'));
    told.length = 0;
    // Longer than all its retries would be pointless here; shorter than the first would not need a retry.
    await new Promise((resolve) => setTimeout(resolve, 200));
    await server.start();
    await vi.waitUntil(() => told.includes('connected'), { timeout: 10_000 });
  });

  it('waits without a timer for a bus that has never been, and connects when it comes', async () => {
    const server = new MessageBus();
    onTestFinished(() => server.close());
    const delays: number[] = [];
    const bus = new Bus(server.sockets, (ms, fire) => {
      delays.push(ms);
      return delayNode(ms, fire);
    });
    onTestFinished(() => bus.stop());
    const told: string[] = [];
    bus.use({
      connected: () => told.push('connected'),
      disconnected: (state) => told.push(state),
      signal: () => undefined,
    });
    bus.start();
    expect(told).toEqual(['absent']);
    expect(delays).toEqual([]);
    await server.start();
    await vi.waitUntil(() => told.includes('connected'), { timeout: 10_000 });
  });

  it('looks again when asked', async () => {
    const server = await startedBus(`unix:abstract=/telemetryd-again-${process.pid}`);
    const { told, bus } = client(server.sockets);
    await vi.waitUntil(() => told.includes('connected'));
    await server.kill();
    await vi.waitUntil(() => told.includes('lost'));
    await server.start();
    told.length = 0;
    bus.retry();
    await vi.waitUntil(() => told.includes('connected'));
  });
});

describe('a client of what is not a bus', () => {
  /** A server that says these bytes to whoever connects, and one more time after the first line of the client. */
  async function talker(
    onLine: (line: string) => string | Uint8Array,
  ): Promise<{ path: string; server: Server }> {
    const { folder } = new MessageBus();
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'socket');
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (data) => socket.write(onLine(data.toString('latin1'))));
    });
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    return { path, server };
  }

  it('gives up on one that refuses it', async () => {
    const { path } = await talker(() => 'REJECTED EXTERNAL\r\n');
    await expect(connectBus([{ path }], delayNode)).rejects.toMatchObject({ name: 'refused' });
  });

  it.each([
    ['bytes that are no message', new Uint8Array(64).fill(0x7a)],
    ['another version of the protocol', Uint8Array.of(0x6c, 2, 0, 9, ...new Array<number>(60).fill(0))],
    ['a message of 2 GB', Uint8Array.of(0x6c, 2, 0, 1, 0, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0)],
    [
      'a header that claims more than there is',
      Uint8Array.of(0x6c, 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 5, 1, 0x73, 0, 0xff, 0xff, 0, 0),
    ],
  ])('hangs up on %s', async (_name, bytes) => {
    const { path } = await talker((line) =>
      line.startsWith('\0AUTH') ? 'DATA\r\n' : line.startsWith('DATA') ? 'OK 00\r\n' : bytes,
    );
    const connection = await connectBus([{ path }], delayNode);
    const gone = vi.fn();
    await expect(connection.begin({ signal: () => undefined, gone })).rejects.toMatchObject({
      name: 'disconnected',
    });
    expect(gone).toHaveBeenCalledTimes(1);
  });
});
