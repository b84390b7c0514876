import type { Round, SegmentResult } from '../control/protocol.ts';
import type { Sent } from './send-segment.ts';

/** How the round reaches the world. */
export interface RoundPorts {
  /** Sends one segment for at most `leftBytes`. */
  send(segment: Round['segments'][number], leftBytes: number): Promise<Sent>;
  /** Tells the daemon; resolves once it has written the result down. */
  report(result: SegmentResult): Promise<void>;
}

/**
 * Sends the round's segments one after the other, each result written down by the daemon before the next begins: then
 * no crash of ours can cost more than one repeated file. Stops at the first that does not go through, as the next
 * would not either, and before the budget is exceeded; what was not sent stays in the outbox. `done`: nothing is left.
 */
export async function runRound(
  round: Round,
  ports: RoundPorts,
  aborted: AbortSignal,
): Promise<'done' | 'partly'> {
  let leftBytes = round.budgetBytes;
  let isAllStored = true;
  for (const segment of round.segments) {
    if (aborted.aborted) return 'partly';
    const sent = await ports.send(segment, leftBytes);
    if (sent === 'gone') continue;
    if (sent === 'over-budget') return 'partly';
    leftBytes -= sent.chargedBytes;
    await ports.report(sent);
    if (sent.outcome !== 'stored' && sent.outcome !== 'refused') return 'partly';
    if (sent.outcome === 'refused') isAllStored = false;
  }
  return isAllStored ? 'done' : 'partly';
}

const ROUND_BASE_MS = 60_000;
/** A line that gives a quarter of the allowed rate still gets through; a slower one tries again in the next round. */
const SLOWNESS = 4;
/** Rounds come at most hourly by default; two at once make no sense. */
const ROUND_CAP_MS = 3_600_000;

/**
 * How long a round may take. It bounds what the limits on single replies do not: a server that sends a byte now and
 * then for ever.
 */
export function roundLimitMs(round: Round): number {
  const sizeBytes = round.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  return Math.min(ROUND_CAP_MS, ROUND_BASE_MS + SLOWNESS * 1000 * (sizeBytes / round.rateBytesPerSecond));
}
