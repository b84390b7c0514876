import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Destination } from '../../core/destination.ts';

/** What a collector says of itself. */
export interface HealthReply {
  readonly status: number;
  /** It speaks as a collector of ours does. */
  readonly isOurs: boolean;
  /** Its clock, in milliseconds since the epoch; `null` when it says none. */
  readonly dateWallMs: number | null;
  /** When its certificate ends; `null` without TLS. */
  readonly certificateEndsMs: number | null;
}

/** For the whole of it: somebody waits at a terminal. */
const TIMEOUT_MS = 8000;
/** A collector's answer has a hundred bytes; a captive portal's page does not matter. */
const MOST_CHARACTERS = 4096;

/**
 * `GET /healthz`, over one connection of its own that is closed at once. Rejects as Node does, with `code`, when there is
 * no answer or its certificate is not trusted; `ca` is PEM, `null` for the system's authorities.
 */
export async function askHealth(
  { host, port, authority, basePath, isSecure }: Destination,
  ca: string | null,
): Promise<HealthReply> {
  const { request } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http');
  const options = {
    host,
    port,
    path: `${basePath}/healthz`,
    headers: { Host: authority, Connection: 'close' },
    agent: false as const,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === null ? {} : { ca }),
    minVersion: 'TLSv1.2' as const,
    // Also against an environment that switches the check off.
    rejectUnauthorized: true,
  };
  return await new Promise((resolve, reject) => {
    const asking = request(options, (response) => {
      const certificateEndsMs = endOf(response);
      let text = '';
      const finish = (): void => {
        resolve({
          status: response.statusCode ?? 0,
          isOurs: isHealth(text),
          dateWallMs: dateOf(response),
          certificateEndsMs,
        });
        response.destroy();
      };
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > MOST_CHARACTERS) finish();
      });
      response.on('error', reject).on('end', finish);
    });
    asking.on('error', reject);
    asking.end();
  });
}

function endOf({ socket }: IncomingMessage): number | null {
  if (!(socket instanceof TLSSocket)) return null;
  const endsMs = Date.parse(socket.getPeerCertificate().valid_to);
  return Number.isNaN(endsMs) ? null : endsMs;
}

function dateOf({ headers }: IncomingMessage): number | null {
  const wallMs = Date.parse(headers.date ?? '');
  return Number.isNaN(wallMs) ? null : wallMs;
}

/** `{ ok, … }`, or `{ error: { code, … } }` of one that has trouble. */
function isHealth(text: string): boolean {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && ('ok' in json || 'error' in json);
  } catch {
    return false;
  }
}
