import { BlockList, isIP } from 'node:net';
import { TelemetryError } from '../core/errors.ts';

/** Where to listen. */
export interface ListenAddress {
  /** An IP address. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/**
 * Reads `HOST:PORT`; an IPv6 host stands in brackets. Refuses what other machines could reach: devices cannot prove who
 * they are yet, and nothing here speaks TLS.
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const named = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new TelemetryError('usage', `"${text}" is not an address to listen on`, {
      op: 'read --listen',
      hint: '--listen 127.0.0.1:7717',
    });
  }
  const host = named === 'localhost' ? '127.0.0.1' : named;
  const version = isIP(host);
  if (version === 0 || !LOOPBACK.check(host, version === 6 ? 'ipv6' : 'ipv4')) {
    throw new TelemetryError(
      'usage',
      `"${named}" could be reached by other machines; that needs identities and TLS, which a later version brings`,
      { op: 'read --listen', hint: '--listen 127.0.0.1:7717' },
    );
  }
  return { host, port };
}

/** The address as a URL without a path. */
export function urlOf({ host, port }: ListenAddress): string {
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
