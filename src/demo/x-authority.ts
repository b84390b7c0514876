/** Any address, and with an empty number any display (`Xauth.h`, libXau's `AuGetBest.c`). */
const FAMILY_WILD = 65535;

/**
 * An X authority file with one cookie for every display. The server and its clients can share it, so it can be written
 * before the server has chosen its number. Layout: Xau(3), "File format": big-endian u16 family, then address, number,
 * name and data, each with a u16 length.
 */
export function xAuthorityFile(cookie: Uint8Array): Uint8Array {
  const fields = ['', '', 'MIT-MAGIC-COOKIE-1', cookie].map((field) => Buffer.from(field));
  const parts = fields.flatMap((field) => [u16(field.length), field]);
  return Buffer.concat([u16(FAMILY_WILD), ...parts]);
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}
