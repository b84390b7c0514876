import { createServer } from 'node:net';
import { TelemetryError } from '../core/errors.ts';

/** `preferred` when nobody listens there on 127.0.0.1, else any free port. */
export async function freePort(preferred: number): Promise<number> {
  const port = (await tryPort(preferred)) ?? (await tryPort(0));
  if (port === null) throw new TelemetryError('unavailable', 'No port is free on 127.0.0.1.');
  return port;
}

/** Listens for a moment; `null` when the port is taken. */
function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : null));
    });
  });
}
