import type { ServiceSpec, ServiceView } from './dbus/bus-service.ts';
import type { Lock } from './lock-logind.ts';

/** A screen saver on the session bus: its interface has the service's name, and lies at this path. */
export interface ScreenSaver {
  readonly spec: ServiceSpec;
  readonly path: string;
}

/**
 * The screen savers and lockers of the desktops. KDE has the freedesktop one at both of its paths; GNOME, Cinnamon, MATE
 * and Xfce (xfce4-screensaver) have their own. Lockers without a D-Bus name, such as i3lock, grab the keyboard, which the
 * capture back end sees.
 */
export const SCREEN_SAVERS: readonly ScreenSaver[] = [
  saver('org.freedesktop.ScreenSaver', '/org/freedesktop/ScreenSaver'),
  saver('org.gnome.ScreenSaver', '/org/gnome/ScreenSaver'),
  saver('org.cinnamon.ScreenSaver', '/org/cinnamon/ScreenSaver'),
  saver('org.mate.ScreenSaver', '/org/mate/ScreenSaver'),
  saver('org.xfce.ScreenSaver', '/org/xfce/ScreenSaver'),
];

function saver(name: string, path: string): ScreenSaver {
  const rules = [`interface='${name}',member='ActiveChanged'`];
  // From `ActiveChanged` until the screen saver has been asked again, nothing is known: that is what closes in time.
  return { path, spec: { name, rules, isStarted: false, absentAfterMs: 0, onSignal: 'drop' } };
}

/** What a screen saver says. One that cannot answer the question, as browsers that own the name, does not count. */
export function lockFromScreenSaver(view: ServiceView, { spec, path }: ScreenSaver): Lock {
  const isActive = view.result(path, spec.name, 'GetActive');
  if (isActive === undefined) return 'unknown';
  return isActive === true ? 'locked' : isActive === false ? 'unlocked' : 'none';
}
