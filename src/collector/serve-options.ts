import { readFileSync } from 'node:fs';
import { TelemetryError } from '../core/errors.ts';
import { isLoopbackUrl } from '../core/gate.ts';
import { isLoopbackHost, type ListenAddress, parseListenAddress } from './listen-address.ts';
import type { PageAddress } from './page/serve-page.ts';
import type { TlsFiles } from './tls-server.ts';

/** The options of `serve` that say who can reach it, as they were typed. */
export interface ReachFlags {
  readonly listen: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly publicUrl?: string;
  readonly adminListen?: string;
  readonly requireEnrolment?: true;
}

/** Who can reach it, and who may. */
export interface Reach {
  readonly listen: ListenAddress;
  readonly tls: TlsFiles | null;
  readonly publicUrl: string | null;
  readonly isEnrolmentRequired: boolean;
  /** Where whoever runs the programme finds the page; `null`: nowhere. */
  readonly page: PageAddress | null;
}

/** Reads them. Whatever other machines can reach speaks TLS, here or in front, and takes enrolled devices only. */
export function readReach(flags: ReachFlags): Reach {
  const listen = parseListenAddress(flags.listen);
  const tls = readTls(flags);
  const publicUrl = flags.publicUrl === undefined ? null : readPublicUrl(flags.publicUrl);
  const isHere = isLoopbackHost(listen.host);
  if (!isHere && tls === null) {
    throw new TelemetryError('usage', `${flags.listen} could be reached by other machines, which needs TLS`, {
      op: 'read --listen',
      hint: '--tls-cert FILE --tls-key FILE, or --listen 127.0.0.1:7717',
    });
  }
  const isOpen = !isHere || (publicUrl !== null && !isLoopbackUrl(publicUrl));
  const isEnrolmentRequired = flags.requireEnrolment === true || isOpen;
  return { listen, tls, publicUrl, isEnrolmentRequired, page: readPage(flags.adminListen, tls) };
}

/** Never with what devices can reach: an address of its own, and beyond this machine over TLS only. */
function readPage(adminListen: string | undefined, tls: TlsFiles | null): PageAddress | null {
  if (adminListen === undefined) return null;
  const listen = parseListenAddress(adminListen);
  if (isLoopbackHost(listen.host)) return { listen, tls: null };
  if (tls !== null) return { listen, tls };
  throw new TelemetryError('usage', `${adminListen} could be reached by other machines, which needs TLS`, {
    op: 'read --admin-listen',
    hint: '--admin-listen 127.0.0.1:7719, reached by ssh -L 7719:127.0.0.1:7719 HOST',
  });
}

function readTls({ tlsCert, tlsKey }: ReachFlags): TlsFiles | null {
  if (tlsCert === undefined && tlsKey === undefined) return null;
  const hint = '--tls-cert FILE --tls-key FILE, both PEM';
  if (tlsCert === undefined || tlsKey === undefined)
    throw new TelemetryError('usage', '--tls-cert and --tls-key go together', { op: 'read TLS files', hint });
  try {
    return { cert: readFileSync(tlsCert), key: readFileSync(tlsKey) };
  } catch (cause) {
    throw new TelemetryError('usage', 'the TLS files cannot be read', { op: 'read TLS files', hint, cause });
  }
}

function readPublicUrl(text: string): string {
  const url = URL.parse(text);
  const isPlain = url !== null && url.search === '' && url.hash === '' && url.username === '';
  if (isPlain && (url.protocol === 'https:' || isLoopbackUrl(text))) return url.href.replace(/\/+$/, '');
  throw new TelemetryError('usage', `"${text}" is not an https address`, {
    op: 'read --public-url',
    hint: '--public-url https://collector.example.com',
  });
}
