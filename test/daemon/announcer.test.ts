import { expect, it } from 'vitest';
import type { Shown } from '../../src/core/notifier.ts';
import { Announcer } from '../../src/daemon/announcer.ts';
import { HandClock } from './hand-clock.ts';

function desk() {
  const said: string[] = [];
  let tell: (shown: Shown) => void = () => undefined;
  const announcer = new Announcer({
    clock: new HandClock(),
    notifier: {
      notify: (summary, _body, told) => {
        said.push(summary);
        tell = told;
      },
      withdraw: () => said.push('withdrawn'),
    },
    changed: () => said.push('changed'),
  });
  return { announcer, said, tell: (shown: Shown) => tell(shown) };
}

it('says that recording begins, once, and what became of that', () => {
  const { announcer, said, tell } = desk();
  expect(announcer.last).toBeNull();
  announcer.stateChanged('blocked', 'awaiting-consent');
  announcer.stateChanged('awaiting-consent', 'capturing');
  expect(said).toEqual(['Input is being recorded']);
  expect(announcer.last).toMatchObject({ what: 'began', shown: 'waiting' });
  tell('shown');
  expect(announcer.last).toEqual({ what: 'began', at: '2026-07-01T08:00:00.000Z', shown: 'shown' });
  announcer.stateChanged('capturing', 'locked');
  announcer.stateChanged('locked', 'capturing');
  expect(said).toEqual(['Input is being recorded', 'changed', 'withdrawn']);
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
