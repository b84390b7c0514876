/** What a person may ask of a collector. Each kind has one place at the collector and one handler in the daemon. */
export const REQUEST_KINDS = ['deletion', 'exemption'] as const;
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
export const REQUEST_PLACES: Readonly<Record<RequestKind, string>> = {
  deletion: 'deletions',
  exemption: 'exemptions',
};

/** Whether a text names a kind of request. */
export function isRequestKind(text: unknown): text is RequestKind {
  return REQUEST_KINDS.some((kind) => kind === text);
}
