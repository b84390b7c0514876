import { createHash } from 'node:crypto';
/** What a `Content-Digest` field said. */
export type ContentDigest =
  | { readonly kind: 'sha-256'; readonly sha256: string }
  /** No field, or only other algorithms. */
  | { readonly kind: 'missing' }
  | { readonly kind: 'malformed' };

// RFC 9651 (structured fields): section 3.1.2 parameters, 3.2 dictionaries, 3.3.5 byte sequences. RFC 9530 section 2
// allows byte sequences only, so any other kind of value makes the field malformed.
const KEY = String.raw`[a-z*][a-z0-9_\-.*]*`;
const BARE_ITEM = String.raw`:[A-Za-z0-9+/=]*:|"(?:[ !#-\[\]-~]|\\["\\])*"|[A-Za-z*][!#-'*+\-.^-\x7c~\w:/]*|\?[01]|@?-?\d{1,15}(?:\.\d{1,3})?`;
const MEMBER = new RegExp(`(${KEY})=:([A-Za-z0-9+/]*={0,2}):(?:; *${KEY}(?:=(?:${BARE_ITEM}))?)*`, 'y');
const COMMA = /[ \t]*,[ \t]*/y;

const SHA256_BYTES = 32;

/** Reads the field's value (several fields joined by commas). The last of two equal keys counts, as in RFC 9651. */
export function parseContentDigest(field: string | undefined): ContentDigest {
  const text = (field ?? '').replace(/^ +| +$/g, '');
  if (text === '') return { kind: 'missing' };
  let base64: string | undefined;
  let at = 0;
  for (;;) {
    MEMBER.lastIndex = at;
    const member = MEMBER.exec(text);
    if (member === null) return { kind: 'malformed' };
    if (member[1] === 'sha-256') base64 = member[2];
    at = MEMBER.lastIndex;
    if (at === text.length) break;
    COMMA.lastIndex = at;
    if (COMMA.exec(text) === null) return { kind: 'malformed' };
    at = COMMA.lastIndex;
  }
  if (base64 === undefined) return { kind: 'missing' };
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length === SHA256_BYTES
    ? { kind: 'sha-256', sha256: bytes.toString('hex') }
    : { kind: 'malformed' };
}

/** The field's value for a hex SHA-256. */
export function formatContentDigest(sha256: string): string {
  return `sha-256=:${Buffer.from(sha256, 'hex').toString('base64')}:`;
}

/** Hex SHA-256 of bytes that come in pieces. */
export async function sha256Of(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of bytes) hash.update(piece);
  return hash.digest('hex');
}
