/** A socket of this machine that a message bus listens on: a path, or a name in Linux's abstract namespace. */
export type BusSocket = { readonly path: string } | { readonly abstract: string };

type Environment = Readonly<Record<string, string | undefined>>;

/** D-Bus specification, "Well-known Message Bus Instances". */
const SYSTEM_BUS = 'unix:path=/var/run/dbus/system_bus_socket';

/** Where the system bus is: `DBUS_SYSTEM_BUS_ADDRESS`, else where the specification puts it. */
export function systemBusSockets(env: Environment): BusSocket[] {
  return parseBusAddress(env['DBUS_SYSTEM_BUS_ADDRESS'] || SYSTEM_BUS, env);
}

/** The bus is one that the environment names: it may say anything of this machine. */
export function isOtherSystemBus(env: Environment): boolean {
  const named = env['DBUS_SYSTEM_BUS_ADDRESS'] ?? '';
  if (named === '') return false;
  const standard = ['/var/run/dbus/system_bus_socket', '/run/dbus/system_bus_socket'];
  return !parseBusAddress(named, env).every((socket) => 'path' in socket && standard.includes(socket.path));
}

/** Where the person's session bus is: `DBUS_SESSION_BUS_ADDRESS`, else the socket that systemd makes for each user. */
export function sessionBusSockets(env: Environment): BusSocket[] {
  return parseBusAddress(env['DBUS_SESSION_BUS_ADDRESS'] || 'unix:runtime=yes', env);
}

/**
 * The sockets of a bus address (D-Bus specification, "Server Addresses"), in the order in which they are to be tried:
 * addresses apart by `;`, each `transport:key=value,…` with `%xx` escapes. What leads to another machine or starts a
 * program (`tcp`, `unixexec`) is left out, and so is what is not an address: conditions come from this machine only.
 */
export function parseBusAddress(text: string, env: Environment): BusSocket[] {
  return text.split(';').flatMap((address): BusSocket[] => {
    const [, transport, rest] = /^([^:]*):(.*)$/s.exec(address.trim()) ?? [];
    if (transport !== 'unix' || rest === undefined) return [];
    const keys = new Map(
      rest.split(',').map((pair) => {
        const at = pair.indexOf('=');
        return [pair.slice(0, Math.max(0, at)), unescape(pair.slice(at + 1))];
      }),
    );
    const path = keys.get('path') ?? '';
    if (path !== '') return [{ path }];
    const abstract = keys.get('abstract') ?? '';
    if (abstract !== '') return [{ abstract }];
    const runtimeDir = env['XDG_RUNTIME_DIR'] ?? '';
    return keys.get('runtime') === 'yes' && runtimeDir !== '' ? [{ path: `${runtimeDir}/bus` }] : [];
  });
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ''; // not an address
  }
}
