import type { CaptureConfig } from '../../core/capture.ts';
import { DeviceControl } from '../../posix/device-control.ts';
import type { Libc } from '../../posix/libc-koffi.ts';
import type { MacosInput } from '../../posix/macos-input.ts';
import type { Delay } from '../delay-node.ts';
import { BackendFailure, type CaptureBackend } from './backend.ts';
import { DEFAULT_SEAT, DeviceFolder } from './evdev/device-folder.ts';
import { EvdevBackend } from './evdev/evdev-backend.ts';
import { ReplayBackend } from './replay-backend.ts';
import { UiohookBackend } from './uiohook-backend.ts';
import { X11Backend } from './x11-backend.ts';

/** What back ends need from the outside. */
export interface BackendSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly hostname: string;
  /** `null` where it cannot be had. */
  readonly libc: Libc | null;
  /** `null` where there is no such thing, or it cannot be had. */
  readonly macosInput: MacosInput | null;
  readonly uid: number;
  readonly nowMonoMs: () => number;
  readonly delay: Delay;
}

/** The back end that the configuration asks for; throws {@link BackendFailure} when it may or can not be had. */
export function chooseBackend(config: CaptureConfig, surroundings: BackendSurroundings): CaptureBackend {
  if (config.replay !== null) return new ReplayBackend({ ...config.replay, ...surroundings });
  return liveBackend(config.backend, surroundings);
}

function liveBackend(name: string, surroundings: BackendSurroundings): CaptureBackend {
  switch (name) {
    case 'auto':
      return automatic(surroundings);
    case 'x11':
      return new X11Backend({ ...surroundings, why: CHOSEN });
    case 'uiohook':
      return new UiohookBackend({ ...surroundings, why: CHOSEN });
    case 'evdev':
      return evdevBackend(surroundings, CHOSEN);
    case 'replay':
      throw new BackendFailure('no-recording', 'There is no recording to replay.', 'pass --replay FILE.csv');
    default:
      throw new BackendFailure(
        'no-such-backend',
        `There is no capture back end ${JSON.stringify(name.slice(0, 40))} in this version.`,
        'set capture.backend to "auto"',
      );
  }
}

const CHOSEN = 'it was asked for by name';

/**
 * The back end for this session. An X server without RECORD is no reason for another one: the hook needs it as much.
 */
function automatic(surroundings: BackendSurroundings): CaptureBackend {
  if (surroundings.platform === 'darwin') {
    return new UiohookBackend({ ...surroundings, why: 'this is macOS' });
  }
  if ((surroundings.env['WAYLAND_DISPLAY'] ?? '') !== '') {
    // XWayland shows the hook X programs only: half a record that looks like a whole one.
    return evdevBackend(surroundings, 'this is a Wayland session');
  }
  return new X11Backend({ ...surroundings, why: 'this is an X11 session of this machine' });
}

function evdevBackend({ env, libc, nowMonoMs, delay }: BackendSurroundings, why: string): EvdevBackend {
  const seat = env['XDG_SEAT'] ?? '';
  const folder = new DeviceFolder({
    deviceDir: '/dev/input',
    udevDir: '/run/udev/data',
    seat: seat === '' ? DEFAULT_SEAT : seat,
  });
  const ask = libc === null ? null : (fd: number): DeviceControl => new DeviceControl(libc, fd);
  return new EvdevBackend({ folder, ask, nowMonoMs, delay, why });
}
