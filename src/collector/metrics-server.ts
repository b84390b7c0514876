import { createServer, type Server } from 'node:http';
import { TelemetryError } from '../core/errors.ts';
import { currentMetrics, type HealthParts } from './health-routes.ts';
import { type ListenAddress, urlOf } from './listen-address.ts';
import { METRICS_TYPE } from './metrics-text.ts';

/** Whoever scrapes has one connection, or two while it is restarted. */
const MAX_CONNECTIONS = 16;

/** Serves `GET /metrics`, and nothing else, on an address of its own; resolves once it listens. */
export async function serveMetrics({ host, port }: ListenAddress, parts: HealthParts): Promise<Server> {
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    currentMetrics(parts).then(
      (text) => response.writeHead(200, { 'content-type': METRICS_TYPE }).end(text),
      () => response.writeHead(500).end(),
    );
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot listen on ${urlOf({ host, port }, false)}`;
      reject(
        new TelemetryError('failed', message, {
          op: 'listen',
          hint: 'another port with --metrics-listen',
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
  return server;
}
