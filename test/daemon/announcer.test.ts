import { expect, it } from 'vitest';
import type { Notifier, Shown } from '../../src/core/notifier.ts';
import { Announcer } from '../../src/daemon/announcer.ts';
import { HandClock } from './hand-clock.ts';

function desk(isTold = false) {
  const said: string[] = [];
  const world = { isTold };
  const tells: ((shown: Shown) => void)[] = [];
  const notifier = (withdrawn: string): Notifier => ({
    notify: (summary, _body, told) => {
      said.push(summary);
      tells.push(told);
    },
    withdraw: () => said.push(withdrawn),
  });
  const announcer = new Announcer({
    clock: new HandClock(),
    notifiers: { recording: notifier('withdrawn'), exemptions: notifier('exemption withdrawn') },
    told: {
      get: () => world.isTold,
      set: () => {
        world.isTold = true;
      },
    },
    changed: () => said.push('changed'),
  });
  announcer.start();
  return { announcer, said, world, tell: (shown: Shown, nth = -1) => tells.at(nth)?.(shown) };
}

it('says that recording begins, once, and what became of that', () => {
  const { announcer, said, world, tell } = desk();
  expect(announcer.last).toBeNull();
  announcer.stateChanged('blocked', 'awaiting-consent');
  expect(world.isTold).toBe(false);
  announcer.stateChanged('awaiting-consent', 'capturing');
  expect(said).toEqual(['Input is being recorded']);
  expect(world.isTold).toBe(true);
  expect(announcer.last).toMatchObject({ what: 'began', shown: 'waiting' });
  tell('shown');
  expect(announcer.last).toEqual({ what: 'began', at: '2026-07-01T08:00:00.000Z', shown: 'shown' });
  announcer.stateChanged('capturing', 'locked');
  announcer.stateChanged('locked', 'capturing');
  expect(said).toEqual(['Input is being recorded', 'changed', 'withdrawn']);
});

it('says so once after each start of the machine, not at each start of the daemon', () => {
  const { announcer, said } = desk(true);
  announcer.stateChanged('blocked', 'capturing');
  expect(said).toEqual([]);
});

it('says that a pause has ended when recording goes on, also by way of a locked screen', () => {
  const { announcer, said } = desk();
  announcer.stateChanged('blocked', 'capturing');
  announcer.stateChanged('capturing', 'paused');
  announcer.stateChanged('paused', 'locked');
  expect(said).toEqual(['Input is being recorded', 'withdrawn']);
  announcer.stateChanged('locked', 'blocked');
  announcer.stateChanged('blocked', 'capturing');
  expect(said.at(-1)).toBe('The pause has ended');
  expect(announcer.last?.what).toBe('resumed');
});

it('does not tell the person of a pause that they ended themselves', () => {
  const { announcer, said } = desk(true);
  announcer.stateChanged('capturing', 'paused');
  announcer.stateChanged('paused', 'blocked');
  announcer.resumedByPerson();
  announcer.stateChanged('blocked', 'capturing');
  expect(said).toEqual(['withdrawn']);
});

it('says what became of an exemption, and recording that stops does not take that back', () => {
  const { announcer, said, tell } = desk(true);
  announcer.exemptionChanged('pending');
  expect(said).toEqual([]);
  announcer.exemptionChanged('denied');
  announcer.stateChanged('capturing', 'paused');
  expect(said).toEqual(['Your exemption was denied', 'withdrawn']);
  announcer.exemptionChanged('approved');
  expect(announcer.last).toMatchObject({ what: 'exemption-approved', shown: 'waiting' });
  // What was said before it is told late.
  tell('shown', -2);
  expect(announcer.last).toMatchObject({ what: 'exemption-approved', shown: 'waiting' });
  tell('no-desktop');
  expect(announcer.last).toMatchObject({ what: 'exemption-approved', shown: 'no-desktop' });
});
