import { TelemetryError } from '../core/errors.ts';
import { decryptWith, encryptFor } from '../segment/age-file.ts';

/** A reason is a few sentences, not a document. */
export const MAX_REASON_CHARACTERS = 1000;
/** As many characters can be so many bytes in UTF-8. */
const MAX_REASON_BYTES = 4 * MAX_REASON_CHARACTERS;
/** All reasons are as long as the next multiple of this, so that their size says little. */
const PAD_BYTES = 256;

/** A reason encrypted for those who decide, and its author; an age file in base64. Loads the age library. */
export async function sealReason(recipients: readonly string[], reason: string): Promise<string> {
  const text = new TextEncoder().encode(reason);
  const padded = new Uint8Array(Math.max(1, Math.ceil(text.length / PAD_BYTES)) * PAD_BYTES).fill(0x20);
  padded.set(text);
  return Buffer.from(await encryptFor(recipients, padded)).toString('base64');
}

/** The text of a reason; errors as those of `decryptWith`. */
export async function openReason(identities: readonly string[], file: Uint8Array): Promise<string> {
  const bytes = await decryptWith(identities, file, { maxBytes: MAX_REASON_BYTES + PAD_BYTES });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).trimEnd();
  } catch {
    throw new TelemetryError('failed', 'The reason is not text.', { op: 'read a reason' });
  }
}
