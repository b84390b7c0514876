import { describe, expect, it } from 'vitest';
import { SessionKeeper } from '../../../src/collector/page/session-keeper.ts';

const MINUTE = 60_000;

function keeper() {
  const clock = { ms: 0 };
  let made = 0;
  const sessions = new SessionKeeper({ monoMs: () => clock.ms, randomText: () => `random-${made++}` });
  return { clock, sessions };
}

describe('a session', () => {
  it('ends half an hour after the last click, and after eight hours anyway', () => {
    const { clock, sessions } = keeper();
    const idle = sessions.begin('Ada', 'hash');
    clock.ms += 30 * MINUTE;
    expect(sessions.find(idle)).toBeNull();
    const busy = sessions.begin('Ada', 'hash');
    for (let at = 0; at < 8 * 60 - 20; at += 20) {
      clock.ms += 20 * MINUTE;
      expect(sessions.find(busy)).toMatchObject({ name: 'Ada', tokenHash: 'hash' });
    }
    clock.ms += 20 * MINUTE;
    expect(sessions.find(busy)).toBeNull();
  });

  it('has an id and a form of its own, and is over when it is ended', () => {
    const { sessions } = keeper();
    const [one, other] = [sessions.begin('Ada', 'hash'), sessions.begin('Ada', 'hash')];
    expect(sessions.find(one)?.formToken).not.toBe(sessions.find(other)?.formToken);
    sessions.end(one);
    expect(sessions.find(one)).toBeNull();
    expect(sessions.find(other)).not.toBeNull();
    expect(sessions.find('')).toBeNull();
  });

  it('is one of a hundred: the oldest makes room', () => {
    const { sessions } = keeper();
    const ids = Array.from({ length: 101 }, () => sessions.begin('Ada', 'hash'));
    expect(ids.filter((id) => sessions.find(id) === null)).toEqual([ids[0]]);
  });
});

describe('signing in', () => {
  it('takes its own form for an hour, and no other', () => {
    const { clock, sessions } = keeper();
    const form = sessions.signInForm();
    expect(sessions.isSignInForm(form)).toBe(true);
    expect(sessions.isSignInForm(form.replace(/^\d+/, '9999999999'))).toBe(false);
    expect(['', '.', 'a.b'].some((other) => sessions.isSignInForm(other))).toBe(false);
    clock.ms += 61 * MINUTE;
    expect(sessions.isSignInForm(form)).toBe(false);
  });

  it('is refused to an address with ten wrong tokens until the oldest are a quarter of an hour old', () => {
    const { clock, sessions } = keeper();
    for (let wrong = 0; wrong < 10; wrong++) {
      expect(sessions.mayTry('10.0.0.1')).toBe(true);
      sessions.wrong('10.0.0.1');
      clock.ms += 1000;
    }
    expect(sessions.mayTry('10.0.0.1')).toBe(false);
    expect(sessions.mayTry('10.0.0.2')).toBe(true);
    clock.ms += 15 * MINUTE - 9000;
    expect(sessions.mayTry('10.0.0.1')).toBe(true);
  });
});
