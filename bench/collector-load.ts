import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';

/** A server under load, in a process of its own. */
export interface Server {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Starts a program and waits until it says where it listens. */
export async function startServer(program: string, args: readonly string[]): Promise<Server> {
  const child: ChildProcess = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  let url: string | undefined;
  while (url === undefined) {
    if (child.exitCode !== null) throw new Error(`${program} ${args.join(' ')} ended before it listened`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    url = /^listening on (\S+)$/m.exec(text)?.[1];
  }
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  return { url, pid: child.pid ?? 0, stop };
}

/** What one run of load came to. */
export interface Measured {
  readonly puts: number;
  readonly perSecond: number;
  /** Of single requests, milliseconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** As many devices as `connections`, each sending one body after the other over its own connection for `forMs`. */
export async function putForAWhile(
  url: string,
  connections: number,
  sizeBytes: number,
  forMs: number,
): Promise<Measured> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const body = randomBytes(sizeBytes);
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
  const startedMs = performance.now();
  const tookMs: number[] = [];
  const device = async (): Promise<void> => {
    const id = randomUUID();
    while (performance.now() - startedMs < forMs) {
      const beganMs = performance.now();
      await putOnce(`${url}/v1/devices/${id}/segments/${randomUUID()}`, body, digest, agent);
      tookMs.push(performance.now() - beganMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, device));
  const seconds = (performance.now() - startedMs) / 1000;
  agent.destroy();
  const sorted = tookMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { puts: tookMs.length, perSecond: tookMs.length / seconds, medianMs: at(0.5), p99Ms: at(0.99) };
}

async function putOnce(url: string, body: Buffer, digest: string, agent: Agent): Promise<void> {
  const headers = { 'content-length': String(body.length), 'content-digest': digest };
  const sent = httpRequest(url, { method: 'PUT', agent, headers });
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>;
  sent.end(body);
  const [response] = await answered;
  response.resume();
  await once(response, 'end');
  if (response.statusCode !== 201) throw new Error(`PUT was answered ${response.statusCode ?? 0}`);
}
