import { z } from 'zod';
import {
  destination,
  duration,
  fraction,
  hours,
  line,
  names,
  rate,
  recipients,
  schedule,
  size,
  wholeNumber,
  word,
  yesNo,
} from './schema-values.ts';

/**
 * A policy or preferences file: TOML names, values turned into the units of `core/policy.ts`. Strict: an unknown name
 * is an error. Loaded only by short-lived programs; it costs 8 MB.
 */
export const policyFileSchema = z.strictObject({
  capture: section({
    keys: word(['off', 'activity', 'shortcuts', 'full']),
    mouse_hz: wholeNumber(1, 1000, 'no mouse reports more than 1000 positions a second'),
    backend: word(['auto', 'x11', 'uiohook', 'evdev', 'replay']),
    hours: hours(),
    focus_unknown: word(['no-keys', 'block', 'record']),
    full_apps: names(),
  }),
  notice: section({
    controller: line(40),
    contact: line(40),
    purpose: line(80),
    basis: line(40),
    readers: line(40),
    server_retention: duration({
      least: '1h',
      most: '3650d',
      whyLeast: 'no collector deletes sooner',
      whyMost: 'ten years are as good as for ever',
    }),
  }),
  encrypt: section({ recipients: recipients() }),
  exclude: section({ apps: names(), titles: names() }),
  pause: section({
    max: duration({
      least: '30m',
      most: '30d',
      whyLeast: 'a policy can take away no pause of up to half an hour',
      whyMost: 'what lasts longer than a month is no pause',
    }),
  }),
  segment: section({
    roll: duration({
      least: '1s',
      most: '1h',
      whyLeast: 'shorter files cost more than they hold',
      whyMost: 'a loss or a purge would touch too much',
    }),
    flush: duration({
      least: '1s',
      most: '1m',
      whyLeast: 'writing more often would keep the disk awake',
      whyMost: 'a crash loses this much',
    }),
  }),
  spool: section({
    limit: size({
      least: '1MB',
      most: '100GB',
      whyLeast: 'there would be no room for a single file',
      whyMost: 'no laptop has that much to spare',
    }),
    retention: duration({
      least: '1m',
      most: '365d',
      whyLeast: 'nothing would live long enough to be sent',
      whyMost: 'what was not sent in a year will not be',
    }),
    keep_sent: duration({
      least: '0s',
      most: '365d',
      whyLeast: '',
      whyMost: 'it is a copy of what has left, not an archive',
    }),
  }),
  upload: section({
    url: destination(),
    power: word(['ac', 'any']),
    networks: z
      .array(word(['wifi', 'ethernet', 'cellular']), { error: 'must be a list such as ["wifi", "ethernet"]' })
      .max(3, { error: 'must name each kind of network once at most' }),
    metered: yesNo(),
    ssids: names(),
    hold_back: duration({
      least: '0s',
      most: '30d',
      whyLeast: '',
      whyMost: 'what waits longer than a month is never sent',
    }),
    daily_budget: size({
      least: '1KB',
      most: '10GB',
      whyLeast: 'not one file could be sent',
      whyMost: 'it bounds what a fault can cost',
    }),
    monthly_budget: size({
      least: '1KB',
      most: '100GB',
      whyLeast: 'not one file could be sent',
      whyMost: 'it bounds what a fault can cost',
    }),
    rate: rate({
      least: '1KB/s',
      most: '100MB/s',
      whyLeast: 'slower never finishes a file',
      whyMost: 'faster is no limit at all',
    }),
    schedule: schedule(),
    hours: hours(),
  }),
  exemptions: section({ while_pending: word(['withhold', 'pause']), recipients: recipients() }),
  limits: section({
    cpu: fraction({
      least: '0.1%',
      most: '100%',
      whyLeast: 'the programs could not run',
      whyMost: 'it is a share of one processor core',
    }),
    memory: size({
      least: '64MB',
      most: '4GB',
      whyLeast: 'the programs themselves need some 60 MB',
      whyMost: 'what needs more is broken',
    }),
  }),
});

/** What the schema makes of a file. */
export type PolicyFile = z.output<typeof policyFileSchema>;

/** Names a file may use: of sections, and of fields by section. */
export const FILE_NAMES: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(policyFileSchema.shape).map(([name, schema]) => [name, Object.keys(schema.unwrap().shape)]),
);

type Fields = Readonly<Record<string, z.ZodType>>;

/** A table of which every field may be left out. */
function section<const Shape extends Fields>(shape: Shape) {
  return z.strictObject(shape).partial().optional();
}
