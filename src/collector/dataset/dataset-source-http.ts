import { type IncomingMessage, request as requestPlainly } from 'node:http';
import { request as requestSecurely } from 'node:https';
import { createInterface } from 'node:readline';
import { type Destination, segmentPath } from '../../core/destination.ts';
import { messageOf, TelemetryError } from '../../core/errors.ts';
import { INDEX_PATH, type IndexLine } from '../index-lines.ts';
import type { SegmentKey } from '../segment-key.ts';
import type { DatasetSource } from './dataset-source.ts';

/** How a collector is reached. */
export interface HttpReading {
  readonly destination: Destination;
  readonly token: string;
  /** PEM of its certificate authority; `null`: one of the system's. */
  readonly ca: string | null;
  /** Resolves after so many milliseconds. */
  readonly delay: (ms: number) => Promise<void>;
}

/** A peer from which no byte comes for so long is gone. */
const IDLE_MS = 60_000;
/** A collector that is busy or starts again takes seconds; after half an hour of waits somebody must look. */
const WAITS_MS = [1000, 5000, 30_000, 120_000, 600_000, 900_000];
const LONGEST_ASKED_S = 900;

/** Reads from a running collector with a reader's token. What passes by itself is waited for. */
export function datasetFromCollector(reading: HttpReading): DatasetSource {
  const { destination } = reading;
  return {
    async *index(): AsyncGenerator<IndexLine> {
      const response = await get(`${destination.basePath}${INDEX_PATH}`, reading);
      if (response === null) throw new TelemetryError('failed', 'this is no collector that gives an index');
      for await (const line of createInterface({ input: response })) yield JSON.parse(line) as IndexLine;
    },
    read: ({ device, segment }: SegmentKey) => get(segmentPath(destination, device, segment), reading),
  };
}

/** The reply's body; `null` for what is not there or not to be used. */
async function get(path: string, reading: HttpReading): Promise<IncomingMessage | null> {
  for (const [attempt, waitMs] of [...WAITS_MS, null].entries()) {
    const response = await ask(path, reading).catch((error: unknown) => messageOf(error));
    if (typeof response !== 'string') {
      const { statusCode = 0 } = response;
      if (statusCode === 200) return response;
      response.resume();
      if (statusCode === 404 || statusCode === 410) return null;
      if (statusCode === 401 || statusCode === 403) throw refused();
      if (statusCode !== 408 && statusCode !== 429 && statusCode < 500)
        throw failed(`it answered ${statusCode}`);
      if (waitMs === null) throw failed(`it answered ${statusCode}`);
      const asked = Math.min(Number(response.headers['retry-after'] ?? 0) || 0, LONGEST_ASKED_S);
      await reading.delay(Math.max(waitMs, asked * 1000));
    } else {
      // The first request says whether there is anybody at all.
      if (waitMs === null || (attempt === 0 && path.endsWith(INDEX_PATH))) throw failed(response);
      await reading.delay(waitMs);
    }
  }
  throw failed('it did not answer');
}

function ask(path: string, { destination, token, ca }: HttpReading): Promise<IncomingMessage> {
  const { isSecure, host, port, authority } = destination;
  return new Promise((resolve, reject) => {
    const send = isSecure ? requestSecurely : requestPlainly;
    const request = send({
      ...{ host, port, path, method: 'GET', timeout: IDLE_MS },
      headers: { host: authority, authorization: `Bearer ${token}`, accept: '*/*' },
      ...(ca === null ? {} : { ca }),
    });
    request.on('response', resolve).on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no byte for too long')));
    request.end();
  });
}

function refused(): TelemetryError {
  return new TelemetryError('not-permitted', 'the collector does not know this token, or it was revoked', {
    op: 'read from the collector',
    hint: 'telemetry-collector readers add NAME on the collector',
  });
}

function failed(why: string): TelemetryError {
  return new TelemetryError('failed', `the collector gave nothing: ${why}`, {
    op: 'read from the collector',
    hint: 'check the address given with --from; run it again, it goes on where it was',
  });
}
