/** Entry families of an Xauthority file (X11/Xauth.h). */
const FAMILY_LOCAL = 256;
const FAMILY_WILD = 65535;

const COOKIE_NAME = 'MIT-MAGIC-COOKIE-1';

/**
 * Finds the cookie of a local display in an Xauthority file, as libXau does: the first entry whose family is local with
 * this host's name, or wild, and whose display number matches or is empty. `undefined` when there is none or the file
 * is torn.
 *
 * The file is a row of entries, all numbers big-endian: `u16 family`, then address, number, name and data, each
 * `u16 length` and that many bytes.
 */
export function findCookie(
  file: Uint8Array,
  hostname: string,
  displayNumber: string,
): Uint8Array | undefined {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const latin1 = new TextDecoder('latin1');
  let offset = 0;
  while (offset + 2 <= file.length) {
    const family = view.getUint16(offset);
    offset += 2;
    const fields: Uint8Array[] = [];
    for (let i = 0; i < 4; i++) {
      if (offset + 2 > file.length) return undefined;
      const length = view.getUint16(offset);
      offset += 2;
      if (offset + length > file.length) return undefined;
      fields.push(file.subarray(offset, offset + length));
      offset += length;
    }
    const [address, number, name, data] = fields;
    const isHere = family === FAMILY_WILD || (family === FAMILY_LOCAL && latin1.decode(address) === hostname);
    const isDisplay = number?.length === 0 || latin1.decode(number) === displayNumber;
    if (isHere && isDisplay && latin1.decode(name) === COOKIE_NAME) return data;
  }
  return undefined;
}
