import { accessSync, constants, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { StatusReport } from '../../core/status.ts';
import { type Check, type CheckName, failed, ok, skipped } from './check.ts';
import type { Patient } from './patient.ts';

/** A server on this machine accepts at once, or is stuck. */
const CONNECT_MS = 2000;

/** Of the daemon's reasons, those that are about the display, and those that are about rights. */
const DISPLAY_CODES = [
  'no-display',
  'display-gone',
  'display-forwarded',
  'display-foreign',
  'start-timeout',
  'tap-dead',
];
const PERMISSION_CODES = ['display-refused', 'no-permission', 'record-refused'];

/** Whether there is a display to read input from, for the back ends that need one. */
export async function display({ heard, io, policy }: Patient): Promise<Check> {
  if (heard.kind === 'own') {
    const found = blockedBy('display', DISPLAY_CODES, heard.status);
    if (found !== undefined) return found;
    const { alive, backend } = heard.status.capture;
    if (alive)
      return backend === 'evdev' ? notNeeded() : ok('display', `The capture process is connected to it.`);
  }
  if (heard.kind === 'restricted') return skipped('display', 'Only the person is told of it.');
  if (io.around.platform !== 'linux')
    return skipped('display', 'On this system only a running capture process can tell.');
  const { env } = io.around;
  if (likelyBackend(env, policy.policy?.capture.backend) === 'evdev') return notNeeded();
  const name = env['DISPLAY'] ?? '';
  if (name === '')
    return skipped(
      'display',
      'DISPLAY is not set here, so this command is not in the graphical session.',
      'run it in a terminal of the desktop',
    );
  const number = /^(?:unix)?:(\d+)(?:\.\d+)?$/.exec(name)?.[1];
  if (number === undefined)
    return failed(
      'display',
      `DISPLAY (${name}) is no display of this machine; others are not captured.`,
      'use a terminal of the desktop, without X forwarding',
    );
  const path = `/tmp/.X11-unix/X${number}`;
  if (await accepts(path)) return ok('display', `The X server of display :${number} answers.`);
  return failed('display', `No X server answers on display :${number}.`, 'log in to a desktop session');
}

/** Whether telemetryd may read input: event devices, the display's cookie, or what macOS allows. */
export function permissions({ heard, io, policy }: Patient): Check {
  if (heard.kind === 'own') {
    const found = blockedBy('permissions', PERMISSION_CODES, heard.status);
    if (found !== undefined) return found;
    if (heard.status.capture.alive)
      return ok('permissions', 'The capture process could open its source of input.');
  }
  if (heard.kind === 'restricted') return skipped('permissions', 'Only the person is told of them.');
  const { platform, env } = io.around;
  if (platform !== 'linux')
    return skipped(
      'permissions',
      'On this system only a running capture process can tell.',
      'start the daemon, then look again',
    );
  const backend = likelyBackend(env, policy.policy?.capture.backend);
  return backend === 'evdev' ? deviceRights() : cookieRights(env, io.around.home);
}

/** The daemon's word that it is blocked, where it is for one of these reasons. */
function blockedBy(
  name: CheckName,
  codes: readonly string[],
  { collection: { state, reasons } }: StatusReport,
): Check | undefined {
  const reason = state === 'blocked' ? reasons.find(({ code }) => codes.includes(code)) : undefined;
  return reason && failed(name, reason.text, reason.hint);
}

/** What `auto` would take in this session. */
function likelyBackend(env: Patient['io']['around']['env'], asked = 'auto'): string {
  if (asked !== 'auto') return asked;
  return (env['WAYLAND_DISPLAY'] ?? '') === '' ? 'x11' : 'evdev';
}

function notNeeded(): Check {
  return skipped('display', 'The back end of this session (evdev) needs none.');
}

function deviceRights(): Check {
  const folder = '/dev/input';
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /^event\d+$/.test(name));
  } catch {
    names = [];
  }
  if (names.length === 0)
    return failed(
      'permissions',
      `There are no input devices in ${folder}.`,
      'use a session of this machine; containers have none',
    );
  const closed = names.filter((name) => !mayRead(join(folder, name)));
  if (closed.length === 0)
    return ok('permissions', `This account may read the input devices (${names.length}).`);
  return failed(
    'permissions',
    `This account may not read ${closed.length} of ${names.length} input devices.`,
    'use the system service, or: sudo usermod -aG input $USER, then log in again',
  );
}

function cookieRights(env: Patient['io']['around']['env'], home: string): Check {
  const file = env['XAUTHORITY'] ?? join(home, '.Xauthority');
  if (mayRead(file)) return ok('permissions', 'The display’s cookie file can be read.');
  return skipped(
    'permissions',
    'There is no cookie file that can be read; a display may not want one.',
    'set XAUTHORITY as in the desktop session',
  );
}

function mayRead(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answers: boolean): void => {
      socket.destroy();
      resolve(answers);
    };
    socket.setTimeout(CONNECT_MS, () => end(false));
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}
