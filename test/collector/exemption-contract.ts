import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { ExemptionAsk, ExemptionBook } from '../../src/collector/exemption-book.ts';

export function newAsk(fields: Partial<ExemptionAsk> = {}): ExemptionAsk {
  return {
    id: randomUUID(),
    device: randomUUID(),
    scope: 'all',
    askedAtMs: 1_790_000_000_000,
    untilMs: 1_790_600_000_000,
    reason: new TextEncoder().encode('age-encryption.org/v1\n…'),
    ...fields,
  };
}

const ADA = { verdict: 'approved', by: 'Ada', reason: '' } as const;
const GRACE = { verdict: 'denied', by: 'Grace', reason: 'ask again in May' } as const;

/** What every `ExemptionBook` does. `make` gives one that has been started and is empty, on a clock of the test's. */
export function exemptionContract(make: (wallMs: () => number) => Promise<ExemptionBook>): void {
  const book = () => make(() => 1_790_000_100_000);

  it('keeps a request once, however often it comes', async () => {
    const exemptions = await book();
    const ask = newAsk();
    expect(await exemptions.submit(ask)).toMatchObject({
      kind: 'kept',
      record: { ...ask, state: 'pending' },
    });
    expect(await exemptions.submit(ask)).toMatchObject({ kind: 'known', record: { state: 'pending' } });
    expect(await exemptions.list()).toHaveLength(1);
    expect((await exemptions.audit(ask.id)).map(({ action, by }) => `${action} ${by}`)).toEqual([
      'asked person',
    ]);
  });

  it('takes no other request under an id that is taken, and no word on it from another device', async () => {
    const exemptions = await book();
    const ask = newAsk();
    await exemptions.submit(ask);
    const other = { ...ask, device: randomUUID() };
    expect(await exemptions.submit(other)).toEqual({ kind: 'conflict' });
    expect(await exemptions.withdraw(other)).toEqual({ kind: 'conflict' });
    expect(await exemptions.submit({ ...ask, scope: 'app:Mail' })).toEqual({ kind: 'conflict' });
    expect(await exemptions.find(ask.id)).toMatchObject({
      device: ask.device,
      state: 'pending',
      scope: 'all',
    });
  });

  it('is told a decision once, by whom and when, and never another', async () => {
    const exemptions = await book();
    const ask = newAsk();
    expect(await exemptions.decide(ask.id, ADA)).toEqual({ kind: 'unknown' });
    await exemptions.submit(ask);
    expect(await exemptions.decide(ask.id, GRACE)).toMatchObject({
      kind: 'decided',
      record: {
        state: 'denied',
        decidedBy: 'Grace',
        decisionReason: GRACE.reason,
        decidedAtMs: 1_790_000_100_000,
      },
    });
    expect(await exemptions.decide(ask.id, ADA)).toMatchObject({
      kind: 'not-pending',
      record: { state: 'denied' },
    });
    expect(await exemptions.submit(ask)).toMatchObject({ kind: 'known', record: { state: 'denied' } });
    expect((await exemptions.audit(ask.id)).map(({ action, by }) => `${action} ${by}`)).toEqual([
      'asked person',
      'denied Grace',
    ]);
  });

  it('lets its author take back what is pending or approved, reason and all, but not what is denied', async () => {
    const exemptions = await book();
    const [pending, approved, denied] = [newAsk(), newAsk(), newAsk()];
    for (const ask of [pending, approved, denied]) await exemptions.submit(ask);
    await exemptions.decide(approved.id, ADA);
    await exemptions.decide(denied.id, GRACE);
    for (const ask of [pending, approved, denied]) await exemptions.withdraw({ ...ask, reason: null });
    const withdrawn = { state: 'withdrawn', reason: null };
    expect(await exemptions.find(pending.id)).toMatchObject(withdrawn);
    expect(await exemptions.find(approved.id)).toMatchObject(withdrawn);
    expect(await exemptions.find(denied.id)).toMatchObject({ state: 'denied' });
    expect(await exemptions.decide(pending.id, ADA)).toMatchObject({ kind: 'not-pending' });
    expect(await exemptions.list({ state: 'withdrawn' })).toHaveLength(2);
  });

  it('keeps what was taken back before it came, so that it cannot come later', async () => {
    const exemptions = await book();
    const ask = newAsk();
    await exemptions.withdraw(ask);
    expect(await exemptions.submit(ask)).toMatchObject({
      kind: 'known',
      record: { state: 'withdrawn', reason: null },
    });
  });

  it('erases reasons thirty days after the decision, and never who decided', async () => {
    let wallMs = 1_790_000_100_000;
    const exemptions = await make(() => wallMs);
    const [decided, waiting] = [newAsk(), newAsk()];
    for (const ask of [decided, waiting]) await exemptions.submit(ask);
    await exemptions.decide(decided.id, GRACE);
    wallMs += 30 * 86_400_000 - 1;
    expect(await exemptions.eraseOldReasons()).toBe(0);
    expect(await exemptions.find(decided.id)).toMatchObject({ reason: decided.reason });
    wallMs += 1;
    expect(await exemptions.eraseOldReasons()).toBe(1);
    expect(await exemptions.eraseOldReasons()).toBe(0);
    expect(await exemptions.find(decided.id)).toMatchObject({
      reason: null,
      decisionReason: '',
      decidedBy: 'Grace',
    });
    expect(await exemptions.find(waiting.id)).toMatchObject({ reason: waiting.reason });
    expect((await exemptions.audit(decided.id)).map(({ action }) => action)).toEqual([
      'asked',
      'denied',
      'reason-erased',
    ]);
  });
}
