import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serviceManager } from '../../src/daemon/service-manager-node.ts';
import { openLibc } from '../../src/posix/libc-koffi.ts';
import { keepingLog } from '../control/reports.ts';
import { tempFolder } from '../spool/temp-folder.ts';

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

/** Node has no datagrams on Unix sockets; Python has. Gives what has been heard, once that is so many. */
async function listen(address: string): Promise<(count: number) => Promise<string[]>> {
  const script = `import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace('@', '\\0', 1) if sys.argv[1][0] == '@' else sys.argv[1])
print('ready', flush=True)
while True: print(json.dumps(s.recv(4096).decode()), flush=True)`;
  const child = spawn('python3', ['-c', script, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill());
  const lines = linesOf(child);
  await lines(1);
  return async (count) => (await lines(count + 1)).slice(1).map((line) => JSON.parse(line) as string);
}

function linesOf(child: ChildProcess): (count: number) => Promise<string[]> {
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (more: string) => {
    text += more;
  });
  return async (count) => {
    while (text.split('\n').length <= count && child.stdout !== null) await once(child.stdout, 'data');
    return text.trimEnd().split('\n');
  };
}
