import { parse } from 'smol-toml';
import { z } from 'zod';
import { type FieldEntry, POLICY_ENTRIES } from '../core/policy-lattice.ts';
import { defaultRows } from './defaults.ts';
import { policyFileSchema } from './schema.ts';

/** `docs/policy.schema.json`: for editors that check and complete TOML files. Ends with a line end. */
export function policySchemaDocument(): string {
  const schema = z.toJSONSchema(policyFileSchema, {
    io: 'input',
    override: ({ jsonSchema, path }) => {
      const [, section, , key] = path;
      const row = path.length === 4 ? ROWS.get(`${String(section)}.${String(key)}`) : undefined;
      if (row === undefined) return;
      jsonSchema.description = `${row.label}. ${row.reason}`;
      if (!row.value.startsWith('(')) Object.assign(jsonSchema, { default: plainValue(row.value) });
    },
  });
  return `${JSON.stringify({ title: 'telemetryd policy', ...schema }, null, 2)}\n`;
}

/** `docs/policy.md`: every field, its default and the reason for it, and who may set it. Ends with a line end. */
export function policyDocument(): string {
  const rows = POLICY_ENTRIES.flatMap((entry) => tableRow(entry));
  return [
    '# The policy, field by field',
    '',
    'Generated from the code; a test keeps it current. `telemetryd check-policy FILE` checks a file and prints what is in',
    'force with it. `docs/policy.schema.json` lets an editor check and complete it.',
    '',
    'Durations are written `"90s"`, `"30m"`, `"1h30m"`, `"7d"`; sizes `"512MB"`, `"256KB"` or `"64MiB"`; rates',
    '`"256KB/s"`; shares `"1%"`; hours `"Mon-Fri 08:00-18:00; Sat 10:00-12:00"`, `""` for always, or `"never"`.',
    '',
    'The last column says whether a person’s `preferences.toml` may change it, which way, and what a change of the policy',
    'does to consent that was given: *less private* makes it stale, and capture stops until it is given again.',
    '',
    '| Field | Default | Why | Preferences; consent |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const ROWS = new Map(defaultRows().map((row) => [row.path, row]));

const STANDINGS: Readonly<Record<FieldEntry['standing'], string>> = {
  private: 'may be made more private; less private makes consent stale',
  stated: 'policy only; less private makes consent stale',
  fixed: 'policy only; another value makes consent stale, to give it up does not',
  operational: 'policy only; consent stands',
};

function tableRow({ path, standing }: FieldEntry): string[] {
  const row = ROWS.get(path ?? '');
  if (row === undefined) return [];
  return [`| \`${row.path}\` | \`${row.value}\` | ${row.label}. ${row.reason} | ${STANDINGS[standing]} |`];
}

function plainValue(toml: string): unknown {
  return parse(`value = ${toml}`)['value'];
}
