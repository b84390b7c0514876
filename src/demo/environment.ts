/** A process's variables. */
type Environment = Readonly<Record<string, string | undefined>>;

/** The variables that say where a daemon keeps its things: commands typed later need the same. */
const PLACE = ['TELEMETRYD_STATE_DIR', 'TELEMETRYD_SOCKET'];
const DISPLAY = ['DISPLAY', 'WAYLAND_DISPLAY', 'XAUTHORITY', 'XDG_SESSION_TYPE'];
/** What every program gets of our environment; nothing that changes how Node or TLS works. */
const COMMON = [
  ...['HOME', 'USER', 'LOGNAME', 'PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR', 'NO_COLOR'],
  ...['XDG_RUNTIME_DIR', 'XDG_STATE_HOME', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME', 'XDG_SESSION_ID'],
  ...['DBUS_SYSTEM_BUS_ADDRESS', 'TELEMETRYD_SYSFS_ROOT', ...PLACE],
];

/** What a command in another terminal needs to find the same daemon. */
export function placeOf(env: Environment): Record<string, string> {
  return pick(env, PLACE);
}

/** The environment of a program that is not to see the display. */
export function commonEnvironment(env: Environment): Record<string, string> {
  return pick(env, COMMON);
}

/** The environment of the daemon, whose capture process needs the display. */
export function daemonEnvironment(env: Environment): Record<string, string> {
  return pick(env, [...COMMON, ...DISPLAY]);
}

/** Whether there is a display in these surroundings. */
export function hasDisplay(env: Environment): boolean {
  return (env['DISPLAY'] ?? '') !== '' || (env['WAYLAND_DISPLAY'] ?? '') !== '';
}

function pick(env: Environment, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}
