import { counted, roughBytes } from './amounts.ts';
import type { StatusReport } from './status.ts';

/**
 * The state of everything on one line, for a live display: what is collected, events so far, bytes on disk and sent,
 * and the gate with what keeps it shut. No colour, no line end.
 */
export function statusLine(report: StatusReport): string {
  const { collection, capture, spool, upload } = report;
  return [
    collection.state === 'blocked'
      ? `blocked (${collection.reasons[0]?.code ?? 'unknown'})`
      : collection.state,
    counted(capture.events.recorded, 'event'),
    `${roughBytes(spool.bytes)} on disk`,
    `${roughBytes(upload.sent.totalBytes)} sent`,
    gateWords(upload),
  ].join(' | ');
}

function gateWords(upload: StatusReport['upload']): string {
  if (upload.isSending) return 'gate open, sending';
  if (upload.gate === 'open') return 'gate open';
  return `gate closed: ${upload.blockers.map((blocker) => blocker.code).join(', ')}`;
}
