import type { Round } from '../src/control/protocol.ts';
import { parseDestination, segmentPath, targetUri } from '../src/core/destination.ts';
import type { ReplyProof } from '../src/core/reply-proof.ts';
import { fingerprintOf, makeKeyPair, signText } from '../src/signing/ed25519.ts';
import { replyBase, replyFields } from '../src/signing/http-signature.ts';

const IDENTITY = makeKeyPair();
const NONCE = 'of-all-the-requests';

/** The key that every modelled laptop has pinned. */
export const COLLECTOR_KEY = IDENTITY.publicKey;

const made = new Map<string, ReplyProof>();

/** A receipt's signature as the collector makes it. Laptops of the model share their names, so that few are made. */
export function receiptProof(round: Round, id: string, contentDigest: string): ReplyProof {
  const destination = parseDestination(round.url);
  const about = round.segments.find((segment) => segment.id === id)?.about;
  const uri = targetUri(destination, segmentPath(destination, round.device, id, about));
  const known = made.get(uri);
  if (known !== undefined) return known;
  const parameters = { createdS: 0, expiresS: null, nonce: NONCE, keyId: fingerprintOf(COLLECTOR_KEY) };
  const request = { method: 'PUT', targetUri: uri, contentDigest };
  const fields = replyFields(
    parameters,
    signText(IDENTITY, replyBase({ status: 201, contentDigest, request }, parameters)),
  );
  const proof = {
    nonce: NONCE,
    contentDigest,
    signatureInput: fields['Signature-Input'],
    signature: fields.Signature,
  };
  made.set(uri, proof);
  return proof;
}
