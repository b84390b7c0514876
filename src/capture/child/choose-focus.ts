import type { CaptureConfig } from '../../core/capture.ts';
import { BackendFailure } from './backend.ts';
import type { BackendSurroundings } from './choose-backend.ts';
import { FocusMacos } from './focus-macos.ts';
import { type FocusSource, NO_FOCUS } from './focus-source.ts';
import { FocusX11 } from './x11/focus-x11.ts';

/**
 * What tells which window is in use: the X server, in an X11 session. macOS tells only whether a secret is typed. Nothing
 * does for a recording, on Wayland, and for `evdev`, which also sees what is typed on a text console. Throws
 * {@link BackendFailure} when the policy then wants nothing at all.
 */
export function chooseFocus(config: CaptureConfig, surroundings: BackendSurroundings): FocusSource {
  const { env, platform } = surroundings;
  const isX11 = platform !== 'darwin' && (env['WAYLAND_DISPLAY'] ?? '') === '';
  if (isX11 && config.replay === null && config.backend !== 'evdev') return new FocusX11(surroundings);
  if (config.focusUnknown !== 'block') {
    const isMacos = platform === 'darwin' && config.replay === null;
    return isMacos ? new FocusMacos(surroundings.macosInput, surroundings.nowMonoMs) : NO_FOCUS;
  }
  throw new BackendFailure(
    'focus-unknown',
    'The policy captures only where the application in use is known, and here nothing can tell it.',
    'an X11 session tells it; capture.focus_unknown = "no-keys" records the pointer without any key',
  );
}
