import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

/** The line between a laptop and its collector, which can be cut, and led to somewhere else. */
export class Line {
  readonly #open = new Set<Socket>();
  #upstreamPort: () => number;
  #cutAfterBytes = Infinity;
  readonly #server = createServer((client) => this.#join(client));
  cuts = 0;

  constructor(upstreamPort: () => number) {
    this.#upstreamPort = upstreamPort;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Cuts each connection once so many bytes have gone either way; `Infinity` lets them be. */
  cutAfter(bytes: number): void {
    this.#cutAfterBytes = bytes;
  }

  leadTo(port: number): void {
    this.#upstreamPort = () => port;
    for (const socket of this.#open) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  #join(client: Socket): void {
    const upstream = connect(this.#upstreamPort(), '127.0.0.1');
    let bytes = 0;
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      this.#open.add(from);
      from.on('error', () => undefined);
      from.on('data', (data: Buffer) => {
        bytes += data.length;
        if (bytes <= this.#cutAfterBytes) to.write(data);
        else if (!client.destroyed) {
          this.cuts++;
          client.resetAndDestroy();
          upstream.resetAndDestroy();
        }
      });
      from.on('close', () => {
        this.#open.delete(from);
        to.destroy();
      });
    }
  }
}
