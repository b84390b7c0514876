/**
 * What a transfer costs a line, in bytes. TLS bytes are counted as they leave; to them come TCP and IP headers of both
 * directions: 52 of every 1500 bytes out, and one 52-byte acknowledgement for every two packets, 5.5 % together.
 */
const HEADERS_FACTOR = 1.06;
/** Setting up and closing TCP, and looking up the name; also paid by an attempt that finds nobody. */
const CONNECTION_BYTES = 4096;
/** A request's and a reply's headers, generously: ours are under 500 bytes. */
const EXCHANGE_BYTES = 2048;
/** A TLS handshake with a long certificate chain. */
const HANDSHAKE_BYTES = 8192;

/** Bytes to charge for what was counted on sockets, never under the truth by more than 5 %. */
export function chargeFor(wireBytes: number, newConnections: number): number {
  return Math.ceil(wireBytes * HEADERS_FACTOR) + newConnections * CONNECTION_BYTES;
}

/** What sending a file will cost at most, if nothing goes wrong. */
export function estimateCharge(sizeBytes: number, line: { isConnected: boolean; isSecure: boolean }): number {
  const handshake = line.isSecure && !line.isConnected ? HANDSHAKE_BYTES : 0;
  return chargeFor(sizeBytes + EXCHANGE_BYTES + handshake, line.isConnected ? 0 : 1);
}
