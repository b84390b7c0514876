import { expect, it } from 'vitest';
import type { Books } from '../../src/collector/books.ts';
import type { SegmentRecord } from '../../src/collector/catalog.ts';
import { newRecord } from './catalog-contract.ts';
import { collect, newKey } from './support.ts';

type UsedBooks = Pick<Books, 'catalog' | 'use' | 'retention' | 'readers'>;

const NOW = 1_790_000_000_000;
const DAY = 86_400_000;

/** A segment that may be used for a day from `NOW` on. */
function usableRecord(some: Partial<SegmentRecord> = {}): Required<Omit<SegmentRecord, 'ledgerHead'>> {
  const facts = { expiresAtMs: NOW + DAY, sequence: 7, receipt: newKey().segment };
  return { ...newRecord(), receivedAtMs: NOW, ...facts, ...some };
}

/** One of which something was not said. */
function without(fact: 'expiresAtMs' | 'sequence' | 'receipt'): SegmentRecord {
  return Object.fromEntries(
    Object.entries(usableRecord()).filter(([name]) => name !== fact),
  ) as unknown as SegmentRecord;
}

/** What every database does with what may be used, and for how long. `make` gives books that are started and empty. */
export function useContract(make: () => Promise<UsedBooks>): void {
  it('lists what may be used by device and segment, and says what it knows of it', async () => {
    const { catalog, use } = await make();
    const records = Array.from({ length: 5 }, () => usableRecord());
    await Promise.all(records.map((record) => catalog.add(record)));
    const expected = records.toSorted((a, b) =>
      `${a.device}/${a.segment}` < `${b.device}/${b.segment}` ? -1 : 1,
    );
    expect(await collect(use.usable(NOW))).toEqual(expected);
    const [first] = records;
    if (first === undefined) throw new Error('five were made');
    expect(await use.findUsable(first, NOW)).toEqual(first);
    expect(await collect(use.usable(NOW, NOW + 1))).toEqual([]);
  });

  it('uses nothing whose consent is not known, whose time is over or not decided, or that was erased', async () => {
    const { catalog, use } = await make();
    const noConsent = without('receipt');
    const noEnd = without('expiresAtMs');
    const over = usableRecord({ expiresAtMs: NOW });
    const erased = usableRecord();
    const unnumbered = without('sequence');
    await Promise.all([noConsent, noEnd, over, erased, unnumbered].map((record) => catalog.add(record)));
    const { device, segment } = erased;
    await catalog.erase({ device, request: newKey().segment, segments: [segment], atMs: NOW });
    expect(await collect(use.usable(NOW))).toEqual([{ ...unnumbered, sequence: null }]);
    for (const record of [noConsent, noEnd, over, erased])
      expect(await use.findUsable(record, NOW)).toBeNull();
  });

  it('uses nothing under a receipt from the moment it is withdrawn, of that device and no other', async () => {
    const { catalog, use } = await make();
    const gone = usableRecord();
    const other = usableRecord({ device: gone.device });
    const stranger = usableRecord({ receipt: gone.receipt });
    await Promise.all([gone, other, stranger].map((record) => catalog.add(record)));
    const withdrawal = {
      device: gone.device,
      request: newKey().segment,
      receipts: [gone.receipt],
      atMs: NOW + 5,
    };
    await use.withdraw(withdrawal);
    await use.withdraw({ ...withdrawal, atMs: NOW + 50 });
    expect(await use.isWithdrawn(gone.device, gone.receipt)).toBe(true);
    expect(await use.isWithdrawn(stranger.device, gone.receipt)).toBe(false);
    expect(await use.findUsable(gone, NOW)).toBeNull();
    expect(new Set(await collect(use.usable(NOW)))).toEqual(new Set([other, stranger]));
    const { device, segment } = gone;
    expect(await collect(use.dropped(NOW + 5))).toEqual([
      { device, segment, atMs: NOW + 5, why: 'withdrawn' },
    ]);
    expect(await collect(use.dropped(NOW + 6))).toEqual([]);
  });

  it('says what was dropped since when and why, and nothing of what never came', async () => {
    const { catalog, use, retention } = await make();
    const [deleted, expired] = [usableRecord(), usableRecord({ expiresAtMs: NOW + 10 })];
    await Promise.all([deleted, expired].map((record) => catalog.add(record)));
    const { device } = deleted;
    const segments = [deleted.segment, newKey().segment];
    await catalog.erase({ device, request: newKey().segment, segments, atMs: NOW + 5 });
    expect(await retention.expire(NOW + 20, 10)).toMatchObject([{ segment: expired.segment }]);
    const all = await collect(use.dropped(0));
    expect(new Set(all.map(({ segment, atMs, why }) => `${segment} ${atMs - NOW} ${why}`))).toEqual(
      new Set([`${deleted.segment} 5 deleted`, `${expired.segment} 20 expired`]),
    );
    expect(await collect(use.dropped(NOW + 6))).toMatchObject([{ segment: expired.segment }]);
  });

  it('expires what is over and no more than asked, for good, and knows the next', async () => {
    const { catalog, retention } = await make();
    const records = [1, 2, 3].map((ms) => usableRecord({ expiresAtMs: NOW + ms }));
    await Promise.all(records.map((record) => catalog.add(record)));
    const [first, second, third] = records;
    if (first === undefined || second === undefined || third === undefined)
      throw new Error('three were made');
    expect(await retention.nextExpiryMs()).toBe(NOW + 1);
    expect(await retention.expire(NOW, 10)).toEqual([]);
    expect(await retention.expire(NOW + 2, 1)).toMatchObject([{ segment: first.segment }]);
    expect(await retention.expire(NOW + 2, 10)).toMatchObject([{ segment: second.segment }]);
    expect([await catalog.isErased(first), await catalog.isErased(third)]).toEqual([true, false]);
    expect([await catalog.find(first), await catalog.find(third)]).toEqual([null, third]);
    expect(await retention.nextExpiryMs()).toBe(NOW + 3);
  });

  it('brings ends forward when things are kept shorter, and never back', async () => {
    const { catalog, retention } = await make();
    const [soon, late] = [
      usableRecord({ expiresAtMs: NOW + DAY }),
      usableRecord({ expiresAtMs: NOW + 9 * DAY }),
    ];
    const undecided = newRecord({ receivedAtMs: NOW });
    await Promise.all([soon, late, undecided].map((record) => catalog.add(record)));
    const ends = async (): Promise<(number | undefined)[]> =>
      Promise.all([soon, late, undecided].map(async (key) => (await catalog.find(key))?.expiresAtMs));
    expect(await retention.shorten(3 * DAY)).toBe(2);
    expect(await ends()).toEqual([NOW + DAY, NOW + 3 * DAY, NOW + 3 * DAY]);
    expect(await retention.shorten(365 * DAY)).toBe(0);
    expect(await ends()).toEqual([NOW + DAY, NOW + 3 * DAY, NOW + 3 * DAY]);
  });

  it('completes a row that was made from the bytes alone, and changes nothing that was said', async () => {
    const { catalog } = await make();
    const full = usableRecord();
    const { expiresAtMs, sequence, receipt, ...bare } = full;
    await catalog.add(bare);
    expect(await catalog.complete(bare, { expiresAtMs, sequence, receipt })).toEqual(full);
    const late = { expiresAtMs: expiresAtMs + 1, sequence: 8, receipt: newKey().segment };
    expect(await catalog.complete(bare, late)).toEqual(full);
    const sooner = { ...full, expiresAtMs: expiresAtMs - 1 };
    expect(await catalog.complete(bare, { expiresAtMs: expiresAtMs - 1 })).toEqual(sooner);
    expect(await catalog.find(bare)).toEqual(sooner);
    expect(await catalog.complete(newKey(), {})).toBeNull();
  });

  it('knows a reader by the hash of the token until it is revoked, and gives no name twice', async () => {
    const { readers } = await make();
    expect(await readers.add('ada', 'h1', NOW)).toBe(true);
    expect(await readers.add('ada', 'h2', NOW)).toBe(false);
    expect(await readers.nameOf('h1')).toBe('ada');
    expect(await readers.nameOf('h2')).toBeNull();
    expect([await readers.revoke('ada', NOW + 1), await readers.revoke('ada', NOW + 2)]).toEqual([
      true,
      false,
    ]);
    expect(await readers.nameOf('h1')).toBeNull();
    expect(await readers.add('ada', 'h3', NOW)).toBe(false);
    expect(await readers.list()).toEqual([{ name: 'ada', addedAtMs: NOW, revokedAtMs: NOW + 1 }]);
  });

  it('keeps who read what, in order', async () => {
    const { readers } = await make();
    const { device, segment } = newKey();
    const index = { atMs: NOW, reader: 'ada', what: 'index', device: null, segment: null } as const;
    const read = { atMs: NOW + 1, reader: 'bob', what: 'segment', device, segment } as const;
    await readers.note(index);
    await readers.note(read);
    expect(await collect(readers.accesses(0))).toEqual([index, read]);
    expect(await collect(readers.accesses(NOW + 1))).toEqual([read]);
  });
}
