import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { fingerprintOf, type KeyPair } from '../signing/ed25519.ts';
import { type Books, booksInFolder, booksInPostgres, type SharedBooks } from './books.ts';
import { defaultDataDir, freeBytesOf } from './data-folder.ts';
import { openIdentity, openIdentityFile } from './identity-file.ts';
import type { ObjectStore } from './object-store.ts';
import { FileObjectStore, findSegment, segmentPath } from './object-store-files.ts';
import { S3ObjectStore, s3KeyOf } from './object-store-s3.ts';
import { readPostgresUrl } from './postgres-url.ts';
import { nameOfS3, readS3Url } from './s3-url.ts';
import type { SegmentKey } from './segment-key.ts';

/** The options that say where everything is, as they were typed. */
export interface PlaceFlags {
  readonly data?: string;
  readonly catalog?: string;
}

/** The same for `serve`. */
export interface StoreFlags extends PlaceFlags {
  readonly store?: string;
  readonly identity?: string;
}

/** What `serve` keeps everything in. */
export interface Stores extends Books {
  readonly store: ObjectStore;
  /** Room for segments; `null` where they lie on no disk of this machine. */
  readonly freeBytes: (() => Promise<number>) | null;
  /** To be asked once the books are started. */
  readonly openIdentity: () => Promise<KeyPair>;
}

/** Where the books are, and what depends on that. */
export interface BooksHere extends Books {
  /** `null`: in a database. */
  readonly dataDir: string | null;
  /** The public key that devices trust; asked once a book is started. */
  readonly collectorKey: () => Promise<string>;
  /** Where the object of a segment is: a path, or an address. */
  readonly locate: (key: SegmentKey) => Promise<string>;
}

const FLEET = '--store s3://BUCKET --catalog postgres://HOST/DATABASE --identity FILE';

/** A data folder, or an object store and a database that any number of collectors share. */
export function openStores(flags: StoreFlags, env: NodeJS.ProcessEnv, wallMs: () => number): Stores {
  const { data, store, catalog, identity } = flags;
  if (catalog === undefined && store === undefined) {
    const dataDir = resolve(data ?? defaultDataDir(env));
    const key =
      identity === undefined ? () => openIdentity(dataDir) : () => openIdentityFile(resolve(identity));
    return {
      ...booksInFolder(dataDir, 'read-write', wallMs),
      store: new FileObjectStore(dataDir),
      freeBytes: () => freeBytesOf(dataDir),
      openIdentity: key,
    };
  }
  if (catalog === undefined || store === undefined)
    throw usage('--store and --catalog go together: what one holds means nothing without the other', FLEET);
  if (data !== undefined) throw usage('--data is for a collector that keeps everything in a folder', FLEET);
  // A key that each instance made for itself would be trusted by the devices that enrolled there only.
  if (identity === undefined)
    throw usage('--catalog needs --identity, the same key for all instances', FLEET);
  const place = readS3Url(store, env);
  const books = booksInPostgres(readPostgresUrl(catalog, env), 'read-write', wallMs);
  return {
    ...books,
    store: new S3ObjectStore(place, tmpdir()),
    freeBytes: null,
    openIdentity: () => agreedIdentity(resolve(identity), nameOfS3(place), books),
  };
}

/** The books alone, for the commands beside a running collector. */
export function openBooks(
  { data, catalog }: PlaceFlags,
  access: 'read-only' | 'read-write',
  env: NodeJS.ProcessEnv,
  wallMs: () => number,
): BooksHere {
  if (catalog === undefined) {
    const dataDir = resolve(data ?? defaultDataDir(env));
    return {
      ...booksInFolder(dataDir, access, wallMs),
      dataDir,
      collectorKey: async () => (await openIdentity(dataDir)).publicKey,
      locate: async (key) => (await findSegment(dataDir, key)) ?? segmentPath(dataDir, key),
    };
  }
  if (data !== undefined) throw usage('--data and --catalog are two places', '--catalog alone');
  const books = booksInPostgres(readPostgresUrl(catalog, env), access, wallMs);
  let store: Promise<string | null> | null = null;
  return {
    ...books,
    dataDir: null,
    collectorKey: async () => (await books.agreements.find('collector-key')) ?? neverServed(),
    locate: async (key) => {
      store ??= books.agreements.find('store');
      return `${(await store) ?? ''}${s3KeyOf({ prefix: '' }, key)}`;
    },
  };
}

/** Refuses the key of another collector, and a store that is not the catalogue's. */
async function agreedIdentity(file: string, store: string, { agreements }: SharedBooks): Promise<KeyPair> {
  const notOurs = (key: string, what: string): TelemetryError =>
    new TelemetryError('bad-configuration', `devices trust the key ${fingerprintOf(key)} here, and ${what}`, {
      op: 'open identity',
      hint: `copy the file of the instance that served first to ${file}`,
    });
  const trusted = await agreements.find('collector-key');
  if (trusted !== null && !existsSync(file)) throw notOurs(trusted, `there is no ${file}`);
  const identity = await openIdentityFile(file);
  const key = await agreements.agree('collector-key', identity.publicKey);
  if (key !== identity.publicKey) throw notOurs(key, `${file} is ${fingerprintOf(identity.publicKey)}`);
  const standing = await agreements.agree('store', store);
  if (standing === store) return identity;
  throw new TelemetryError(
    'bad-configuration',
    `this catalogue lists what is in ${standing}, not in ${store}`,
    {
      op: 'open store',
      hint: `--store ${standing}`,
    },
  );
}

function neverServed(): never {
  throw new TelemetryError('failed', 'no collector has served with this catalogue yet', {
    op: 'find the collector’s key',
    hint: `telemetry-collector serve ${FLEET}`,
  });
}

function usage(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'read options', hint });
}
