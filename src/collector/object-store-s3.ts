import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { TelemetryError } from '../core/errors.ts';
import { BodySpool } from './body-spool.ts';
import { sha256Of } from './content-digest.ts';
import type { ObjectStore, StagedObject, StoredObject } from './object-store.ts';
import { S3Bucket } from './s3-bucket.ts';
import { s3Error, statusOf } from './s3-error.ts';
import { nameOfS3, type S3Place } from './s3-url.ts';
import { parseUuid, type SegmentKey } from './segment-key.ts';

/** One name for a segment, encrypted or not: that it is never replaced holds for one key. */
const SUFFIX = '.tlm';

const HTTP_CONFLICT = 409;
const HTTP_PRECONDITION_FAILED = 412;

/** Key of a segment below a place. */
export function s3KeyOf({ prefix }: Pick<S3Place, 'prefix'>, { device, segment }: SegmentKey): string {
  return `${prefix}segments/${device}/${segment}${SUFFIX}`;
}

/**
 * Segments as objects of an S3-compatible store. A body is sent once it is whole, with `If-None-Match: *`, so that the store
 * itself lets one of several instances win and never replaces an object, and with its SHA-256, without which it would not be
 * accepted. A store that says yes to that has it durable. `start` refuses a store that does not do as it says.
 */
export class S3ObjectStore implements ObjectStore {
  readonly isShared = true;
  readonly #place: S3Place;
  readonly #spoolDir: string;
  readonly #bucket: S3Bucket;

  /** Larger bodies wait in `spoolDir`, in files without a name. */
  constructor(place: S3Place, spoolDir: string, idleTimeoutMs?: number) {
    this.#place = place;
    this.#spoolDir = spoolDir;
    this.#bucket = new S3Bucket(place, idleTimeoutMs);
  }

  async start(): Promise<void> {
    await this.#bucket.start();
    try {
      await this.#prove();
    } catch (error) {
      this.#bucket.stop();
      throw error;
    }
  }

  stop(): Promise<void> {
    this.#bucket.stop();
    return Promise.resolve();
  }

  async stage(key: SegmentKey, body: AsyncIterable<Uint8Array>): Promise<StagedObject> {
    const spool = new BodySpool(this.#spoolDir);
    await spool.fill(body);
    const discard = (): Promise<void> => spool.discard();
    const publish = async (): Promise<'published' | 'exists'> => {
      try {
        return (await this.#putNew(s3KeyOf(this.#place, key), spool)).outcome;
      } finally {
        await discard();
      }
    };
    return { publish, discard };
  }

  async describe(key: SegmentKey): Promise<StoredObject | null> {
    const found = await this.#bucket.find('look for a segment', (client, { HeadObjectCommand }) =>
      client.send(new HeadObjectCommand(this.#at(s3KeyOf(this.#place, key)))),
    );
    if (found === null) return null;
    return { sizeBytes: found.ContentLength ?? 0, writtenAtMs: found.LastModified?.getTime() ?? 0 };
  }

  async read(key: SegmentKey): Promise<AsyncIterable<Uint8Array> | null> {
    const found = await this.#bucket.find('read a segment', (client, { GetObjectCommand }) =>
      client.send(new GetObjectCommand(this.#at(s3KeyOf(this.#place, key)))),
    );
    return found === null ? null : readS3(found.Body as Readable);
  }

  async digest(key: SegmentKey): Promise<string | null> {
    const bytes = await this.read(key);
    return bytes === null ? null : sha256Of(bytes);
  }

  remove(key: SegmentKey): Promise<void> {
    return this.#delete(s3KeyOf(this.#place, key));
  }

  async *list(): AsyncGenerator<SegmentKey, void, undefined> {
    const Prefix = `${this.#place.prefix}segments/`;
    for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
      const from = token === undefined ? {} : { ContinuationToken: token };
      const page = await this.#bucket.ask('list segments', (client, { ListObjectsV2Command }) =>
        client.send(new ListObjectsV2Command({ Bucket: this.#place.bucket, Prefix, ...from })),
      );
      for (const { Key = '' } of page.Contents ?? []) {
        const [device = '', name = '', ...rest] = Key.slice(Prefix.length).split('/');
        const segment = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : '';
        const isOurs = parseUuid(device) === device && parseUuid(segment) === segment && rest.length === 0;
        if (isOurs) yield { device, segment };
      }
      token = page.NextContinuationToken;
    }
  }

  /** Puts an object where none is. */
  async #putNew(
    key: string,
    content: BodySpool,
  ): Promise<{ readonly outcome: 'published' | 'exists'; readonly version?: string | undefined }> {
    try {
      const { VersionId } = await this.#bucket.ask('store a segment', (client, { PutObjectCommand }) => {
        const put = new PutObjectCommand({
          ...this.#at(key),
          Body: content.read(),
          ContentLength: content.sizeBytes,
          IfNoneMatch: '*',
        });
        // What the signature is over; the store compares it with what arrived.
        put.middlewareStack.add(
          (next) => (args) => {
            const { headers } = args.request as { readonly headers: Record<string, string> };
            headers['x-amz-content-sha256'] = content.sha256;
            return next(args);
          },
          { step: 'build' },
        );
        return client.send(put);
      });
      return { outcome: 'published', version: VersionId };
    } catch (error) {
      const status = statusOf((error as TelemetryError).cause);
      if (status === HTTP_PRECONDITION_FAILED) return { outcome: 'exists' };
      // Another one is just being put there; what became of it is known when the device sends again.
      if (status === HTTP_CONFLICT)
        throw new TelemetryError('unavailable', 'the object is being written', {
          retryable: true,
          cause: error,
        });
      throw error;
    }
  }

  async #delete(key: string): Promise<void> {
    await this.#bucket.ask('delete a segment', (client, { DeleteObjectCommand }) =>
      client.send(new DeleteObjectCommand(this.#at(key))),
    );
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#place.bucket, Key: key };
  }

  /** Tries, with an object of its own, everything that is relied on later. */
  async #prove(): Promise<void> {
    const key = `${this.#place.prefix}probes/${randomUUID()}`;
    const probe = new BodySpool(this.#spoolDir);
    await probe.fill(probeBody());
    const { version } = await this.#putNew(key, probe);
    const second = await this.#putNew(key, probe);
    await this.#delete(key);
    // Without the right to list, what is missing is forbidden instead.
    const gone = await this.#bucket.find('look for a segment', (client, { HeadObjectCommand }) =>
      client.send(new HeadObjectCommand(this.#at(key))),
    );
    const refuse = (message: string, hint: string): TelemetryError =>
      new TelemetryError('bad-configuration', message, { op: `open ${nameOfS3(this.#place)}`, hint });
    if (gone !== null || (version !== undefined && version !== 'null'))
      throw refuse(
        'the bucket keeps old versions, so that what is erased would stay',
        'a bucket without versioning',
      );
    if (second.outcome !== 'exists')
      throw refuse('this object store replaces objects in spite of If-None-Match: *', 'one that supports it');
  }
}

async function* readS3(body: Readable): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (error) {
    throw s3Error(error, 'read a segment');
  }
}

async function* probeBody(): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from('telemetry-collector was here\n'));
}
