import type { ServiceView } from './dbus/bus-service.ts';
import { flagOf, itemsIn, type Properties, textIn, textOf } from './dbus/values.ts';
import type { Lock } from './lock-logind.ts';

const NAME = 'org.freedesktop.login1';
/** The seat that every machine has (sd-login(3)); others are somebody else's desk on the same machine. */
const SEAT_PATH = '/org/freedesktop/login1/seat/seat0';

/**
 * The account whose session is in the foreground of this machine's seat, by logind; `null` where nobody's is (a greeter,
 * no seat), `undefined` while that is not known. What comes over a network is not at the seat.
 */
export function seatHolder(view: ServiceView): number | null | undefined {
  const session = sessionInFront(view);
  return session === null || session === undefined ? session : holderOf(session);
}

/** For the system service, which sees the input of the whole seat: unlocked only while this account's session has it. */
export function lockAtSeat(view: ServiceView, uid: number): Lock {
  const session = sessionInFront(view);
  if (session === undefined) return 'unknown';
  if (session === null || holderOf(session) !== uid) return 'locked';
  const isLocked = flagOf(session, 'LockedHint');
  if (isLocked === null) return 'unknown';
  return isLocked || textOf(session, 'State') === 'closing' ? 'locked' : 'unlocked';
}

/** Whose session it is; `null` for a greeter's and for one that comes over a network. */
function holderOf(session: Properties): number | null {
  if (textOf(session, 'Class')?.startsWith('user') !== true || flagOf(session, 'Remote') !== false)
    return null;
  const [uid] = itemsIn(session.get('User'));
  return typeof uid === 'number' ? uid : null;
}

function sessionInFront(view: ServiceView): Properties | null | undefined {
  const seat = view.properties(SEAT_PATH, `${NAME}.Seat`);
  if (seat === undefined) return undefined;
  if (seat === null) return null;
  const [id, path] = itemsIn(seat.get('ActiveSession'));
  if (id === undefined) return undefined;
  if (id === '') return null;
  // One that is gone by now: logind tells of the next one.
  return view.properties(textIn(path), `${NAME}.Session`) ?? undefined;
}
