import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { TelemetryError } from '../core/errors.ts';
import { findProgram, type Program, startProgram } from './program-node.ts';
import { xAuthorityFile } from './x-authority.ts';

/** What a display's clients find it by. */
export type DisplayEnvironment = Readonly<Record<'DISPLAY' | 'XAUTHORITY', string>>;

/** Where and with what the display is started. */
interface DisplayContext {
  /** For the cookie's file. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  readonly logFd: number;
  readonly signal: AbortSignal;
}

/**
 * Starts Xvfb on a free display number, closed to other accounts by a cookie, and the openbox window manager where
 * there is one. `onStart` is told of each program at once, so that none is left behind when a later step fails.
 */
export async function startDisplay(
  { folder, env, logFd, signal }: DisplayContext,
  onStart: (program: Program) => void,
): Promise<DisplayEnvironment> {
  const server = findProgram('Xvfb', env['PATH']);
  if (server === undefined) {
    throw new TelemetryError('unavailable', 'There is no display, and Xvfb is not installed.', {
      hint: 'npm start, which installs it where it may',
    });
  }
  const authority = join(folder, 'demonstration.Xauthority');
  writeFileSync(authority, xAuthorityFile(randomBytes(16)), { mode: 0o600 });

  const args = [
    '-displayfd',
    '3',
    '-screen',
    '0',
    '1280x800x24',
    '-nolisten',
    'tcp',
    '-noreset',
    '-auth',
    authority,
  ];
  const xvfb = startProgram({ name: 'Xvfb', ...bound(server, args, env), env, logFd, readsFrom: 3 });
  onStart(xvfb);
  const [, number] = await xvfb.line(/^(\d+)$/, signal);
  const display = { DISPLAY: `:${number ?? ''}`, XAUTHORITY: authority };

  const manager = findProgram('openbox', env['PATH']);
  if (manager !== undefined) {
    const wholeEnv = { ...env, ...display };
    onStart(
      startProgram({ name: 'openbox', ...bound(manager, ['--sm-disable'], env), env: wholeEnv, logFd }),
    );
  }
  return display;
}

/** Has the kernel end a program when we die, however that happens: neither Xvfb nor openbox would notice. */
function bound(file: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const setpriv = findProgram('setpriv', env['PATH']);
  if (setpriv === undefined) return { file, args };
  return { file: setpriv, args: ['--pdeathsig', 'TERM', file, ...args] };
}
