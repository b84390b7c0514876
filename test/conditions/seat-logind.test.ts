import { describe, expect, it } from 'vitest';
import type { BusValue } from '../../src/conditions/dbus/values.ts';
import { lockAtSeat, seatHolder } from '../../src/conditions/seat-logind.ts';
import { type Row, tableView } from './dbus/table-view.ts';

const LOGIND = '/org/freedesktop/login1';
const NAME = 'org.freedesktop.login1';
const ADA = 1000;

/** logind with this session in front of the seat. */
function inFront(row: Row | undefined, front: BusValue = ['7', `${LOGIND}/session/_37`]) {
  return tableView({
    [`${LOGIND}/seat/seat0 ${NAME}.Seat`]: { ActiveSession: front },
    [`${LOGIND}/session/_37 ${NAME}.Session`]: row,
  });
}

function session(more: Row = {}): Row {
  return { User: [ADA, ''], Class: 'user', Remote: false, State: 'active', LockedHint: false, ...more };
}

const NOBODY = inFront(undefined, ['', '/']);

describe('the seat of the machine', () => {
  it.each([
    ['a person', ADA, inFront(session())],
    ['a person whose screen is locked', ADA, inFront(session({ LockedHint: true }))],
    ['a greeter', null, inFront(session({ Class: 'greeter' }))],
    ['a session over the network', null, inFront(session({ Remote: true }))],
    ['nobody', null, NOBODY],
    ['a session of which logind has not told yet', undefined, inFront(undefined)],
    ['nothing, where there is no seat', null, tableView({})],
    ['what nobody knows yet', undefined, tableView({ [`${LOGIND}/seat/seat0 ${NAME}.Seat`]: undefined })],
  ])('has %s in front', (_what, holder, view) => {
    expect(seatHolder(view)).toBe(holder);
  });

  it.each([
    ['unlocked', 'my session is in front', inFront(session())],
    ['locked', 'my screen is locked', inFront(session({ LockedHint: true }))],
    ['locked', 'I am logging out', inFront(session({ State: 'closing' }))],
    ['locked', 'somebody else is in front', inFront(session({ User: [1001, ''] }))],
    ['locked', 'the greeter is in front', inFront(session({ Class: 'greeter' }))],
    ['locked', 'I am here over the network', inFront(session({ Remote: true }))],
    ['locked', 'nobody is', NOBODY],
    ['locked', 'there is no seat', tableView({})],
    ['unknown', 'logind has not told', inFront(undefined)],
    ['unknown', 'nobody says whether it is locked', inFront(session({ LockedHint: '' }))],
  ])('is %s to me when %s', (lock, _when, view) => {
    expect(lockAtSeat(view, ADA)).toBe(lock);
  });
});
