import { VERSION } from '../core/version.ts';
import { type Family, Histogram, LabelledCounter } from './metrics-text.ts';
import type { PutOutcome } from './put-segment.ts';

/** Where a request went, as a word. */
export type RouteWord = 'segments' | 'deletions' | 'exemptions' | 'enrol' | 'other';
/** Why a request was answered before anyone looked at what it wanted. */
export type TurnedAway = 'draining' | 'rate' | 'signature';

/** What is read when somebody asks. */
export interface Gauges {
  readonly receiving: number;
  readonly waiting: number;
  readonly connections: number;
  /** `null` where the store is no disk of this machine. */
  readonly diskFreeBytes: number | null;
  readonly isReady: boolean;
}

/** From a hit in the page cache to a body that takes as long as it may. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 600];

const PREFIX = 'telemetry_collector_';

/** What the collector counts of itself since it started. */
export class CollectorMetrics {
  readonly #requests = new LabelledCounter<`${RouteWord} ${number}`>();
  readonly #segments = new LabelledCounter<PutOutcome['kind']>();
  readonly #turnedAway = new LabelledCounter<TurnedAway>();
  readonly #seconds = new Histogram(SECONDS);
  readonly #startedAtMs: number;
  #keptBytes = 0;

  constructor(startedAtMs: number) {
    this.#startedAtMs = startedAtMs;
  }

  answered(route: RouteWord, status: number, seconds: number): void {
    this.#requests.add(`${route} ${status}`);
    if (route === 'segments') this.#seconds.observe(seconds);
  }

  segment(outcome: PutOutcome): void {
    this.#segments.add(outcome.kind);
    if (outcome.kind === 'created') this.#keptBytes += outcome.record.sizeBytes;
  }

  turnedAway(why: TurnedAway): void {
    this.#turnedAway.add(why);
  }

  /** How many requests were refused, by status. */
  refusals(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const { labels, value } of this.#requests.samples('both')) {
      const status = Number(labels?.['both']?.split(' ')[1]);
      if (status >= 400) counts.set(status, (counts.get(status) ?? 0) + value);
    }
    return counts;
  }

  families(gauges: Gauges): Family[] {
    const requests = this.#requests.samples('both').map(({ labels, value }) => {
      const [route = '', status = ''] = (labels?.['both'] ?? '').split(' ');
      return { labels: { route, status }, value };
    });
    const { diskFreeBytes } = gauges;
    return [
      counter('requests_total', 'Requests answered.', requests),
      counter(
        'segments_total',
        'Segments that were sent here, by what became of them.',
        this.#segments.samples('outcome'),
      ),
      counter('segment_bytes_total', 'Bytes of the segments that were kept.', [{ value: this.#keptBytes }]),
      counter(
        'turned_away_total',
        'Requests answered before they were read.',
        this.#turnedAway.samples('why'),
      ),
      {
        name: `${PREFIX}segment_duration_seconds`,
        help: 'From the head of a segment’s request to the end of its answer.',
        type: 'histogram',
        samples: this.#seconds.samples(),
      },
      gauge('bodies_in_flight', 'Segments being received.', gauges.receiving),
      gauge(
        'retry_line',
        'Clients that were told to come again and are not back, an estimate.',
        gauges.waiting,
      ),
      gauge('connections', 'Open connections.', gauges.connections),
      gauge('ready', '1: it takes segments.', gauges.isReady ? 1 : 0),
      ...(diskFreeBytes === null
        ? []
        : [gauge('disk_free_bytes', 'Room on the disk of the data folder.', diskFreeBytes)]),
      gauge('start_time_seconds', 'When it started, since the Unix epoch.', this.#startedAtMs / 1000),
      {
        name: `${PREFIX}build_info`,
        help: 'Always 1; the label says which version this is.',
        type: 'gauge',
        samples: [{ labels: { version: VERSION }, value: 1 }],
      },
    ];
  }
}

function counter(name: string, help: string, samples: Family['samples']): Family {
  return { name: PREFIX + name, help, type: 'counter', samples };
}

function gauge(name: string, help: string, value: number): Family {
  return { name: PREFIX + name, help, type: 'gauge', samples: [{ value }] };
}
