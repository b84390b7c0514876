import { TelemetryError } from './errors.ts';
import { isLoopbackUrl } from './gate.ts';

/** Where segments go, taken apart for a connection. */
export interface Destination {
  readonly isSecure: boolean;
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** The `Host` header: without the port where it is the scheme's own. */
  readonly authority: string;
  /** What goes before `/v1`, without a slash at its end. */
  readonly basePath: string;
}

/** Takes `https://…` anywhere and `http://…` on this machine; throws a configuration error for anything else. */
export function parseDestination(url: string): Destination {
  const parsed = URL.parse(url);
  if (parsed === null) throw refused('is not a URL');
  const isSecure = parsed.protocol === 'https:';
  if (!isSecure && (parsed.protocol !== 'http:' || !isLoopbackUrl(url))) {
    throw refused('is neither https nor on this machine');
  }
  if (parsed.username !== '' || parsed.password !== '') throw refused('contains a user name or a password');
  if (parsed.search !== '' || parsed.hash !== '') throw refused('has a query or a fragment');
  return {
    isSecure,
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? (isSecure ? 443 : 80) : Number(parsed.port),
    authority: parsed.host,
    basePath: parsed.pathname.replace(/\/+$/, ''),
  };
}

/** What a collector must know of a segment that it cannot open. It goes into the address, which is signed. */
export interface SegmentAbout {
  /** Rises by one a segment, so that a missing one shows. */
  readonly sequence: number;
  /** The consent it was captured under; `""` for recordings that capture no one. */
  readonly receiptId: string;
  /** How long its person was told that it is kept there; `null`: they were told nothing. */
  readonly retentionMs: number | null;
}

/** The path of a segment at the collector, with what is to be known `about` it. */
export function segmentPath(
  destination: Destination,
  device: string,
  segmentId: string,
  about?: SegmentAbout,
): string {
  const path = `${destination.basePath}/v1/devices/${encodeURIComponent(device)}/segments/${encodeURIComponent(segmentId)}`;
  return about === undefined ? path : `${path}?${queryOf(about)}`;
}

/** `sequence`, `receipt` and `retention` in whole seconds, in this order; what is not known is left out. */
function queryOf({ sequence, receiptId, retentionMs }: SegmentAbout): string {
  const receipt = receiptId === '' ? '' : `&receipt=${encodeURIComponent(receiptId)}`;
  const retention = retentionMs === null ? '' : `&retention=${Math.floor(retentionMs / 1000)}`;
  return `sequence=${sequence}${receipt}${retention}`;
}

/** The whole address of a path there, as it is signed: RFC 9421, section 2.2.2. */
export function targetUri({ isSecure, authority }: Destination, path: string): string {
  return `${isSecure ? 'https' : 'http'}://${authority}${path}`;
}

function refused(what: string): TelemetryError {
  return new TelemetryError('bad-configuration', `The collector’s address ${what}; nothing is sent there.`, {
    op: 'read the destination',
    hint: 'set upload.url in the policy to https://collector.example.com',
  });
}
