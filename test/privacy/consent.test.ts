import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ConsentReply } from '../../src/control/protocol.ts';
import type { Policy } from '../../src/core/policy.ts';
import { mergePolicy, overlayPolicy, type PolicyPart, widenings } from '../../src/core/policy-lattice.ts';
import { DEFAULT_POLICY } from '../../src/policy/defaults.ts';
import { policyId } from '../../src/policy/policy-id.ts';
import {
  type ConsentReceipt,
  consentView,
  type Grant,
  grantConsent,
  type InForce,
  mayLeave,
  revokeConsent,
} from '../../src/privacy/consent.ts';
import { makeNotice } from '../../src/privacy/notice.ts';
import { anyPolicy } from '../core/policy-arbitrary.ts';

function inForce(policy: Policy): InForce {
  return { policy, policyId: policyId(policy), noticeId: makeNotice(policy).id };
}

function policyWith(part: PolicyPart): Policy {
  return overlayPolicy(DEFAULT_POLICY, part);
}

let count = 0;

function granted(policy: Policy, before: readonly ConsentReceipt[] = [], changes: Partial<Grant> = {}) {
  const grant: Grant = {
    id: `id-${count++}`,
    noticeId: inForce(policy).noticeId,
    via: 'terminal',
    ownerRecipient: `age1${'q'.repeat(58)}`,
    uid: 1000,
    wallMs: 1_750_000_000_000,
    ledgerHead: 'ab'.repeat(32),
    ...changes,
  };
  const outcome = grantConsent(before, grant, inForce(policy));
  if (outcome.kind !== 'granted') throw new Error('the notice changed');
  return outcome.receipts;
}

describe('consent', () => {
  test('is missing until someone grants it', () => {
    const now = inForce(DEFAULT_POLICY);
    expect(consentView([], now)).toEqual({
      state: 'missing',
      noticeId: now.noticeId,
      receipt: null,
      changes: [],
    });
  });

  test('is granted to the notice that is in force, and the receipt says by whom and how', () => {
    const policy = policyWith({ upload: { url: 'http://127.0.0.1:1' } });
    const receipts = granted(policy, [], { id: 'one', uid: 1234, via: 'script' });
    const view: ConsentReply = consentView(receipts, inForce(policy));
    expect(view).toEqual({
      state: 'granted',
      noticeId: inForce(policy).noticeId,
      changes: [],
      receipt: {
        id: 'one',
        noticeId: inForce(policy).noticeId,
        grantedAt: '2025-06-15T15:06:40.000Z',
        revokedAt: null,
        via: 'script',
        uid: 1234,
        destination: 'http://127.0.0.1:1',
      },
    });
  });

  test('is not granted to a notice that is no longer in force', () => {
    const shown = makeNotice(DEFAULT_POLICY).id;
    const now = inForce(policyWith({ capture: { mouseHz: 60 } }));
    const grant: Grant = {
      id: 'x',
      noticeId: shown,
      via: 'terminal',
      ownerRecipient: 'age1x',
      uid: 1,
      wallMs: 1,
      ledgerHead: 'ab'.repeat(32),
    };
    expect(grantConsent([], grant, now)).toEqual({ kind: 'notice-changed', noticeId: now.noticeId });
  });

  test('stands while the policy only gets more private', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (policy, wish) => {
        expect(consentView(granted(policy), inForce(mergePolicy(policy, wish))).state).toBe('granted');
      }),
    );
  });

  test('is stale exactly when something widened, and says what', () => {
    fc.assert(
      fc.property(anyPolicy, anyPolicy, (before, after) => {
        const { state, changes } = consentView(granted(before), inForce(after));
        expect(changes).toEqual(widenings(before, after));
        expect(state).toBe(changes.length === 0 ? 'granted' : 'stale');
      }),
    );
  });

  test('is not made stale by a widening that was undone', () => {
    const wide = policyWith({ capture: { keys: 'shortcuts', focusUnknown: 'record' } });
    const receipts = granted(DEFAULT_POLICY);
    expect(consentView(receipts, inForce(wide)).changes).toEqual([
      'Where the application in use is not known: was no-keys, is now record.',
    ]);
    expect(consentView(receipts, inForce(DEFAULT_POLICY)).state).toBe('granted');
  });

  test('to a narrow policy does not carry over from an earlier one to a wide policy', () => {
    const wide = policyWith({ capture: { focusUnknown: 'record' } });
    const receipts = granted(DEFAULT_POLICY, granted(wide));
    expect(consentView(receipts, inForce(wide)).state).toBe('stale');
  });

  test('is revoked until a later grant, whatever the clock says', () => {
    const revoked = revokeConsent(granted(DEFAULT_POLICY), 1_750_000_000_999.5);
    const now = inForce(DEFAULT_POLICY);
    expect(consentView(revoked, now)).toMatchObject({
      state: 'revoked',
      receipt: { revokedAt: '2025-06-15T15:06:40.999Z' },
    });
    expect(consentView(granted(DEFAULT_POLICY, revoked, { wallMs: 5 }), now).state).toBe('granted');
  });

  test('that was revoked stays so when the policy gets more private', () => {
    const revoked = revokeConsent(granted(DEFAULT_POLICY), 1);
    expect(consentView(revoked, inForce(policyWith({ capture: { keys: 'off' } }))).state).toBe('revoked');
  });

  test('revoking revokes every receipt that stands and leaves the others as they are', () => {
    const first = revokeConsent(granted(DEFAULT_POLICY), 1);
    const all = revokeConsent(granted(DEFAULT_POLICY, granted(DEFAULT_POLICY, first)), 2);
    expect(all.map(({ revokedAtWallMs }) => revokedAtWallMs)).toEqual([1, 2, 2]);
    expect(revokeConsent(all, 3)).toBe(all);
  });

  test('history only grows: grants and revocations change nothing but a revocation time', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 12 }), (steps) => {
        let receipts: readonly ConsentReceipt[] = [];
        for (const isGrant of steps) {
          const before = receipts;
          receipts = isGrant ? granted(DEFAULT_POLICY, before) : revokeConsent(before, 7);
          for (const [index, old] of before.entries()) {
            const { revokedAtWallMs, ...rest } = old;
            expect(receipts[index]).toMatchObject(rest);
            if (revokedAtWallMs !== null) expect(receipts[index]?.revokedAtWallMs).toBe(revokedAtWallMs);
          }
        }
      }),
    );
  });
});

describe('what was recorded', () => {
  const policy = policyWith({ upload: { url: 'http://127.0.0.1:1' } });

  test('leaves for the destination of its own receipt only', () => {
    const receipts = granted(policy, [], { id: 'mine' });
    expect(mayLeave(receipts, 'mine', 'http://127.0.0.1:1')).toBe(true);
    expect(mayLeave(receipts, 'mine', 'http://127.0.0.1:2')).toBe(false);
    expect(mayLeave(receipts, 'other', 'http://127.0.0.1:1')).toBe(false);
    expect(mayLeave(receipts, '', 'http://127.0.0.1:1')).toBe(false);
  });

  test('never leaves once its receipt is revoked, even when consent was granted again', () => {
    const receipts = granted(policy, revokeConsent(granted(policy, [], { id: 'old' }), 1), { id: 'new' });
    expect(mayLeave(receipts, 'old', 'http://127.0.0.1:1')).toBe(false);
    expect(mayLeave(receipts, 'new', 'http://127.0.0.1:1')).toBe(true);
  });

  test('under a receipt without a destination goes nowhere', () => {
    expect(mayLeave(granted(DEFAULT_POLICY, [], { id: 'none' }), 'none', '')).toBe(false);
  });
});
