import type { StandingExemption } from '../../src/core/collection.ts';
import type { RecordedSpan } from '../../src/core/exemption.ts';
import { ExemptionKeeper } from '../../src/daemon/exemption-keeper.ts';
import type { PersonRequests } from '../../src/daemon/person-requests.ts';
import type { LedgerFact } from '../../src/privacy/ledger-entry.ts';
import type { Spool } from '../../src/spool/spool.ts';
import { keepingLog } from '../control/reports.ts';
import type { HandClock, HandTimers } from './hand-clock.ts';

export interface ExemptionPlace {
  readonly clock: HandClock;
  readonly timers: HandTimers;
  readonly stateDir: string;
  readonly requests: () => PersonRequests;
  readonly spool: Spool;
  readonly changed: () => void;
}

/** The keeper of exemptions over real files and a real spool; what it tells the daemon is written down. */
export function exemptionsOver(place: ExemptionPlace) {
  const { spool } = place;
  const { log, lines } = keepingLog();
  const world = {
    log: lines,
    whilePending: 'withhold' as 'withhold' | 'pause',
    destination: 'http://127.0.0.1:7717',
    nextSequence: 1,
    standing: [] as readonly StandingExemption[],
    apps: [] as string[],
    facts: [] as LedgerFact[],
    /** What the person is told of. */
    told: [] as string[],
    rolls: 0,
    /** Segments that are being sealed just now. */
    busy: new Set<string>(),
  };
  let made = 0;
  const make = (): ExemptionKeeper => {
    const keeper: ExemptionKeeper = new ExemptionKeeper({
      ...place,
      log,
      randomBytes: (size) => new Uint8Array(size).fill(++made),
      whilePending: () => world.whilePending,
      destination: () => world.destination,
      recordings: {
        roll: () => {
          world.rolls++;
        },
        leastSequence: () => world.nextSequence,
        forgetPending: () => undefined,
        delete: (covers: (span: RecordedSpan) => boolean) =>
          spool.deleteCovered(covers, (id) => world.busy.has(id)).left === 0,
      },
      record: (facts) => world.facts.push(...facts),
      standing: (exemptions) => {
        world.standing = exemptions;
      },
      appsChanged: () => {
        world.apps = keeper.apps();
      },
      stateChanged: (state) => world.told.push(state),
    });
    return keeper;
  };
  return { keeper: make(), again: make, world };
}
