import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { serviceManager } from '../../src/daemon/service-manager-node.ts';
import { openLibc } from '../../src/posix/libc-koffi.ts';
import { keepingLog } from '../control/reports.ts';
import { tempFolder } from '../spool/temp-folder.ts';
import { listenForDatagrams } from './datagram-listener.ts';

const bridge = openLibc();

describe.skipIf(process.platform !== 'linux' || bridge.libc === null)('the service manager', () => {
  it.each(['a path', 'an abstract address'])('is told one datagram at a time, at %s', async (kind) => {
    const address = kind === 'a path' ? join(tempFolder(), 'notify') : `@telemetryd-test-${process.pid}`;
    const heard = await listen(address);
    const { log, lines } = keepingLog();
    const manager = serviceManager({ NOTIFY_SOCKET: address, WATCHDOG_USEC: '120000000' }, bridge, log);
    manager.ready();
    manager.collectionIs('locked');
    manager.alive();
    manager.stopping();
    expect(await heard(4)).toEqual([
      'READY=1',
      'STATUS=Paused: nothing is recorded.',
      'WATCHDOG=1',
      expect.stringMatching(/^STOPPING=1\nSTATUS=/),
    ]);
    expect(lines).toEqual([]);
  });

  it('that does not want to hear of life is not told of it', async () => {
    const address = join(tempFolder(), 'notify');
    const heard = await listen(address);
    const env = { NOTIFY_SOCKET: address, WATCHDOG_USEC: '120000000', WATCHDOG_PID: '1' };
    const manager = serviceManager(env, bridge, keepingLog().log);
    manager.alive();
    manager.ready();
    expect(await heard(1)).toEqual(['READY=1']);
    expect(manager.aliveEveryMs).toBeNull();
  });

  it('wants to hear twice within its limit', () => {
    const env = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '4000000', WATCHDOG_PID: String(process.pid) };
    expect(serviceManager(env, bridge, keepingLog().log).aliveEveryMs).toBe(2000);
  });

  it('that is gone, or names no address, is a line in the log and no more', () => {
    for (const address of ['/nowhere/notify', 'nonsense', `/${'x'.repeat(200)}`]) {
      const { log, lines } = keepingLog();
      serviceManager({ NOTIFY_SOCKET: address }, bridge, log).ready();
      expect(lines).toHaveLength(1);
    }
  });
});

it('without a service manager, or without the bridge to tell it, nobody is told and nothing fails', () => {
  const { log, lines } = keepingLog();
  serviceManager({}, bridge, log).ready();
  expect(lines).toEqual([]);
  serviceManager({ NOTIFY_SOCKET: '/run/notify' }, { libc: null, problem: 'no koffi' }, log).ready();
  expect(lines).toHaveLength(1);
});

/** What is heard at an address, in the order in which it came. */
async function listen(address: string): Promise<(count: number) => Promise<string[]>> {
  const next = await listenForDatagrams(address);
  return async (count) => {
    const heard: string[] = [];
    while (heard.length < count) heard.push(await next());
    return heard;
  };
}
