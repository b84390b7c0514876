import { WIDE } from './layout.ts';
import type { ByteReader, ByteWriter } from './varint.ts';

/**
 * Numbers too large for a half byte. The first byte goes to the stream of what is counted, where it is likely to
 * repeat; what follows it is close to random and goes to `lows`, apart, so that it does not blur the likely ones.
 */
export function putWide(wide: ByteWriter, lows: ByteWriter, value: number): void {
  if (value >= 0 && value < WIDE.two) wide.u8(value);
  else if (value >= 0 && value < WIDE.limit) {
    wide.u8(WIDE.two + ((value - WIDE.two) >> 8));
    lows.u8((value - WIDE.two) & 255);
  } else {
    wide.u8(WIDE.varint);
    lows.zigzag(value);
  }
}

export function getWide(wide: ByteReader, lows: ByteReader): number {
  const byte = wide.u8();
  if (byte < WIDE.two) return byte;
  return byte === WIDE.varint ? lows.zigzag() : WIDE.two + ((byte - WIDE.two) << 8) + lows.u8();
}
