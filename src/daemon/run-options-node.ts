import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { TelemetryError } from '../core/errors.ts';

const MODES = ['user', 'system', 'foreground'] as const;
const UPLOADERS = ['child', 'service'] as const;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const;

/** What `telemetryd run` was asked to do. */
export interface RunOptions {
  readonly backend: string | null;
  readonly replay: { readonly file: string; readonly speed: number | 'max' } | null;
  readonly mode: (typeof MODES)[number];
  /** Who starts the uploader: the daemon, or a service manager that watches `outbox` beside the control socket. */
  readonly uploader: (typeof UPLOADERS)[number];
  readonly isUntilStdinCloses: boolean;
  readonly logLevel: (typeof LEVELS)[number];
}

/** The options of `telemetryd run` as commander gives them; throws a usage error for values that are none. */
export function parseRunOptions(options: Record<string, unknown>): RunOptions {
  const { backend, replay, speed, mode, uploader, untilStdinCloses, logLevel } = options;
  if (typeof replay === 'string' && !existsSync(replay)) {
    throw usage(`${replay} does not exist`, 'name a recording with columns t_us,kind,x,y,a,b');
  }
  return {
    backend:
      typeof backend === 'string' ? oneOf('--backend', backend, ['auto', 'x11', 'uiohook', 'evdev']) : null,
    replay: typeof replay === 'string' ? { file: resolve(replay), speed: parseSpeed(String(speed)) } : null,
    mode: oneOf('--mode', String(mode), MODES),
    uploader: oneOf('--uploader', String(uploader), UPLOADERS),
    isUntilStdinCloses: untilStdinCloses === true,
    logLevel: oneOf('--log-level', String(logLevel), LEVELS),
  };
}

function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const speed = Number(text);
  if (text.trim() !== '' && speed > 0 && speed <= 1000) return speed;
  throw usage(`--speed ${text} is not a speed`, 'a number above 0 and up to 1000, or max');
}

function oneOf<Word extends string>(option: string, text: string, words: readonly Word[]): Word {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw usage(`${option} ${text} is not known`, `one of ${words.join(', ')}`);
}

/** What was asked for cannot be. */
export function usage(message: string, hint: string): TelemetryError {
  return new TelemetryError('usage', message, { op: 'run', hint });
}
