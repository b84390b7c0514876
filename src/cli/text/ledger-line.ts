import { counted, groupedCount, roughBytes } from '../../core/amounts.ts';
import { printable } from '../../core/printable.ts';
import type { LedgerEntry } from '../../privacy/ledger-entry.ts';
import { healthWords } from './health-words.ts';
import { localDay, localSeconds } from './moments.ts';

const TYPE_COLUMNS = 12;
const MARGIN = '  ';

/** An entry of the ledger for people: local time, type and what it says, then ids and whole hashes on lines of their own. */
export function ledgerLines(entry: LedgerEntry): string[] {
  const [text, ...details] = words(entry);
  const head = `${MARGIN}${localSeconds(new Date(entry.at))}  ${entry.type.padEnd(TYPE_COLUMNS)}${text ?? ''}`;
  return [head.trimEnd(), ...details.map((detail) => `${MARGIN.repeat(3)}${detail}`)].map(printable);
}

/** The local day of an entry, a heading: `2026-11-24, Tuesday`. */
export function ledgerDay(entry: LedgerEntry): string {
  const date = new Date(entry.at);
  if (Number.isNaN(date.getTime())) return 'Without a date';
  return `${localDay(date)}, ${WEEKDAYS[date.getDay()] ?? ''}`;
}

const SCOPES = { all: 'from everything', app: 'in one application', hours: 'in some hours' } as const;

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

function words(entry: LedgerEntry): string[] {
  switch (entry.type) {
    case 'captured': {
      const events = entry.events === null ? 'events not counted' : counted(entry.events, 'event');
      return [`${events}, ${roughBytes(entry.bytes)}, file ${entry.sequence}`, `segment ${entry.segment}`];
    }
    case 'withheld':
      return [`${entry.cause}, until ${entry.until}`];
    case 'purged':
      return [
        `${entry.scope}: ${counted(entry.events, 'event')}, ${counted(entry.segments, 'segment')}, ${roughBytes(entry.bytes)}`,
        `purge ${entry.purge}`,
      ];
    case 'erased':
      return [`${counted(entry.segments, 'segment')} at ${entry.destination}`, `purge ${entry.purge}`];
    case 'sent':
      return [
        `${roughBytes(entry.bytes)} to ${entry.destination}`,
        `segment ${entry.segment}`,
        `sha256 ${entry.sha256}`,
      ];
    case 'health':
      return [`${healthWords(entry)}, told to ${entry.destination}`];
    case 'dropped': {
      const events = entry.events === null ? '' : `, ${groupedCount(entry.events)} events`;
      return [`${roughBytes(entry.bytes)}${events}, by ${entry.cause}`, `segment ${entry.segment}`];
    }
    case 'quarantined':
      return [entry.why, `segment ${entry.segment}`];
    case 'consent':
      return [entry.change, `notice ${entry.notice}, receipt ${entry.receipt}`];
    case 'exemption':
      return [`${entry.change}, ${SCOPES[entry.scope]}`, `exemption ${entry.exemption}`];
    case 'policy':
      return [`${entry.policy} from ${entry.source}`];
    case 'started':
      return [`telemetryd ${entry.version}, ${entry.mode}`];
    case 'stopped':
      return [entry.cause];
    default:
      // Written by a later version: its fields are in --json.
      return [];
  }
}
