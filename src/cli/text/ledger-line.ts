import { counted, groupedCount, roughBytes } from '../../core/amounts.ts';
import type { LedgerEntry } from '../../privacy/ledger-entry.ts';
import { printable } from './layout.ts';

/** An entry of the ledger on one line: its time in UTC as recorded, its type, and what it says. */
export function ledgerLine(entry: LedgerEntry): string {
  const at = `${entry.at.slice(0, 10)} ${entry.at.slice(11, 19)}Z`;
  return printable(`${at}  ${entry.type.padEnd(11)}  ${words(entry)}`).trimEnd();
}

const SCOPES = { all: 'from everything', app: 'in one application', hours: 'in some hours' } as const;

function words(entry: LedgerEntry): string {
  switch (entry.type) {
    case 'captured':
      return `${entry.events === null ? 'events not counted' : counted(entry.events, 'event')}, ${roughBytes(entry.bytes)}, segment ${entry.sequence} (${entry.segment})`;
    case 'withheld':
      return `${entry.cause}, until ${entry.until}`;
    case 'purged':
      return `${entry.scope}: ${counted(entry.events, 'event')}, ${counted(entry.segments, 'segment')}, ${roughBytes(entry.bytes)} (purge ${entry.purge})`;
    case 'erased':
      return `${counted(entry.segments, 'segment')} at ${entry.destination} (purge ${entry.purge})`;
    case 'sent':
      return `${roughBytes(entry.bytes)} to ${entry.destination} (${entry.segment}, SHA-256 ${entry.sha256.slice(0, 16)}…)`;
    case 'dropped': {
      const events = entry.events === null ? '' : `, ${groupedCount(entry.events)} events`;
      return `${roughBytes(entry.bytes)}${events}, by ${entry.cause} (${entry.segment})`;
    }
    case 'quarantined':
      return `${entry.segment}: ${entry.why}`;
    case 'consent':
      return `${entry.change}, notice ${entry.notice}, receipt ${entry.receipt}`;
    case 'exemption':
      return `${entry.change}, ${SCOPES[entry.scope]} (${entry.exemption})`;
    case 'policy':
      return `${entry.policy} from ${entry.source}`;
    case 'started':
      return `telemetryd ${entry.version}, ${entry.mode}`;
    case 'stopped':
      return entry.cause;
    default:
      // Written by a later version: its fields are in --json.
      return '';
  }
}
