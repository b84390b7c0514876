/**
 * HTTP message signatures (RFC 9421) as devices and collectors use them: one signature a message, always over the same
 * components in the same order. Anything else is not one of ours and is not read.
 */
const REQUEST_COMPONENTS = '("@method" "@target-uri" "content-digest" "content-length")';
const REPLY_COMPONENTS = '("@status" "content-digest" "@method";req "@target-uri";req "content-digest";req)';

/** The name of the one signature in its fields. */
const LABEL = 'sig';

/** What of a request is signed; the fields as they are sent. */
export interface RequestParts {
  readonly method: string;
  readonly targetUri: string;
  readonly contentDigest: string;
  readonly contentLength: string;
}

/** What of a reply is signed, and of the request that it answers. */
export interface ReplyParts {
  readonly status: number;
  readonly contentDigest: string;
  readonly request: Pick<RequestParts, 'method' | 'targetUri' | 'contentDigest'>;
}

/** When and by which key; seconds since the epoch. A reply does not expire: it repeats its request's nonce. */
export interface SignatureParameters {
  readonly createdS: number;
  readonly expiresS: number | null;
  readonly nonce: string;
  readonly keyId: string;
}

/** The two fields of a signature. */
export interface SignatureFields {
  readonly 'Signature-Input': string;
  readonly Signature: string;
}

/** What is signed of a request: the signature base (RFC 9421, section 2.5). */
export function requestBase(parts: RequestParts, parameters: SignatureParameters): string {
  return baseOf(
    [
      ['"@method"', parts.method],
      ['"@target-uri"', parts.targetUri],
      ['"content-digest"', parts.contentDigest],
      ['"content-length"', parts.contentLength],
    ],
    REQUEST_COMPONENTS,
    parameters,
  );
}

/** What is signed of a reply; components of its request carry `req` (section 2.4). */
export function replyBase(
  { status, contentDigest, request }: ReplyParts,
  parameters: SignatureParameters,
): string {
  return baseOf(
    [
      ['"@status"', String(status)],
      ['"content-digest"', contentDigest],
      ['"@method";req', request.method],
      ['"@target-uri";req', request.targetUri],
      ['"content-digest";req', request.contentDigest],
    ],
    REPLY_COMPONENTS,
    parameters,
  );
}

/** The fields for a request's signature (base64). */
export function requestFields(parameters: SignatureParameters, signature: string): SignatureFields {
  return fieldsOf(REQUEST_COMPONENTS, parameters, signature);
}

/** The fields for a reply's signature (base64). */
export function replyFields(parameters: SignatureParameters, signature: string): SignatureFields {
  return fieldsOf(REPLY_COMPONENTS, parameters, signature);
}

/** A signature as it was received. */
export interface ReadSignature {
  readonly parameters: SignatureParameters;
  /** Base64. */
  readonly signature: string;
}

/** Reads the fields of a request; `null` when they are missing or not of our form. */
export function readRequestSignature(
  input: string | undefined,
  signature: string | undefined,
): ReadSignature | null {
  const read = readSignature(REQUEST_COMPONENTS, input, signature);
  return read?.parameters.expiresS === null ? null : read;
}

/** Reads the fields of a reply; `null` when they are missing or not of our form. */
export function readReplySignature(
  input: string | undefined,
  signature: string | undefined,
): ReadSignature | null {
  return readSignature(REPLY_COMPONENTS, input, signature);
}

const PARAMETERS =
  /^;created=(\d{1,12})(?:;expires=(\d{1,12}))?;nonce="([A-Za-z0-9_-]{16,64})";keyid="([A-Za-z0-9_-]{43})";alg="ed25519"$/;
/** 64 bytes. */
const SIGNATURE = /^sig=:([A-Za-z0-9+/]{86}==):$/;

function readSignature(
  components: string,
  input: string | undefined,
  field: string | undefined,
): ReadSignature | null {
  const start = `${LABEL}=${components}`;
  const signature = SIGNATURE.exec(field ?? '')?.[1];
  if (signature === undefined || input?.startsWith(start) !== true) return null;
  const match = PARAMETERS.exec(input.slice(start.length));
  if (match === null) return null;
  const [, created, expires, nonce = '', keyId = ''] = match;
  const expiresS = expires === undefined ? null : Number(expires);
  return { parameters: { createdS: Number(created), expiresS, nonce, keyId }, signature };
}

function baseOf(
  lines: readonly (readonly [string, string])[],
  components: string,
  parameters: SignatureParameters,
): string {
  const last = ['"@signature-params"', components + textOf(parameters)] as const;
  return [...lines, last].map(([name, value]) => `${name}: ${value}`).join('\n');
}

function fieldsOf(components: string, parameters: SignatureParameters, signature: string): SignatureFields {
  return {
    'Signature-Input': `${LABEL}=${components}${textOf(parameters)}`,
    Signature: `${LABEL}=:${signature}:`,
  };
}

function textOf({ createdS, expiresS, nonce, keyId }: SignatureParameters): string {
  const expires = expiresS === null ? '' : `;expires=${expiresS}`;
  return `;created=${createdS}${expires};nonce="${nonce}";keyid="${keyId}";alg="ed25519"`;
}
