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

/** The path of a segment at the collector. */
export function segmentPath(destination: Destination, device: string, segmentId: string): string {
  return `${destination.basePath}/v1/devices/${encodeURIComponent(device)}/segments/${encodeURIComponent(segmentId)}`;
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
