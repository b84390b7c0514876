import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { parseDestination, targetUri } from '../core/destination.ts';
import { messageOf, TelemetryError } from '../core/errors.ts';
import type { ReplyProof } from '../core/reply-proof.ts';
import type { RequestSigner } from '../signing/request-signer.ts';

/** What a collector said to a device that wants to enrol. */
export interface EnrolmentReply {
  readonly status: number;
  readonly body: string;
  readonly date: string | undefined;
  readonly proof: ReplyProof;
  /** Of the request that was answered, for its proof. */
  readonly request: { readonly method: string; readonly targetUri: string; readonly contentDigest: string };
}

/** As long as a person waits for a command. */
const TIMEOUT_MS = 20_000;
const MAX_REPLY_BYTES = 64 * 1024;

/** Posts to `/v1/enrol`, signed. Rejects when there is no answer; `ca` is PEM. */
export async function postEnrolment(
  url: string,
  body: string,
  signer: RequestSigner,
  ca: string | null,
): Promise<EnrolmentReply> {
  const destination = parseDestination(url);
  const path = `${destination.basePath}/v1/enrol`;
  const contentDigest = digestOf(body);
  const contentLength = String(Buffer.byteLength(body));
  const request = { method: 'POST', targetUri: targetUri(destination, path), contentDigest };
  const { fields, nonce } = signer.sign({ ...request, contentLength });
  const { host, port, isSecure, authority } = destination;
  const headers = {
    Host: authority,
    'Content-Type': 'application/json',
    'Content-Length': contentLength,
    'Content-Digest': contentDigest,
    ...fields,
  };
  const options = { host, port, path, method: 'POST', headers, timeout: TIMEOUT_MS, agent: false };
  // Of all commands this alone needs it.
  const { request: makeRequest } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http');
  try {
    const { response, text } = await new Promise<{ response: IncomingMessage; text: string }>(
      (resolve, reject) => {
        const sending = makeRequest(ca === null ? options : { ...options, ca }, (received) => {
          let read = '';
          received.setEncoding('utf8').on('data', (part: string) => {
            read += part;
            if (read.length > MAX_REPLY_BYTES) received.destroy(new Error('the reply has no end'));
          });
          received.on('error', reject).on('end', () => resolve({ response: received, text: read }));
        });
        sending.on('timeout', () => sending.destroy(new Error('no answer in time'))).on('error', reject);
        sending.end(body);
      },
    );
    const { date, signature, 'signature-input': input } = response.headers;
    return {
      status: response.statusCode ?? 0,
      body: text,
      date,
      proof: {
        nonce,
        contentDigest: digestOf(text),
        signatureInput: String(input),
        signature: String(signature),
      },
      request,
    };
  } catch (cause) {
    throw new TelemetryError('unavailable', `The collector did not answer: ${messageOf(cause)}.`, {
      op: 'enrol',
      hint: 'the same command again; the token is still good, or was used for this device',
      cause,
    });
  }
}

function digestOf(text: string): string {
  return `sha-256=:${createHash('sha256').update(text).digest('base64')}:`;
}
