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

/** Reads `HOST:PORT`, as it was given with `option`; an IPv6 host stands in brackets. */
export function parseListenAddress(text: string, option = '--listen'): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const named = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new TelemetryError('usage', `"${text}" is not an address to listen on`, {
      op: `read ${option}`,
      hint: `${option} 127.0.0.1:7717`,
    });
  }
  const host = named === 'localhost' ? '127.0.0.1' : named;
  if (isIP(host) === 0) {
    throw new TelemetryError('usage', `"${named}" is not an IP address`, {
      op: `read ${option}`,
      hint:
        option === '--listen'
          ? '--listen 127.0.0.1:7717, or with TLS --listen [::]:443 --tls-cert FILE --tls-key FILE'
          : `${option} 127.0.0.1:7718`,
    });
  }
  return { host, port };
}

/** Whether other machines cannot reach the address. */
export function isLoopbackHost(host: string): boolean {
  return LOOPBACK.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

/** The address as a URL without a path. */
export function urlOf({ host, port }: ListenAddress, isSecure: boolean): string {
  return `${isSecure ? 'https' : 'http'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}
