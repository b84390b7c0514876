import { describe, expect, it } from 'vitest';
import { type BusValue, itemsIn } from '../../src/conditions/dbus/values.ts';
import { type Lock, lockFromLogind } from '../../src/conditions/lock-logind.ts';
import { type Row, tableView } from './dbus/table-view.ts';

const LOGIND = '/org/freedesktop/login1';
const NAME = 'org.freedesktop.login1';
const ME = 1000;

type Sessions = Readonly<Record<string, Row | undefined>>;

/** logind with these sessions; `front` is the one in the foreground of the seat, `null` for none. */
function logind(sessions: Sessions, front: string | null | undefined = Object.keys(sessions)[0]) {
  const path = (id: string): string => `${LOGIND}/session/${id}`;
  const objects = Object.entries(sessions).map(([id, row]) => [`${path(id)} ${NAME}.Session`, row] as const);
  const rows: BusValue = Object.entries(sessions).map(([id, row]) => [
    id,
    uidOf(row),
    'someone',
    'seat0',
    path(id),
  ]);
  return tableView(
    {
      ...Object.fromEntries(objects),
      [`${LOGIND}/seat/seat0 ${NAME}.Seat`]: {
        ActiveSession: [front ?? '', front == null ? '/' : path(front)],
      },
    },
    {
      [`${LOGIND} ${NAME}.Manager ListSessions`]: rows,
      [`${LOGIND} ${NAME}.Manager ListSeats`]: [['seat0', `${LOGIND}/seat/seat0`]],
    },
  );
}

function uidOf(row: Row | undefined): BusValue {
  return itemsIn(row?.['User'])[0] ?? ME;
}

function session(more: Row = {}): Row {
  return {
    User: [ME, ''],
    Class: 'user',
    Type: 'wayland',
    Seat: ['seat0', ''],
    State: 'active',
    Active: true,
    LockedHint: false,
    ...more,
  };
}

const away = { Active: false, State: 'online' };
const greeter = session({ User: [42, ''], Class: 'greeter' });
const ssh = session({ Type: 'tty', Seat: ['', '/'] });

const DESKS: readonly (readonly [string, Lock, ReturnType<typeof logind>])[] = [
  ['a session in use', 'unlocked', logind({ 1: session() })],
  ['a locked session', 'locked', logind({ 1: session({ LockedHint: true }) })],
  [
    'a session that was switched away from',
    'locked',
    logind({ 1: session(away), 2: session({ User: [1001, ''] }) }),
  ],
  ['the greeter over a session', 'locked', logind({ 1: session(away), c1: greeter }, 'c1')],
  ['the greeter before anybody logs in', 'locked', logind({ c1: greeter })],
  [
    'my lock screen of class lock-screen beside my session',
    'locked',
    logind({ 1: session(away), 2: session({ Class: 'lock-screen' }) }),
  ],
  ['a session that is ending', 'locked', logind({ 1: session({ State: 'closing' }) })],
  [
    'a session whose state was read before it came to the front',
    'unlocked',
    logind({ 1: session({ State: 'online' }) }),
  ],
  ['my session in front and another of mine behind', 'unlocked', logind({ 1: session(), 2: session(away) })],
  [
    'my second session in front, locked',
    'locked',
    logind({ 1: session(away), 2: session({ LockedHint: true }) }),
  ],
  ['two seats, one of them locked', 'locked', logind({ 1: session(), 2: session({ LockedHint: true }) })],
  ['my desktop behind my text console', 'locked', logind({ 1: session(away), 2: session({ Type: 'tty' }) })],
  ['a desktop begun from a text console', 'unlocked', logind({ 1: session({ Type: 'tty' }) })],
  ['a remote desktop without a seat', 'unlocked', logind({ 1: session({ Seat: ['', '/'], Type: 'x11' }) })],
  ['a remote shell beside the greeter', 'locked', logind({ 3: ssh, c1: greeter }, 'c1')],
  ['a remote shell where nobody is at the screen', 'none', logind({ 3: ssh }, null)],
  [
    'a service manager only, and nobody at the screen',
    'none',
    logind({ 4: session({ Class: 'manager' }) }, null),
  ],
  ['somebody else’s session', 'locked', logind({ 1: session({ User: [1001, ''] }) })],
  ['no session at all', 'none', logind({}, null)],
  ['a session that has not been read', 'unknown', logind({ 1: undefined })],
  ['a session without a hint', 'unknown', logind({ 1: { ...session(), LockedHint: '' } })],
  ['sessions that cannot be listed', 'unknown', tableView({})],
];

describe('the lock from logind', () => {
  it.each(DESKS)('takes %s for %s', (_name, lock, view) => {
    expect(lockFromLogind(view, ME)).toBe(lock);
  });
});
