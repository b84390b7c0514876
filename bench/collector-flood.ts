import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startCollector } from './collector-put.ts';

/** What a flood came to. */
export interface Flood {
  readonly connections: number;
  readonly sentBytes: number;
  readonly beforeBytes: number;
  readonly peakBytes: number;
}

const CONNECTIONS = 256;
const PIECE_BYTES = 64 * 1024;
const BODY_BYTES = 8_000_000;
const PAUSE_MS = 200;

/** As many large bodies as are taken at once, each in small pieces with pauses between, to a collector of its own. */
export async function measureFlood(dataDir: string): Promise<Flood> {
  mkdirSync(dataDir);
  const server = await startCollector(dataDir, ['--max-uploads', String(2 * CONNECTIONS)]);
  const sockets: Socket[] = [];
  try {
    await fetch(`${server.url}/healthz`);
    const beforeBytes = memoryOf(server.pid);
    for (let n = 0; n < CONNECTIONS; n++) sockets.push(await beginPut(server.url));
    const piece = Buffer.alloc(PIECE_BYTES, 7);
    let [sentBytes, peakBytes] = [0, 0];
    for (let sent = 0; sent + PIECE_BYTES < BODY_BYTES; sent += PIECE_BYTES) {
      for (const socket of sockets) socket.write(piece);
      sentBytes += sockets.length * PIECE_BYTES;
      await delay(PAUSE_MS);
      peakBytes = Math.max(peakBytes, memoryOf(server.pid));
    }
    return { connections: CONNECTIONS, sentBytes, beforeBytes, peakBytes };
  } finally {
    for (const socket of sockets) socket.destroy();
    await server.stop();
  }
}

async function beginPut(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  const head = [
    `PUT /v1/devices/${randomUUID()}/segments/${randomUUID()} HTTP/1.1`,
    'Host: bench',
    `Content-Length: ${BODY_BYTES}`,
    `Content-Digest: sha-256=:${Buffer.alloc(32).toString('base64')}:`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  return socket;
}

/** Memory that is the process's own: RssAnon of proc(5). */
function memoryOf(pid: number): number {
  const [, kilobytes = '0'] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
