import { posix as path } from 'node:path';
import { TelemetryError } from '../core/errors.ts';

/** What decides where things lie, passed in so that it can be tested. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  /** `process.platform`. */
  readonly platform: string;
  /** The person's home folder (`os.homedir()`). */
  readonly home: string;
  /** Relative paths in the environment count from here (`process.cwd()`). */
  readonly cwd: string;
  /** It is the system service, which has an account of its own. */
  readonly isSystemService?: boolean;
}

/** Where one daemon keeps its things. All paths are absolute. */
export interface Locations {
  readonly kind: 'environment' | 'user' | 'system';
  readonly stateDir: string;
  /** Holds the socket; on a tmpfs where there is one for the person. */
  readonly runtimeDir: string;
  readonly socketPath: string;
  /** Where the policy may lie; the first that exists counts. */
  readonly policyPaths: readonly string[];
  /** The person's own `preferences.toml`; `null` for the system service, where each person has one. */
  readonly preferencesPath: string | null;
  /** The person's own age identity, in their configuration folder whatever daemon it is for. */
  readonly identityPath: string;
}

/**
 * The longest path that `sockaddr_un.sun_path` takes besides its NUL: of 108 bytes on Linux, 104 on macOS (unix(7),
 * unix(4)).
 */
const MAX_SOCKET_PATH_BYTES = { darwin: 103, other: 107 } as const;

const SYSTEM_POLICY = '/etc/telemetryd/policy.toml';

/**
 * Where a daemon started in these surroundings keeps its things: as the environment says, else the system's folders
 * for root and the system service, and the person's own for everyone else. Throws when the socket's path is too long.
 */
export function locations(around: Surroundings): Locations {
  const isSystem = (around.uid === 0 || around.isSystemService === true) && !isPlaceGiven(around);
  const found = isSystem ? systemLocations(around) : candidates(around)[0];
  const chosen = found ?? systemLocations(around);
  checkSocketPath(chosen.socketPath, around.platform);
  return chosen;
}

/**
 * Where telemetryctl looks for a running daemon, in order. What the environment names stands alone: asking another
 * daemon instead would pause the wrong one.
 */
export function candidates(around: Surroundings): Locations[] {
  return isPlaceGiven(around)
    ? [environmentLocations(around)]
    : [userLocations(around), systemLocations(around)];
}

/** Throws a usage error unless a socket can be bound and dialled at `socketPath`. */
export function checkSocketPath(socketPath: string, platform: string): void {
  const limit = platform === 'darwin' ? MAX_SOCKET_PATH_BYTES.darwin : MAX_SOCKET_PATH_BYTES.other;
  const length = Buffer.byteLength(socketPath);
  if (length <= limit) return;
  throw new TelemetryError(
    'usage',
    `The path of the control socket has ${length} bytes and the system takes ${limit}: ${socketPath}`,
    { op: 'locate the control socket', hint: 'set TELEMETRYD_SOCKET to a shorter path' },
  );
}

function isPlaceGiven({ env }: Surroundings): boolean {
  return given(env['TELEMETRYD_STATE_DIR']) !== undefined || given(env['TELEMETRYD_SOCKET']) !== undefined;
}

function environmentLocations(around: Surroundings): Locations {
  const { env, cwd } = around;
  const base = around.uid === 0 ? systemLocations(around) : userLocations(around);
  const state = given(env['TELEMETRYD_STATE_DIR']);
  const socket = given(env['TELEMETRYD_SOCKET']);
  const stateDir = state === undefined ? base.stateDir : path.resolve(cwd, state);
  const runtimeDir = state === undefined ? base.runtimeDir : path.join(stateDir, 'run');
  return {
    ...base,
    kind: 'environment',
    stateDir,
    runtimeDir,
    socketPath: socket === undefined ? path.join(runtimeDir, 'control.sock') : path.resolve(cwd, socket),
    preferencesPath: userLocations(around).preferencesPath,
    identityPath: userLocations(around).identityPath,
  };
}

function userLocations(around: Surroundings): Locations {
  const { env, home, platform } = around;
  if (platform === 'darwin') {
    const folder = path.join(home, 'Library', 'Application Support', 'telemetryd');
    return {
      kind: 'user',
      stateDir: folder,
      runtimeDir: path.join(folder, 'run'),
      socketPath: path.join(folder, 'run', 'control.sock'),
      policyPaths: policyPaths(around, path.join(folder, 'policy.toml')),
      preferencesPath: path.join(folder, 'preferences.toml'),
      identityPath: path.join(folder, 'identity.txt'),
    };
  }
  const stateDir = path.join(
    absolute(env['XDG_STATE_HOME']) ?? path.join(home, '.local/state'),
    'telemetryd',
  );
  const config = path.join(absolute(env['XDG_CONFIG_HOME']) ?? path.join(home, '.config'), 'telemetryd');
  const runtime = absolute(env['XDG_RUNTIME_DIR']);
  const runtimeDir = runtime === undefined ? path.join(stateDir, 'run') : path.join(runtime, 'telemetryd');
  return {
    kind: 'user',
    stateDir,
    runtimeDir,
    socketPath: path.join(runtimeDir, 'control.sock'),
    policyPaths: policyPaths(around, path.join(config, 'policy.toml')),
    preferencesPath: path.join(config, 'preferences.toml'),
    identityPath: path.join(config, 'identity.txt'),
  };
}

function systemLocations(around: Surroundings): Locations {
  return {
    kind: 'system',
    stateDir: '/var/lib/telemetryd',
    runtimeDir: '/run/telemetryd',
    socketPath: '/run/telemetryd/control.sock',
    policyPaths: policyPaths(around),
    preferencesPath: null,
    identityPath: userLocations(around).identityPath,
  };
}

/** A policy that the environment names stands alone; else the person's own file, then root's. */
function policyPaths({ env, cwd }: Surroundings, own?: string): string[] {
  const named = given(env['TELEMETRYD_POLICY']);
  if (named !== undefined) return [path.resolve(cwd, named)];
  return own === undefined ? [SYSTEM_POLICY] : [own, SYSTEM_POLICY];
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

/** The XDG specification says that relative paths in its variables are to be ignored. */
function absolute(value: string | undefined): string | undefined {
  return value?.startsWith('/') === true ? value : undefined;
}
