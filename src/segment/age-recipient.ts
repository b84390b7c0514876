import { createHash } from 'node:crypto';

/** First line of every age file (https://age-encryption.org/v1, "Header"); armoured files begin otherwise. */
const FIRST_LINE = new TextEncoder().encode('age-encryption.org/v1\n');

/** Whether bytes begin as an age file does. Loads no cryptography. */
export function isAgeFile(bytes: Uint8Array): boolean {
  return FIRST_LINE.every((byte, index) => bytes[index] === byte);
}

/**
 * A recipient in 16 hexadecimal digits, to be compared by eye: `3f2a-91c0-77ab-0d12`, the start of the SHA-256 of its
 * text in small letters. Another key with the same digits takes 2^64 tries. Loads no age library.
 */
export function recipientFingerprint(recipient: string): string {
  const digest = createHash('sha256').update(recipient.trim().toLowerCase()).digest('hex');
  return (digest.slice(0, 16).match(/.{4}/g) ?? []).join('-');
}
