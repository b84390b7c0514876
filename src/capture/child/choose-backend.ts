import type { CaptureConfig } from '../../core/capture.ts';
import { DeviceControl } from '../../posix/device-control.ts';
import type { Libc } from '../../posix/libc-koffi.ts';
import type { Delay } from '../delay-node.ts';
import { BackendFailure, type CaptureBackend } from './backend.ts';
import { DEFAULT_SEAT, DeviceFolder } from './evdev/device-folder.ts';
import { EvdevBackend } from './evdev/evdev-backend.ts';
import { ReplayBackend } from './replay-backend.ts';
import { UiohookBackend } from './uiohook-backend.ts';

/** What back ends need from the outside. */
export interface BackendSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly hostname: string;
  /** `null` where it cannot be had. */
  readonly libc: Libc | null;
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
}

/** The back end that the configuration asks for; throws {@link BackendFailure} when it may or can not be had. */
export function chooseBackend(config: CaptureConfig, surroundings: BackendSurroundings): CaptureBackend {
  if (config.focusUnknown === 'block') {
    throw new BackendFailure(
      'focus-unknown',
      'The policy captures only where the focused application is known, and nothing here can tell it yet.',
      'set capture.focus_unknown to "no-keys" to record the pointer without any key',
    );
  }
  if (config.replay !== null) return new ReplayBackend({ ...config.replay, ...surroundings });
  if (config.keys === 'full') {
    throw new BackendFailure(
      'full-refused',
      'Full key capture needs to know the focused application, and nothing here can tell it yet.',
      'set capture.keys to "shortcuts"',
    );
  }
  return liveBackend(config.backend, surroundings);
}

function liveBackend(name: string, surroundings: BackendSurroundings): CaptureBackend {
  const isWayland = (surroundings.env['WAYLAND_DISPLAY'] ?? '') !== '';
  // XWayland shows the hook X programs only: half a record that looks like a whole one.
  if (name === 'evdev' || (name === 'auto' && isWayland)) return evdevBackend(surroundings);
  if (name === 'auto' || name === 'uiohook') return new UiohookBackend(surroundings);
  if (name === 'replay') {
    throw new BackendFailure('no-recording', 'There is no recording to replay.', 'pass --replay FILE.csv');
  }
  throw new BackendFailure(
    'no-such-backend',
    `There is no capture back end ${JSON.stringify(name.slice(0, 40))} in this version.`,
    'set capture.backend to "auto"',
  );
}

function evdevBackend({ env, libc, nowMonoMs, delay }: BackendSurroundings): EvdevBackend {
  const seat = env['XDG_SEAT'] ?? '';
  const folder = new DeviceFolder({
    deviceDir: '/dev/input',
    udevDir: '/run/udev/data',
    seat: seat === '' ? DEFAULT_SEAT : seat,
  });
  const ask = libc === null ? null : (fd: number): DeviceControl => new DeviceControl(libc, fd);
  return new EvdevBackend({ folder, ask, nowMonoMs, delay });
}
