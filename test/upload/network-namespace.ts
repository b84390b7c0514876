import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why no network namespace can be made here; `undefined` when one can. */
export const NAMESPACES_MISSING: string | undefined = missing();

function missing(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'network namespaces need root on Linux';
  const trial = spawnSync('unshare', [
    '-n',
    'ip',
    'link',
    'set',
    'lo',
    'up',
    'mtu',
    '1500',
    'gso_max_segs',
    '1',
  ]);
  return trial.status === 0 ? undefined : 'unshare -n or ip does not work here';
}

/** A network namespace without a name: it goes when its one process does, and that when this one does. */
export class NetworkNamespace {
  readonly #keeper: ChildProcess = spawn('unshare', ['-n', 'cat'], { stdio: ['pipe', 'ignore', 'inherit'] });

  get pid(): number {
    return this.#keeper.pid ?? 0;
  }

  /** What to put before a command so that it runs inside. */
  get within(): string[] {
    return ['nsenter', '-t', String(this.pid), '-n'];
  }

  async start(): Promise<void> {
    const own = readlinkSync('/proc/self/ns/net');
    while (readlinkSync(`/proc/${this.pid}/ns/net`) === own) await sleep(5);
    // Neighbours and routers are not asked after: the only bytes are those of a transfer.
    this.run(
      'sysctl',
      '-q',
      '-w',
      'net.ipv6.conf.all.disable_ipv6=1',
      'net.ipv6.conf.default.disable_ipv6=1',
    );
    this.bringUp('lo');
  }

  run(...command: readonly string[]): void {
    const [program = '', ...args] = [...this.within, ...command];
    execFileSync(program, args);
  }

  /** With packets as a real line has them: neither larger than Ethernet's nor put together by the kernel. */
  bringUp(device: string): void {
    this.run('ip', 'link', 'set', device, 'up', 'mtu', '1500', 'gso_max_segs', '1');
  }

  /** Joins two by a pair of devices named `wire`, with these addresses. */
  connect(other: NetworkNamespace, ownAddress: string, otherAddress: string): void {
    const peer = ['peer', 'name', 'wire', 'netns', String(other.pid)];
    execFileSync('ip', ['link', 'add', 'wire', 'netns', String(this.pid), 'type', 'veth', ...peer]);
    for (const [namespace, address] of [
      [this, ownAddress],
      [other, otherAddress],
    ] as const) {
      namespace.run('ip', 'address', 'add', `${address}/24`, 'dev', 'wire');
      namespace.bringUp('wire');
    }
  }

  /** Bytes and packets of a device in both directions, as the kernel counts them; `lo` has every packet twice. */
  traffic(device: string): { bytes: number; packets: number } {
    const text = readFileSync(`/proc/${this.pid}/net/dev`, 'utf8');
    const line = text.split('\n').find((found) => found.trimStart().startsWith(`${device}:`)) ?? '';
    const [inBytes = 0, inPackets = 0, , , , , , , outBytes = 0, outPackets = 0] = line
      .slice(line.indexOf(':') + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const share = device === 'lo' ? 0.5 : 1;
    return { bytes: (inBytes + outBytes) * share, packets: (inPackets + outPackets) * share };
  }

  async stop(): Promise<void> {
    const gone = once(this.#keeper, 'exit');
    this.#keeper.stdin?.end();
    await gone;
  }
}
