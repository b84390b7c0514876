import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { type BusSocket, parseBusAddress } from '../../../src/conditions/dbus/bus-address.ts';

/** The system's Python, which has Debian's modules. */
const PYTHON = '/usr/bin/python3';
const UPOWERD_PROGRAM = fileURLToPath(new URL('upowerd.py', import.meta.url));
const MOCKS = fileURLToPath(new URL('mocks.py', import.meta.url));

/** Why these tests cannot run here; `undefined` when they can. */
export const BUS_MISSING: string | undefined = missing();

function missing(): string | undefined {
  if (spawnSync('dbus-daemon', ['--version']).status !== 0) return 'dbus-daemon is not installed';
  const python = spawnSync(PYTHON, ['-c', 'import dbusmock, gi']);
  return python.status === 0 ? undefined : 'python3-dbusmock is not installed';
}

/** Where distributions put it; it is no program for people. */
const UPOWERD = ['/usr/libexec/upowerd', '/usr/lib/upower/upowerd', '/usr/lib/upowerd'].find((path) =>
  existsSync(path),
);

/** Why the real upowerd cannot be tested here; `undefined` when it can. */
export const UPOWERD_MISSING: string | undefined =
  BUS_MISSING ??
  (UPOWERD === undefined
    ? 'upowerd is not installed'
    : spawnSync(PYTHON, ['-c', "import gi; gi.require_version('UMockdev', '1.0')"]).status === 0 &&
        spawnSync('umockdev-wrapper', ['true']).status === 0
      ? undefined
      : 'umockdev is not installed');

/** A process that says when it is ready and answers each line it is given with a line. */
class Answering {
  readonly #child;
  #lines: string[] = [];
  #partial = '';
  #error = '';

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#child = spawn(command, args, { env: { ...process.env, ...env } });
    this.#child.stdout.on('data', (chunk: Buffer) => {
      const [partial = '', ...lines] = `${this.#partial}${chunk.toString()}`.split('\n').reverse();
      this.#partial = partial;
      this.#lines.push(...lines.reverse());
    });
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#error += chunk.toString()));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async line(): Promise<string> {
    return await vi.waitUntil(
      () => {
        const line = this.#lines.shift();
        if (line === undefined && this.#child.exitCode !== null) throw new Error(this.#error);
        return line;
      },
      { timeout: 20_000, interval: 2 },
    );
  }

  write(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  async end(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#child.once('exit', () => resolve(undefined));
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await promise;
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#child.once('exit', () => resolve(undefined));
    this.#child.kill(signal);
    await promise;
  }
}

/** A real `dbus-daemon` at an address of its own that lets everybody do everything. */
export class MessageBus {
  readonly folder = mkdtempSync(join(tmpdir(), 'bus-'));
  address: string;
  readonly #config = join(this.folder, 'bus.conf');
  #daemon: Answering | null = null;
  #mocks: MockServices[] = [];
  readonly #others: Answering[] = [];

  constructor(address = '') {
    this.address = address || `unix:path=${join(this.folder, 'socket')}`;
  }

  get sockets(): BusSocket[] {
    return parseBusAddress(this.address, {});
  }

  /** Starts the bus, or starts it anew at the same address. */
  async start(): Promise<void> {
    writeFileSync(
      this.#config,
      `<busconfig><type>system</type><listen>${this.address}</listen><auth>EXTERNAL</auth>
        <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
        <allow own="*"/><allow user="*"/></policy></busconfig>`,
    );
    const socket = join(this.folder, 'socket');
    if (existsSync(socket)) rmSync(socket);
    this.#daemon = new Answering('dbus-daemon', [
      `--config-file=${this.#config}`,
      '--nofork',
      '--nopidfile',
      '--print-address=1',
    ]);
    await this.#daemon.line();
  }

  /** Services of these templates of dbusmock, in one process. */
  async mock(...templates: readonly string[]): Promise<MockServices> {
    const services = new MockServices(new Answering(PYTHON, [MOCKS, this.address, ...templates]));
    this.#mocks.push(services);
    await services.ready();
    return services;
  }

  /** The real upowerd on a laptop that umockdev makes; the function changes attributes of its supplies. */
  async upowerd(): Promise<
    (attributes: Readonly<Record<string, Readonly<Record<string, string>>>>) => Promise<void>
  > {
    const process = new Answering('umockdev-wrapper', [PYTHON, UPOWERD_PROGRAM, UPOWERD ?? ''], {
      DBUS_SYSTEM_BUS_ADDRESS: this.address,
    });
    this.#others.push(process);
    await process.line();
    return async (attributes) => {
      process.write(JSON.stringify(attributes));
      await process.line();
    };
  }

  /** The bus dies; its socket stays behind, as after a crash. */
  async kill(): Promise<void> {
    await this.#daemon?.stop();
    for (const mocks of this.#mocks.splice(0)) await mocks.stop();
  }

  async close(): Promise<void> {
    // It ends upowerd when there is nothing more to read.
    for (const process of this.#others) await process.end();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

type Json = string | number | boolean | readonly Json[] | { readonly struct: readonly Json[] };

/** Mocked services. Each order has been carried out, and its signals are on their way, when its promise resolves. */
export class MockServices {
  readonly #process: Answering;

  constructor(process: Answering) {
    this.#process = process;
  }

  async ready(): Promise<void> {
    await this.#process.line();
  }

  /** A method of a template or of dbusmock itself. */
  call(path: string, method: string, ...args: readonly Json[]): Promise<void> {
    return this.#order({ do: 'call', path, method, args });
  }

  set(path: string, interfaceName: string, properties: Readonly<Record<string, Json>>): Promise<void> {
    return this.#order({ do: 'set', path, interface: interfaceName, properties });
  }

  emit(
    path: string,
    interfaceName: string,
    member: string,
    signature: string,
    ...args: Json[]
  ): Promise<void> {
    return this.#order({ do: 'emit', path, interface: interfaceName, member, signature, args });
  }

  /** An object of a process that owns no name of consequence. */
  object(path: string): Promise<void> {
    return this.#order({ do: 'object', path });
  }

  /** The signal that properties changed, whether or not there are any. */
  emitChange(path: string, interfaceName: string, properties: Readonly<Record<string, Json>>): Promise<void> {
    return this.#order({ do: 'change', path, interface: interfaceName, properties });
  }

  own(name: string): Promise<void> {
    return this.#order({ do: 'own', name });
  }

  release(name: string): Promise<void> {
    return this.#order({ do: 'release', name });
  }

  remove(parent: string, path: string): Promise<void> {
    return this.#order({ do: 'remove', parent, path });
  }

  /** The services hang: they are there and do not answer. */
  hang(): void {
    process.kill(this.#process.pid, 'SIGSTOP');
  }

  goOn(): void {
    process.kill(this.#process.pid, 'SIGCONT');
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }

  async #order(order: object): Promise<void> {
    this.#process.write(JSON.stringify(order));
    const answer = await this.#process.line();
    if (answer !== 'ok') throw new Error(answer);
  }
}

/** A bus that runs, until the test that asked for it is over. */
export async function startedBus(address?: string): Promise<MessageBus> {
  const bus = new MessageBus(address);
  onTestFinished(() => bus.close());
  await bus.start();
  return bus;
}
