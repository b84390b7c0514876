import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { onTestFinished } from 'vitest';
import { newKey, pathOf } from './support.ts';

/** A row of the catalogue, without its time. */
interface Row {
  readonly device: string;
  readonly segment: string;
  readonly sha256: string;
  readonly size: number;
}

/** What the catalogue holds, read beside the collector. */
export function rows(dataDir: string): Row[] {
  const db = new DatabaseSync(join(dataDir, 'catalog.sqlite'), { readOnly: true });
  try {
    const found = db.prepare('SELECT device, segment, sha256, size FROM segments').all();
    return found.map((row) => ({ ...row }) as unknown as Row);
  } finally {
    db.close();
  }
}

/** Leaves the files without rows, as a crash does. */
export function forgetRows(dataDir: string): void {
  const db = new DatabaseSync(join(dataDir, 'catalog.sqlite'));
  db.exec('DELETE FROM segments');
  db.close();
}

/** How many bodies are arriving. */
export async function receiving(url: string): Promise<number> {
  const reply = (await (await fetch(`${url}/healthz`)).json()) as { receiving: number };
  return reply.receiving;
}

/** A PUT whose body the test sends piece by piece. */
export function open(url: string, path: string, headers: Record<string, string>): ClientRequest {
  return httpRequest(url + path, { method: 'PUT', agent: false, headers });
}

/** The reply, read to its end. */
export async function replyTo(
  request: ClientRequest,
): Promise<{ status: number; body: string; retryAfter: string | undefined }> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  let body = '';
  for await (const chunk of response) body += String(chunk);
  return { status: response.statusCode ?? 0, body, retryAfter: response.headers['retry-after'] };
}

/** A bare connection; closed with the test. */
export async function rawConnection(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** The head of a PUT on a bare connection. */
export async function rawPut(url: string, headers: string[]): Promise<Socket> {
  const socket = await rawConnection(url);
  socket.write([`PUT ${pathOf(newKey())} HTTP/1.1`, 'host: x', ...headers, '', ''].join('\r\n'));
  return socket;
}

/** Everything the other end sends until the connection is gone. */
export async function textUntilClosed(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  // Not `once`, which a reset would make throw.
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}
