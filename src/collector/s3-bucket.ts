import type { S3Client } from '@aws-sdk/client-s3';
import { TelemetryError } from '../core/errors.ts';
import { s3Error, statusOf } from './s3-error.ts';
import type { S3Place } from './s3-url.ts';

/** The library, which only those who use such a store load. */
export type S3Library = typeof import('@aws-sdk/client-s3');

/** An object store answers within milliseconds to seconds; one on which no byte moves is down. */
const CONNECT_TIMEOUT_MS = 5000;
const IDLE_TIMEOUT_MS = 10_000;
/** The device tries again by itself: one more try bridges a hiccup and does not keep it waiting. */
const MAX_ATTEMPTS = 2;

const HTTP_NOT_FOUND = 404;

/** One bucket, and what is asked of it. Errors come out in our words. */
export class S3Bucket {
  readonly #place: S3Place;
  readonly #idleTimeoutMs: number;
  #open: { readonly library: S3Library; readonly client: S3Client } | null = null;

  constructor(place: S3Place, idleTimeoutMs: number = IDLE_TIMEOUT_MS) {
    this.#place = place;
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  async start(): Promise<void> {
    const { endpoint, region } = this.#place;
    const library = await import('@aws-sdk/client-s3');
    const client = new library.S3Client({
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
      ...(region === null ? {} : { region }),
      maxAttempts: MAX_ATTEMPTS,
      // The content's own digest is sent and checked; other stores than Amazon's refuse the newer checksums.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, socketTimeout: this.#idleTimeoutMs },
      logger: SILENT,
    });
    this.#open = { library, client };
  }

  stop(): void {
    this.#open?.client.destroy();
    this.#open = null;
  }

  /** Asks for something. `op` is it in words: `read a segment`. */
  async ask<Answer>(
    op: string,
    send: (client: S3Client, library: S3Library) => Promise<Answer>,
  ): Promise<Answer> {
    if (this.#open === null) throw new TelemetryError('failed', 'the object store is closed', { op });
    try {
      return await send(this.#open.client, this.#open.library);
    } catch (error) {
      throw s3Error(error, op);
    }
  }

  /** The same; `null` when there is no such object. */
  async find<Answer>(
    op: string,
    send: (client: S3Client, library: S3Library) => Promise<Answer>,
  ): Promise<Answer | null> {
    try {
      return await this.ask(op, send);
    } catch (error) {
      const { cause } = error as TelemetryError;
      if (statusOf(cause) !== HTTP_NOT_FOUND || (cause as Error).name === 'NoSuchBucket') throw error;
      return null;
    }
  }
}

/** The library would write to the standard error by itself. */
const SILENT = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {
  // Errors are thrown as well.
}
