import type { RoundSegment, SegmentResult } from '../control/protocol.ts';
import { segmentPath } from '../core/destination.ts';
import { estimateCharge } from './charge.ts';
import { type OutboxFile, openOutboxFile, readPieces } from './outbox-file.ts';
import { contentDigest, judgeReply, keptForMs } from './reply-policy.ts';
import { sendSigned } from './send-signed.ts';
import type { Sending } from './sending.ts';

/** `gone`: there is no such file any more, as after a purge. `over-budget`: it would cost more than is left. */
export type Sent = SegmentResult | 'gone' | 'over-budget';

/** Sends one segment of the round, charging at most `leftBytes`, and says what became of it. Never rejects for what a server does. */
export async function sendSegment(segment: RoundSegment, leftBytes: number, sending: Sending): Promise<Sent> {
  const file = await openOutboxFile(sending.round.outboxDir, segment.file);
  if (file === 'gone') return 'gone';
  if (file === 'unacceptable') {
    return result(segment.id, '', 0, {
      outcome: 'refused',
      detail: 'not a readable, regular file of the outbox',
    });
  }
  try {
    const { link, destination } = sending;
    const line = { isConnected: link.isConnected, isSecure: destination.isSecure };
    if (estimateCharge(file.sizeBytes, line) > leftBytes) return 'over-budget';
    return await put(segment, file, sending);
  } finally {
    await file.handle.close();
  }
}

/** An error's message may quote what a server sent. */
const MAX_WHY_CHARACTERS = 200;

async function put({ id, about }: RoundSegment, file: OutboxFile, sending: Sending): Promise<SegmentResult> {
  const { link, destination, aborted, overdue, ports, round } = sending;
  const digest = file.sha256.toString('base64');
  const chargedBefore = link.chargedBytes;
  const { answer, proof } = await sendSigned(
    {
      method: 'PUT',
      path: segmentPath(destination, round.device, id, about),
      headers: {
        'Content-Type': 'application/octet-stream',
        'Content-Digest': contentDigest(digest),
        'Telemetry-Ledger-Head': round.ledgerHead,
      },
      sizeBytes: file.sizeBytes,
      body: (over) => paced(file, sending, over),
    },
    sending,
  );
  const charged = link.chargedBytes - chargedBefore;
  const sha256 = file.sha256.toString('hex');
  if (!('failure' in answer)) {
    const verdict = judgeReply(answer, digest, ports.wallMs());
    const kept = keptForMs(answer.body ?? '', answer.date, ports.wallMs());
    return result(id, sha256, charged, {
      ...verdict,
      ...(verdict.outcome === 'stored' && kept !== undefined ? { keptForMs: kept } : {}),
      ...(proof === null ? {} : { proof }),
    });
  }
  if (aborted.aborted)
    return result(id, sha256, charged, { outcome: 'aborted', detail: String(aborted.reason) });
  const why = overdue.aborted ? 'the round took too long' : answer.failure;
  return result(id, sha256, charged, {
    outcome: 'retry',
    detail: `no answer: ${why.slice(0, MAX_WHY_CHARACTERS)}`,
  });
}

/** The file at the round's rate. */
async function* paced(file: OutboxFile, { pace, ports }: Sending, over: AbortSignal): AsyncGenerator<Buffer> {
  for await (const piece of readPieces(file.handle, file.sizeBytes, pace.chunkBytes)) {
    await ports.sleep(pace.delayMs(piece.length, ports.monoMs()), over);
    yield piece;
  }
}

function result(
  id: string,
  sha256: string,
  chargedBytes: number,
  verdict: Pick<SegmentResult, 'outcome' | 'detail'> & Partial<SegmentResult>,
): SegmentResult {
  return { status: 0, retryAfterMs: null, ...verdict, id, sha256, chargedBytes };
}
