/** What names a stored segment: the device's pseudonym and the segment's id, both UUIDs in lower case. */
export interface SegmentKey {
  readonly device: string;
  readonly segment: string;
}

/** Both in one word, `device/segment`: what sorts and compares as the key does. */
export function nameOf({ device, segment }: SegmentKey): string {
  return `${device}/${segment}`;
}

/** RFC 9562 section 4, any version; written in lower case, read in either. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The UUID in its canonical lower case; `undefined` when `text` is none. */
export function parseUuid(text: string): string | undefined {
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower : undefined;
}
