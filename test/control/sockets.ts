import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ControlHandlers } from '../../src/control/handlers.ts';
import type { PeerSource } from '../../src/control/peer.ts';
import { ControlServer } from '../../src/control/server.ts';
import { ALONE, handlers, keepingLog } from './reports.ts';

/** A new folder that is removed after the test. Short, for the sake of `sun_path`. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'ctl-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A real control server with these handlers, stopped after the test. */
export async function startServer(
  replaced: Partial<ControlHandlers> = {},
  path = join(temporaryFolder(), 'run', 'control.sock'),
  peers: PeerSource = ALONE,
): Promise<{ readonly path: string; readonly server: ControlServer; readonly logged: string[] }> {
  const { log, lines } = keepingLog();
  const server = new ControlServer(path, handlers(replaced), peers, log);
  await server.start();
  onTestFinished(() => server.stop());
  return { path, server, logged: lines };
}

/** Sends raw bytes and resolves with everything that comes back until the other side closes. */
export function sendRaw(path: string, ...pieces: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(path, () => {
      for (const piece of pieces) socket.write(piece);
    });
    socket.on('data', (bytes) => {
      answer += bytes.toString();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Closed while we still wrote: what came back before that is the answer.
      if (error.code === 'EPIPE' || error.code === 'ECONNRESET') resolve(answer);
      else reject(error);
    });
    socket.on('close', () => resolve(answer));
  });
}

/** A server that answers every connection as `answer` does, for the client to be tried against. */
export async function hostileServer(answer: (socket: Socket) => void): Promise<string> {
  const path = join(temporaryFolder(), 'hostile.sock');
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}
