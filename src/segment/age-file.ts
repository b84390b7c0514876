import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { messageOf, TelemetryError } from '../core/errors.ts';
import { badSegment } from './bad-segment.ts';

/**
 * age files (https://age-encryption.org/v1), as the `age` command reads and writes them. Only short-lived processes
 * load this file: the library behind it takes some 10 MB. What needs no library is in `age-recipient.ts`.
 */

/** An age key pair as `age-keygen` makes it. */
export interface AgeKeyPair {
  /** `AGE-SECRET-KEY-1…`; opens what is encrypted for `recipient`. */
  readonly identity: string;
  /** `age1…`; public. */
  readonly recipient: string;
}

/** What a file may make {@link decryptWith} do; more is a `bad-segment` error. */
export interface AgeLimits {
  /** Bytes of the decrypted content. */
  readonly maxBytes: number;
}

/** A segment's columns are at most 10 MiB (`READ_LIMITS`), its other frames far less than the rest of this. */
export const AGE_LIMITS: AgeLimits = { maxBytes: 12 * 1024 * 1024 };

/** Twenty post-quantum recipients, the largest there are, take 32 KB; each stanza costs a reader up to 0.3 ms. */
const MAX_HEADER_BYTES = 64 * 1024;

/** The payload is encrypted in chunks of 64 KiB, each with a tag of 16 bytes (age specification, "Payload"). */
const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const NONCE_BYTES = 16;

/**
 * Encrypts `bytes` so that the identity of any of the recipients opens it. The same input gives another file each time.
 * Refuses an empty list: nobody could open the result.
 */
export async function encryptFor(recipients: readonly string[], bytes: Uint8Array): Promise<Uint8Array> {
  const distinct = [...new Set(recipients.map((recipient) => recipient.trim()))];
  if (distinct.length === 0) {
    throw new TelemetryError('failed', 'There is no recipient to encrypt for.', {
      op: 'encrypt',
      hint: 'telemetryctl consent grant makes the key of the device owner',
    });
  }
  const encrypter = new Encrypter();
  for (const recipient of distinct) addRecipient(encrypter, recipient);
  try {
    const encrypted = await encrypter.encrypt(streamOf(bytes));
    return await readAll(encrypted, encrypted.size(bytes.length));
  } catch (cause) {
    throw new TelemetryError('failed', `It cannot be encrypted for these recipients: ${messageOf(cause)}.`, {
      op: 'encrypt',
      hint: 'check encrypt.recipients in the policy',
      cause,
    });
  }
}

/**
 * The content of an age file. A file for others is a `not-permitted` error, a torn or forged one `bad-segment`, text that
 * is no identity `usage`. Takes memory for the result and a few chunks, whatever the file says of itself.
 */
export async function decryptWith(
  identities: readonly string[],
  bytes: Uint8Array,
  limits: AgeLimits = AGE_LIMITS,
): Promise<Uint8Array> {
  const decrypter = new Decrypter();
  for (const identity of identities) addIdentity(decrypter, identity);
  const headerBytes = headerSize(bytes);
  const sizeBytes = contentSize(bytes.length - headerBytes - NONCE_BYTES);
  if (sizeBytes > limits.maxBytes) throw badSegment('it is larger than the limit');
  try {
    // The library reads the whole header before it looks at it, so the header is bounded above.
    return await readAll(await decrypter.decrypt(streamOf(bytes)), sizeBytes);
  } catch (cause) {
    if (messageOf(cause).startsWith('no identity matched')) throw notForUs(identities.length);
    throw badSegment('its encryption is damaged or cut short', undefined, cause);
  }
}

/** A new key pair. X25519, which every version of `age` reads; the post-quantum kind needs 1.3. */
export async function newIdentity(): Promise<AgeKeyPair> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}

/** The public half of an identity; a `usage` error for text that is none. */
export async function recipientOf(identity: string): Promise<string> {
  try {
    return await identityToRecipient(identity.trim());
  } catch {
    throw notAnIdentity();
  }
}

/** What is wrong with a recipient, in words that complete `"…" is …`; `undefined` when it can be encrypted for. */
export async function checkRecipient(text: string): Promise<string | undefined> {
  if (/AGE-SECRET-KEY/i.test(text))
    return 'a secret key, not a recipient; replace the key, it is no secret any more';
  try {
    // A trial also finds keys of the right form that are no point to encrypt for, such as all zeros.
    await encryptFor([text], new Uint8Array());
    return undefined;
  } catch {
    return 'not an age recipient ("age1…", as age-keygen -y prints it)';
  }
}

function addRecipient(encrypter: Encrypter, recipient: string): void {
  try {
    encrypter.addRecipient(recipient);
  } catch {
    throw new TelemetryError('bad-configuration', 'A recipient is not an age recipient.', {
      op: 'encrypt',
      hint: 'check encrypt.recipients in the policy',
    });
  }
}

function addIdentity(decrypter: Decrypter, identity: string): void {
  try {
    decrypter.addIdentity(identity.trim());
  } catch {
    throw notAnIdentity();
  }
}

/** Without a cause: what the library says of a wrong identity repeats it. */
function notAnIdentity(): TelemetryError {
  return new TelemetryError('usage', 'This is not an age identity.', {
    op: 'decrypt',
    hint: '--identity FILE with a file as age-keygen makes it (AGE-SECRET-KEY-1…)',
  });
}

function notForUs(identities: number): TelemetryError {
  const what =
    identities === 0
      ? 'It is encrypted, and there is no identity to open it with.'
      : `It is encrypted for others: ${identities === 1 ? 'this identity does' : 'these identities do'} not open it.`;
  return new TelemetryError('not-permitted', what, {
    op: 'decrypt',
    hint: '--identity FILE with an identity that it was encrypted for',
  });
}

/** Bytes up to the end of the line with the header's MAC, which begins with `---`; no other line does. */
function headerSize(bytes: Uint8Array): number {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_HEADER_BYTES));
  const mac = head.indexOf('\n--- ');
  const end = mac < 0 ? -1 : head.indexOf('\n', mac + 1);
  if (end < 0) throw badSegment('its encryption header is damaged or too long');
  return end + 1;
}

/** Bytes of content in a payload of so many; every chunk but the last is full. */
function contentSize(payloadBytes: number): number {
  const chunks = Math.max(1, Math.ceil(payloadBytes / (CHUNK_BYTES + TAG_BYTES)));
  const size = payloadBytes - chunks * TAG_BYTES;
  if (size < 0) throw badSegment('its encryption is damaged or cut short');
  return size;
}

/** In pieces, so that the library's queues hold a few of them and never a second copy of the whole. */
function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = bytes.subarray(at, at + CHUNK_BYTES);
      at += piece.length;
      if (piece.length > 0) controller.enqueue(piece);
      if (at >= bytes.length) controller.close();
    },
  });
}

/** Not by `Response.arrayBuffer()`, which loads Node's HTTP client. */
async function readAll(stream: ReadableStream<Uint8Array>, sizeBytes: number): Promise<Uint8Array> {
  const out = new Uint8Array(sizeBytes);
  let at = 0;
  for await (const piece of stream) {
    out.set(piece, at);
    at += piece.length;
  }
  if (at !== sizeBytes) throw new Error('another size than stated');
  return out;
}
