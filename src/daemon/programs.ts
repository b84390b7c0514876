import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../core/node-flags.ts';

/** The programs the daemon starts, each a bundle beside its own. */
export type Program = 'capture-child' | 'telemetry-uploader' | 'policy-loader' | 'segment-sealer';

/** The one place where a child process's entry is resolved. All bundles lie in one folder. */
export function programPath(program: Program): string {
  return fileURLToPath(new URL(`./${program}.js`, import.meta.url));
}

/**
 * Flags of the capture child beside those. What it runs per event is little: with optimising compilers it held 1.4 MB
 * more and took 13.8 to 17.1 µs of CPU an event at 1000 Hz in three runs of the whole pipeline, without them 14.3 to
 * 18.7 in four, on a busy machine. It collects the garbage of its own start once.
 */
export const CAPTURE_FLAGS = [...NODE_FLAGS, '--no-opt', '--no-maglev', '--expose-gc'] as const;

/** Only these reach a child process; no `NODE_OPTIONS`, no `SSLKEYLOGFILE`. */
const COMMON = ['HOME', 'PATH', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'] as const;
/** Only the capture child knows the display. */
const DISPLAY = [
  'DISPLAY',
  'XAUTHORITY',
  'WAYLAND_DISPLAY',
  'XDG_RUNTIME_DIR',
  'XDG_SESSION_TYPE',
  'XDG_SEAT',
] as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of the capture child, from the daemon's. */
export function captureEnvironment(env: Environment): Record<string, string> {
  return pick(env, [...COMMON, ...DISPLAY]);
}

/** The environment of any other helper, from the daemon's, plus `extra`. */
export function helperEnvironment(
  env: Environment,
  extra: Record<string, string> = {},
): Record<string, string> {
  return { ...pick(env, COMMON), ...extra };
}

function pick(env: Environment, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = env[name];
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}
