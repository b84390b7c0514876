import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type {
  RequestReply,
  Round,
  RoundEnd,
  RoundMessage,
  SegmentResult,
} from '../../src/control/protocol.ts';

/** The daemon's side of a round on a real Unix socket. */
export class FakeDaemon {
  readonly results: SegmentResult[] = [];
  readonly replies: RequestReply[] = [];
  readonly ends: RoundEnd[] = [];
  readonly socketPath: string;
  readonly #first: RoundMessage;
  readonly #server = createServer((request, response) => this.#take(request, response));
  readonly #streams = new Set<ServerResponse>();
  onResult: (result: SegmentResult) => void | Promise<void> = () => undefined;

  constructor(folder: string, first: Round | RoundMessage) {
    this.socketPath = join(folder, 'control.sock');
    this.#first = 'type' in first ? first : { type: 'round', round: first };
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.socketPath, resolve));
  }

  abort(reason: string): void {
    for (const stream of this.#streams) stream.write(`${JSON.stringify({ type: 'abort', reason })}\n`);
  }

  /** Ends the stream but goes on answering. */
  endStream(): void {
    for (const stream of this.#streams) stream.end();
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'GET' && request.url === '/v1/round') {
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
      response.write(`${JSON.stringify(this.#first)}\n`);
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
      return;
    }
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const told: unknown = JSON.parse(Buffer.concat(parts).toString());
      if (request.url === '/v1/round/end') {
        this.ends.push(told as RoundEnd);
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
        return;
      }
      if (request.url === '/v1/round/reply') {
        this.replies.push(told as RequestReply);
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
        return;
      }
      const result = told as SegmentResult;
      this.results.push(result);
      void Promise.resolve(this.onResult(result)).then(() => {
        response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
      });
    });
  }
}
