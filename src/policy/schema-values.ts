import cron from 'node-cron';
import { z } from 'zod';
import { parseDuration } from '../core/duration.ts';
import { isLoopbackUrl } from '../core/gate.ts';
import { parseHours } from '../core/hours.ts';
import { parseSize } from '../core/size.ts';
import { nearest } from './nearest.ts';

/**
 * The types of value that a policy file has, each checked and turned into the unit that the code uses. A message goes
 * after the field's path: `pause.max must be …`. `params.hint` says what to write instead.
 */

/** The bounds of a number, as a file would write them, and why they are there. */
export interface Bounds {
  readonly least: string;
  readonly most: string;
  readonly whyLeast: string;
  readonly whyMost: string;
}

const MAX_NAMES = 200;
const MAX_NAME_CHARACTERS = 200;
/**
 * Control characters, and those that reorder or hide text (Unicode Technical Report 36): these values are printed on
 * terminals and in the notice.
 */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]/u;

/** `"30m"` to milliseconds. */
export function duration(bounds: Bounds) {
  return measured('a length of time in quotes, such as "90s", "30m", "1h30m" or "7d"', bounds, parseDuration);
}

/** `"512MB"` to bytes. */
export function size(bounds: Bounds) {
  return measured('a size in quotes, such as "256KB", "512MB" or "64MiB"', bounds, parseSize);
}

/** `"256KB/s"` to bytes a second. */
export function rate(bounds: Bounds) {
  return measured('a rate in quotes, such as "256KB/s"', bounds, (text) =>
    text.endsWith('/s') ? parseSize(text.slice(0, -2)) : undefined,
  );
}

/** `"1%"` to a fraction. */
export function fraction(bounds: Bounds) {
  return measured('a share in quotes, such as "1%" or "0.5%"', bounds, (text) => {
    const match = /^(\d{1,3}(?:\.\d{1,2})?)%$/.exec(text);
    return match === null ? undefined : Number(match[1]) / 100;
  });
}

function measured(
  what: string,
  { least, most, whyLeast, whyMost }: Bounds,
  parse: (text: string) => number | undefined,
) {
  const [min = 0, max = Infinity] = [parse(least), parse(most)];
  return z.string({ error: `must be ${what}` }).transform((text, ctx) => {
    const value = parse(text.trim());
    if (value === undefined) return refuse(ctx, `must be ${what}, not ${quoted(text)}`, '');
    if (value < min) return refuse(ctx, `must be at least ${least}: ${whyLeast}`, `"${least}" or more`);
    if (value > max) return refuse(ctx, `must be at most ${most}: ${whyMost}`, `"${most}" or less`);
    return value;
  });
}

/** A whole number. */
export function wholeNumber(least: number, most: number, why: string) {
  const range = `must be a whole number from ${least} to ${most}`;
  return z
    .int({ error: range })
    .min(least, { error: `${range}: ${why}` })
    .max(most, { error: `${range}: ${why}` });
}

export function yesNo() {
  return z.boolean({ error: 'must be true or false, without quotes' });
}

/** One of some words. */
export function word<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: ({ input }) => {
      const guess = typeof input === 'string' ? nearest(input, words) : undefined;
      return `must be one of ${words.map(quoted).join(', ')}${guess === undefined ? '' : `; did you mean ${quoted(guess)}?`}`;
    },
  });
}

/** A line of text that is safe to print. */
export function line(maxCharacters: number) {
  return z
    .string({ error: 'must be text in quotes' })
    .max(maxCharacters, {
      error: `must be at most ${maxCharacters} characters, so that the notice fits one screen`,
    })
    .refine((text) => !UNPRINTABLE.test(text), {
      error: 'must be one line without control or invisible characters',
    });
}

/** A list of names, as people see them. */
export function names() {
  const what = 'must be a list of names in quotes, such as ["KeePassXC"]';
  const name = z
    .string({ error: 'must be a name in quotes' })
    .max(MAX_NAME_CHARACTERS, { error: `must be at most ${MAX_NAME_CHARACTERS} characters` })
    .refine((text) => text.trim() !== '', { error: 'must not be empty' })
    .refine((text) => !UNPRINTABLE.test(text), { error: 'must have no control or invisible characters' });
  return z.array(name, { error: what }).max(MAX_NAMES, { error: `must have at most ${MAX_NAMES} names` });
}

/** The public half of an age key (https://age-encryption.org/v1, X25519 recipients, Bech32). */
export function recipients() {
  const one = z
    .string({ error: 'must be an age recipient in quotes' })
    .regex(/^age1[02-9ac-hj-np-z]{20,2000}$/, {
      error: 'must be an age recipient: "age1…", as age-keygen prints it',
    });
  return z
    .array(one, { error: 'must be a list of age recipients, such as ["age1…"]' })
    .max(20, { error: 'must have at most 20 recipients' });
}

/** A spec of weekly hours. */
export function hours() {
  const what =
    'must be hours such as "Mon-Fri 08:00-18:00", several joined with ";", "" for always, or "never"';
  return z
    .string({ error: what })
    .max(500, { error: 'must be at most 500 characters' })
    .refine((spec) => parseHours(spec) !== undefined, { error: what });
}

/** A cron expression of five fields, or of six with seconds first (for a collector on this machine; see cross-checks). */
export function schedule() {
  const what = 'must be a cron expression of five fields, such as "*/15 * * * *"';
  return z.string({ error: what }).transform((text, ctx) => {
    const fields = text.trim().split(/\s+/);
    if (fields.length < 5 || fields.length > 6 || text.length > 200 || !cron.validate(text))
      return refuse(ctx, what, '');
    return fields.join(' ');
  });
}

/** The collector's address; `""` for none. */
export function destination() {
  return z
    .string({ error: 'must be an address in quotes, such as "https://collector.example.com"' })
    .transform((text, ctx) => {
      if (text === '') return '';
      const url = URL.parse(text);
      if (url === null || UNPRINTABLE.test(text) || text.length > 200 || !/^https?:\/\//i.test(text)) {
        return refuse(
          ctx,
          'must be an address such as "https://collector.example.com", at most 200 characters',
          '',
        );
      }
      if (url.username !== '' || url.password !== '') {
        return refuse(
          ctx,
          'must not carry a user name or password',
          'devices enrol and get keys of their own',
        );
      }
      if (url.search !== '' || url.hash !== '' || text.includes('?') || text.includes('#')) {
        return refuse(ctx, 'must have no ? or # part', `"${url.origin}${url.pathname}"`);
      }
      if (url.protocol === 'http:' && !isLoopbackUrl(text)) {
        return refuse(
          ctx,
          'must be https: http is for a collector on this machine only',
          `"https://${url.host}"`,
        );
      }
      return text.replace(/\/+$/, '');
    });
}

function refuse(ctx: z.RefinementCtx, message: string, hint: string): never {
  ctx.addIssue({ code: 'custom', message, params: hint === '' ? {} : { hint } });
  return z.NEVER;
}

/** What a file said, short enough for a message. */
function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
