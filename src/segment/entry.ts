/** The library `telemetryd/segment`: what programs other than ours read segment files with. */
export { TelemetryError } from '../core/errors.ts';
export {
  BUTTON,
  BUTTON_NAMES,
  type EventColumns,
  type EventRecord,
  KEY_CLASS,
  type KeyClass,
  KIND,
  KIND_NAMES,
  type KindName,
  type LossCounts,
  MOD,
  MOD_NAMES,
  type ModName,
  unpackKeyDetail,
} from '../core/events.ts';
export { KEY_CODES, keyCode } from '../core/keys.ts';
export { isEncryptedSegment, type OpenedSegment, type OpenOptions, openSegment } from './open-segment.ts';
export { READ_LIMITS, type ReadLimits } from './read.ts';
export type { ClockSync, Gap, Segment, SegmentFooter, SegmentHeader } from './types.ts';
