import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the kernel's view of the machine lies. */
export interface SysfsRoot {
  /** Holds `class/power_supply` and `class/net`. */
  readonly sysfs: string;
  /** Holds `route` and `ipv6_route`. */
  readonly procNet: string;
  /** It is an ordinary folder that stands for a machine, not this machine's. */
  readonly isSimulated: boolean;
}

/**
 * The machine's own `/sys`, or the folder that `TELEMETRYD_SYSFS_ROOT` names: for tests, and for containers that see
 * the host's files elsewhere. Such a folder is laid out like `/sys`: `class/power_supply/<supply>/{type,online,…}`,
 * `class/net/<interface>/{type,operstate,uevent,phy80211/…}`, and optionally `proc/net/route` and
 * `proc/net/ipv6_route`; without these, every interface that is up counts as carrying the default route. What is
 * missing is unknown, except `class/power_supply`, without which a machine has no battery.
 *
 * `/proc/self/net` rather than `/proc/net`: the latter is a symbolic link to it, and is hidden where the service
 * manager mounts `/proc` with `subset=pid` (proc(5)).
 */
export function sysfsRoot(env: Readonly<Record<string, string | undefined>>): SysfsRoot {
  const named = env['TELEMETRYD_SYSFS_ROOT'] ?? '';
  if (named === '') return { sysfs: '/sys', procNet: '/proc/self/net', isSimulated: false };
  return { sysfs: named, procNet: join(named, 'proc/net'), isSimulated: true };
}

/** An attribute's text without white space around it; `null` when there is no such file, `undefined` when it cannot be read. */
export function readAttribute(...path: readonly string[]): string | null | undefined {
  try {
    return readFileSync(join(...path), 'utf8').trim();
  } catch (error) {
    return isMissing(error) ? null : undefined;
  }
}

/** Whether what was thrown says that a file or folder does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
