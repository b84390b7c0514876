import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Log } from '../core/clock.ts';
import type { health, ready } from './api-schemas.ts';
import type { CollectorMetrics } from './collector-metrics.ts';
import { METRICS_TYPE, metricsText } from './metrics-text.ts';
import type { SegmentKeeper } from './put-segment.ts';
import type { Readiness } from './readiness.ts';

/** What they are answered from. */
export interface HealthParts {
  readonly keeper: SegmentKeeper;
  readonly readiness: Readiness;
  readonly metrics: CollectorMetrics;
  readonly freeBytes: (() => Promise<number>) | null;
  readonly connections: () => Promise<number>;
  readonly log: Log;
}

/** `GET /healthz`: that it answers at all is the point, so nothing that could be slow is asked. */
export function handleHealth(reply: FastifyReply, { keeper }: Pick<HealthParts, 'keeper'>): FastifyReply {
  const { admission, maxSegmentBytes } = keeper;
  const answer: z.infer<typeof health> = { ok: true, receiving: admission.active, maxSegmentBytes };
  return reply.send(answer);
}

/** `GET /readyz`: codes for whoever asks, words for the log. */
export async function handleReady(
  reply: FastifyReply,
  { readiness, log }: Pick<HealthParts, 'readiness' | 'log'>,
): Promise<FastifyReply> {
  const problems = await readiness.problems();
  if (problems.length > 0) log.warn({ problems }, 'not ready');
  const answer: z.infer<typeof ready> = {
    ready: problems.length === 0,
    reasons: problems.map(({ code }) => code),
  };
  return reply.code(answer.ready ? 200 : 503).send(answer);
}

/** `GET /metrics`. */
export async function handleMetrics(reply: FastifyReply, parts: HealthParts): Promise<FastifyReply> {
  return reply.type(METRICS_TYPE).send(await currentMetrics(parts));
}

/** The counts as text. */
export async function currentMetrics(parts: HealthParts): Promise<string> {
  const { keeper, readiness, metrics, freeBytes, connections } = parts;
  const families = metrics.families({
    receiving: keeper.admission.active,
    waiting: keeper.admission.waiting,
    connections: await connections(),
    // A disk that does not answer is told by readiness; the other counts are wanted then more than ever.
    diskFreeBytes: (await freeBytes?.().catch(() => null)) ?? null,
    isReady: (await readiness.problems()).length === 0,
  });
  return metricsText(families);
}

/** Through a proxy on this machine a request may come from anywhere. */
export function cameThroughProxy({ headers }: FastifyRequest): boolean {
  return ['forwarded', 'x-forwarded-for', 'via'].some((name) => headers[name] !== undefined);
}
