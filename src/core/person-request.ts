/** What a person may ask of a collector. Each kind has one place at the collector and one handler in the daemon. */
export const REQUEST_KINDS = ['deletion', 'exemption', 'withdrawal'] as const;
export type RequestKind = (typeof REQUEST_KINDS)[number];

/**
 * Something a person asks of a collector: kept until it is settled, and sent on any network at once, because it is tiny
 * and the person's own. The collector may see it more than once and does it once, by `id`.
 */
export interface PersonRequest {
  /** A UUID of version 7. */
  readonly id: string;
  readonly kind: RequestKind;
  /** The collector's address: the destination of a receipt. */
  readonly destination: string;
  /** The pseudonym it is asked for. */
  readonly device: string;
  /** What is asked; with `request`, the id, it is what the collector gets. */
  readonly body: Readonly<Record<string, unknown>>;
  /** ISO 8601 UTC. */
  readonly createdAt: string;
}

/** Where a kind of request is posted, below `/v1/devices/{device}/`. */
const REQUEST_PLACES: Readonly<Record<RequestKind, string>> = {
  deletion: 'deletions',
  exemption: 'exemptions',
  withdrawal: 'withdrawals',
};

/** The path that a request is posted to, below the collector's address. */
export function requestPath({ device, kind }: PersonRequest): string {
  return `/v1/devices/${device}/${REQUEST_PLACES[kind]}`;
}

/** What is posted; signed, so the same each time. */
export function requestBody({ id, body }: PersonRequest): string {
  return JSON.stringify({ ...body, request: id });
}

/** Whether a text names a kind of request. */
export function isRequestKind(text: unknown): text is RequestKind {
  return REQUEST_KINDS.some((kind) => kind === text);
}
