import type { ServiceSpec, ServiceView } from './dbus/bus-service.ts';
import { type BusValue, flagOf, itemsIn, type Properties, textIn, textOf } from './dbus/values.ts';

/** Whether the person's session is locked. `none`: there is nothing here that could lock. */
export type Lock = 'unlocked' | 'locked' | 'unknown' | 'none';

const NAME = 'org.freedesktop.login1';
const PATH = '/org/freedesktop/login1';
const MANAGER = `${NAME}.Manager`;
const SESSION = `${NAME}.Session`;
const SEAT = `${NAME}.Seat`;

/** org.freedesktop.login1(5). Its manager tells of sessions that come and go, and of sleep. */
export const LOGIND: ServiceSpec = {
  name: NAME,
  rules: [
    `path='${PATH}',interface='${MANAGER}'`,
    `path_namespace='${PATH}/session',member='PropertiesChanged'`,
    `path_namespace='${PATH}/seat',member='PropertiesChanged'`,
  ],
  isStarted: false,
  // Sessions outlive a restart of logind; without it nobody knows whether they are locked.
  absentAfterMs: null,
  onSignal: 'keep',
};

/**
 * The lock of this person's session as logind has it. The sessions that count are the graphical ones, else those at a
 * seat (`startx` from a text console); of these the ones in the foreground must be unlocked, and with none in the
 * foreground the person has switched away. Without a session of theirs, somebody else in the foreground of a seat (the
 * greeter) counts as locked; where nobody is, no screen is there to be locked: a machine without a desk, or one that only
 * ever runs services.
 */
export function lockFromLogind(view: ServiceView, uid: number): Lock {
  const listed = view.result(PATH, MANAGER, 'ListSessions');
  if (listed === undefined || listed === null) return 'unknown';
  const own = rows(listed).filter(([, owner]) => owner === uid);
  const sessions: Properties[] = [];
  for (const row of own) {
    const session = view.properties(textIn(row[4]), SESSION);
    if (session === undefined || session === null) return 'unknown';
    // A greeter, a lock screen and the user's own service manager are no sessions to capture.
    if (textOf(session, 'Class')?.startsWith('user') === true) sessions.push(session);
  }
  const graphical = sessions.filter((session) => !TEXT_TYPES.includes(textOf(session, 'Type')));
  const counting = graphical.length > 0 ? graphical : sessions.filter((session) => seatOf(session) !== '');
  return counting.length > 0 ? lockOf(counting) : lockOfOthers(view);
}

/** `Type` of what is not graphical. */
const TEXT_TYPES: readonly (string | null)[] = ['tty', 'unspecified'];

function lockOf(sessions: readonly Properties[]): Lock {
  const locks = sessions.map((session): Lock => {
    const isActive = flagOf(session, 'Active');
    const isLocked = flagOf(session, 'LockedHint');
    if (isActive === null || isLocked === null) return 'unknown';
    if (textOf(session, 'State') === 'closing' || !isActive) return 'none';
    return isLocked ? 'locked' : 'unlocked';
  });
  const worst = (['locked', 'unknown', 'unlocked'] as const).find((lock) => locks.includes(lock));
  return worst ?? 'locked';
}

function lockOfOthers(view: ServiceView): Lock {
  const listed = view.result(PATH, MANAGER, 'ListSeats');
  if (listed === undefined || listed === null) return 'unknown';
  for (const [, path] of rows(listed)) {
    const seat = view.properties(textIn(path), SEAT);
    if (seat === undefined || seat === null) return 'unknown';
    const [id] = itemsIn(seat.get('ActiveSession'));
    if (id === undefined) return 'unknown';
    if (id !== '') return 'locked';
  }
  return 'none';
}

function seatOf(session: Properties): string {
  return textIn(itemsIn(session.get('Seat'))[0]);
}

function rows(value: BusValue): (readonly BusValue[])[] {
  return itemsIn(value).map((row) => itemsIn(row));
}
