import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { publicStatus } from '../../src/core/status.ts';
import { run } from '../cli/run.ts';
import { REPO } from '../setup/checkout.ts';
import { APPROVED, CAPTURING, PAUSED, PENDING } from './reports.ts';
import { temporaryFolder } from './sockets.ts';
import { factsOf, schemasOf } from './type-schema.ts';

const { StatusReport: own = {}, PublicStatus: others = {} } = schemasOf(join(REPO, 'src/core/status.ts'), [
  'StatusReport',
  'PublicStatus',
]);

/** What earlier versions promised. `vitest -u` adds what is new, and takes nothing away. */
const PAST = join(REPO, 'test/control/status-facts.txt');

/** What scripts do with a value that is given to them: they take it or they break. */
const reader = z.fromJSONSchema(own as Parameters<typeof z.fromJSONSchema>[0]);

describe('the schema of telemetryctl status --json', () => {
  it('in docs/status.schema.json is what the types say', async () => {
    const document = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      title: 'telemetryctl status --json',
      description:
        'For the person, StatusReport; for any other account of the machine, PublicStatus. Fields and values are only ever added, so take what you do not know for what it is.',
      anyOf: [{ $ref: '#/$defs/StatusReport' }, { $ref: '#/$defs/PublicStatus' }],
      $defs: { StatusReport: own, PublicStatus: others },
    };
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(
      '../../docs/status.schema.json',
    );
  });

  it('keeps every promise of earlier versions', async () => {
    const now = [...factsOf(own), ...factsOf(others).map((fact) => `(others) ${fact}`)];
    const past = existsSync(PAST) ? readFileSync(PAST, 'utf8').trim().split('\n') : [];
    expect(past.filter((fact) => !now.includes(fact))).toEqual([]);
    const all = [...new Set([...past, ...now])].sort();
    await expect(`${all.join('\n')}\n`).toMatchFileSnapshot('status-facts.txt');
  });

  it('gives no null where earlier versions gave none: a reader would break', () => {
    const past = readFileSync(PAST, 'utf8').split('\n');
    const isOld = (field: string): boolean => past.some((fact) => fact.startsWith(`${field} `));
    const nullable = factsOf(own).filter(
      (fact) => fact.endsWith(' can be a null') && isOld(fact.split(' ')[0] ?? ''),
    );
    expect(nullable.length).toBeGreaterThan(10);
    for (const fact of nullable) expect(past).toContain(fact);
  });

  it.each([
    ['capturing', CAPTURING],
    ['paused, with exemptions', { ...PAUSED, exemptions: [PENDING, APPROVED] }],
  ])('fits what a daemon says that is %s', (_name, report) => {
    expect(reader.safeParse(report).error).toBeUndefined();
  });

  it('fits what the files say of a daemon that is down', async () => {
    const { out } = await run(['status', '--json'], { stateDir: temporaryFolder() });
    expect(reader.safeParse(JSON.parse(out)).error).toBeUndefined();
  });

  it('refuses a report that lacks a field or has one of another kind', () => {
    expect(reader.safeParse({ ...CAPTURING, cost: undefined }).success).toBe(false);
    expect(
      reader.safeParse({ ...CAPTURING, collection: { ...CAPTURING.collection, state: 'sleeping' } }).success,
    ).toBe(false);
  });

  it('tells others next to nothing', () => {
    expect(factsOf(others).map((fact) => fact.split(' ')[0])).not.toContain('capture');
    const restricted = z.fromJSONSchema(others as Parameters<typeof z.fromJSONSchema>[0]);
    expect(restricted.safeParse(publicStatus(CAPTURING)).error).toBeUndefined();
  });
});
