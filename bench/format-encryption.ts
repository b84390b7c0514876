import type { EventColumns } from '../src/core/events.ts';
import { encryptFor, newIdentity } from '../src/segment/age-file.ts';
import { encodeHeader } from '../src/segment/header.ts';
import { sealSegment } from '../src/segment/seal.ts';
import { FrameSealer, JOURNAL_KEY_BYTES } from '../src/segment/sealed-frames.ts';
import { HEADER, journalFrames, journalOf } from './format-ours.ts';

/** What encryption for two recipients (the data team and the owner of the device) adds, in bytes. */
export interface EncryptionBytes {
  readonly sealed: number;
  readonly journal: number;
}

/** Encrypts both files as the daemon and its sealer do. */
export async function encryptionBytes(columns: EventColumns): Promise<EncryptionBytes> {
  const recipients = [(await newIdentity()).recipient, (await newIdentity()).recipient];
  const plain = journalOf(columns);
  const sealed = sealSegment(plain).bytes;
  // Lengths do not depend on the key.
  const key = new Uint8Array(JOURNAL_KEY_BYTES);
  const header = encodeHeader({ ...HEADER, wrappedKey: await encryptFor(recipients, key) });
  const sealer = new FrameSealer(key, header);
  const frameBytes = journalFrames(columns).reduce((sum, frame) => sum + sealer.seal(frame).length, 0);
  return {
    sealed: (await encryptFor(recipients, sealed)).length - sealed.length,
    journal: header.length + frameBytes - plain.length,
  };
}
