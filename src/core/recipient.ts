/**
 * Whether text has the form of an age X25519 recipient: Bech32 with the prefix `age` and 32 bytes of key
 * (https://age-encryption.org/v1). Its checksum shows when it is used.
 */
export function isRecipient(text: string): boolean {
  return /^age1[02-9ac-hj-np-z]{58}$/.test(text);
}
