import { expect, it } from 'vitest';
import type { Catalog, SegmentRecord } from '../../src/collector/catalog.ts';
import { collect, newKey, sha256 } from './support.ts';

/** What every `Catalog` does. `make` gives one that has been started and is empty. */
export function catalogContract(make: () => Promise<Catalog>): void {
  it('finds what was added, as it was added', async () => {
    const catalog = await make();
    const ledgerHead = '0a'.repeat(32);
    const record = newRecord({ sizeBytes: 2 ** 40, receivedAtMs: 1_790_000_000_123, ledgerHead });
    expect(await catalog.find(record)).toBeNull();
    expect(await catalog.add(record)).toBe('added');
    expect(await catalog.find(record)).toEqual(record);
  });

  it('lets the first row of a key stand', async () => {
    const catalog = await make();
    const record = newRecord();
    await catalog.add(record);
    expect(await catalog.add({ ...record, sha256: sha256(Buffer.from('other')) })).toBe('exists');
    expect(await catalog.find(record)).toEqual(record);
  });

  it('adds one row when many add the same key at once', async () => {
    const catalog = await make();
    const record = newRecord();
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => catalog.add(record)));
    expect(outcomes.filter((outcome) => outcome === 'added')).toHaveLength(1);
    expect(await collect(catalog.list())).toEqual([record]);
  });

  it('lists by device and then segment, or one device only', async () => {
    const catalog = await make();
    const records = Array.from({ length: 20 }, () => newRecord());
    const first = records[0] ?? newRecord();
    records.push(newRecord({ device: first.device }), newRecord({ device: first.device }));
    await Promise.all(records.map((record) => catalog.add(record)));
    const inOrder = records.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
    expect(await collect(catalog.list())).toEqual(inOrder);
    expect(await collect(catalog.list({ device: first.device }))).toEqual(
      inOrder.filter((record) => record.device === first.device),
    );
    expect(await collect(catalog.list({ device: newKey().device }))).toEqual([]);
  });

  it('erases rows for good, says which it had, and says the same again', async () => {
    const catalog = await make();
    const [gone, stays] = [newRecord(), newRecord()];
    const { device } = gone;
    const never = newKey().segment;
    await Promise.all([catalog.add(gone), catalog.add({ ...stays, device })]);
    const erasure = { device, request: newKey().segment, segments: [gone.segment, never], atMs: 2000 };
    const outcome = { erased: [gone.segment], unknown: [never] };
    expect(await catalog.erase(erasure)).toEqual(outcome);
    expect(await catalog.erase(erasure)).toEqual(outcome);
    expect(await catalog.find(gone)).toBeNull();
    expect(await catalog.isErased(gone)).toBe(true);
    expect(await catalog.isErased({ device, segment: never })).toBe(true);
    expect(await catalog.isErased({ ...stays, device })).toBe(false);
    expect(await catalog.isErased({ device: stays.device, segment: gone.segment })).toBe(false);
    expect(await collect(catalog.list())).toEqual([{ ...stays, device }]);
  });

  it('erases what is being added at the same moment', async () => {
    const catalog = await make();
    const record = newRecord();
    const added = catalog.add(record);
    const { device, segment } = record;
    const erased = await catalog.erase({ device, request: segment, segments: [segment], atMs: 2000 });
    await added;
    expect(erased).toEqual({ erased: [segment], unknown: [] });
    expect(await catalog.find(record)).toBeNull();
  });

  it('neither announces nor adds what was erased, and adds what comes with it', async () => {
    const catalog = await make();
    const [gone, other] = [newRecord(), newRecord()];
    const { device, segment } = gone;
    expect(await catalog.announce(gone, 1000)).toBe('clear');
    await catalog.erase({ device, request: segment, segments: [segment], atMs: 2000 });
    expect(await catalog.announce(gone, 3000)).toBe('erased');
    expect(await Promise.all([catalog.add(gone), catalog.add(other)])).toEqual(['erased', 'added']);
    expect(await collect(catalog.list())).toEqual([other]);
  });

  it('refuses to add once it is stopped', async () => {
    const catalog = await make();
    await catalog.stop();
    await catalog.stop();
    await expect(catalog.add(newRecord())).rejects.toThrow('closed');
  });
}

export function newRecord(some: Partial<SegmentRecord> = {}): SegmentRecord {
  return { ...newKey(), sizeBytes: 5, sha256: sha256(Buffer.from('hello')), receivedAtMs: 1000, ...some };
}

function nameOf({ device, segment }: SegmentRecord): string {
  return `${device}/${segment}`;
}
