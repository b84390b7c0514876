import { KIND, packKeyDetail } from '../../../src/core/events.ts';
import { keyId } from '../../../src/core/keys.ts';
import { encodeFrame } from '../../../src/segment/frames.ts';
import { encodeHeader } from '../../../src/segment/header.ts';
import { encodeClockSync, encodeGap, encodeLoss } from '../../../src/segment/marks.ts';
import { sealSegment } from '../../../src/segment/seal.ts';
import { concat, deskRows, HEADER, journalOf, type Row } from '../samples.ts';

/** Every kind of event, every code of the layout, every width of number. */
const EVERYTHING: readonly Row[] = [
  [5000, KIND.move, 100, 200, 0, 0],
  [5008, KIND.move, 103, 199, 0, 0],
  [5016, KIND.move, 106, 198, 0, 0],
  [5024, KIND.move, 120, 150, 0, 0],
  [5032, KIND.move, 800, 150, 0, 0],
  [5040, KIND.move, -30_000, 2_000_000_000, 0, 0],
  [5048, KIND.move, 500, 500, 0, 0],
  [5048, KIND.move, 501, 501, 7, -7],
  [5100, KIND.down, 501, 501, 1, 0],
  [5190, KIND.up, 501, 501, 1, 0],
  [5200, KIND.down, 502, 500, 1, 0],
  [5290, KIND.up, 510, 490, 1, 0],
  [5300, KIND.down, 510, 490, 2, 0],
  [5400, KIND.up, 511, 490, 2, 0],
  [5401, KIND.down, 511, 490, 9, 0],
  [5500, KIND.wheel, 511, 490, 0, 1],
  [5510, KIND.wheel, 511, 490, 0, -1],
  [5520, KIND.wheel, 511, 490, -3, 120],
  [5530, KIND.wheel, 512, 491, 0, 1],
  [5700, KIND.keydown, 512, 491, 0, 0],
  [5700, KIND.keyup, 512, 491, 0, 0],
  [6000, KIND.keydown, 512, 491, keyId('ArrowDown'), packKeyDetail('navigation', false, 0)],
  [6300, KIND.keydown, 512, 491, keyId('ArrowDown'), packKeyDetail('navigation', true, 0)],
  [6330, KIND.keyup, 512, 491, keyId('ArrowDown'), packKeyDetail('navigation', false, 0)],
  [6400, KIND.keydown, 512, 491, keyId('ControlLeft'), packKeyDetail('modifier', false, 2)],
  [6450, KIND.keydown, 512, 491, keyId('KeyC'), packKeyDetail('text', false, 2)],
  [6460, KIND.keyup, 512, 491, keyId('ControlLeft'), packKeyDetail('modifier', false, 2)],
  [6470, KIND.keyup, 512, 491, keyId('KeyC'), packKeyDetail('text', false, 0)],
  [6480, KIND.move, 513, 491, 0, 0],
  [9000, KIND.move, 514, 491, 0, 0],
  [99_000, KIND.move, 515, 491, 0, 0],
];

const marks = concat(
  encodeGap({ kind: 'withheld', startMonoMs: 10_000, endMonoMs: 40_000 }),
  encodeClockSync({ monoMs: 40_000, wallMs: HEADER.startWallMs + 35_250 }),
  encodeGap({ kind: 'asleep', startMonoMs: 50_000, endMonoMs: 60_000 }),
  encodeLoss({ thinned: 300, redacted: 2, dropped: 0 }),
  encodeFrame(200, Uint8Array.of(1, 2, 3)),
  encodeGap({ kind: 'stopped', startMonoMs: 70_000, endMonoMs: 70_000 }),
  encodeGap({ kind: 'crashed', startMonoMs: 80_000, endMonoMs: 80_000 }),
  encodeLoss({ thinned: 1, redacted: 1, dropped: 4 }),
);

/** Steady motion, which is paired along the columns. */
const steady = Array.from({ length: 300 }, (_, i): Row => {
  const phase = i % 64;
  return [20_000 + 2 * i + (i % 9 === 0 ? 1 : 0), KIND.move, 400 + i + ((phase * phase) >> 9), 300 + (i >> 1), 0, 0];
});

/** A hand under a clock that ticks every 15.6001 ms; one time is off, and keys come on no tick. */
const ticked = deskRows(200, 9).map(([t, kind, ...rest], i): Row => {
  const ticks = Math.floor((Math.round(t / 13) * 156_001) / 10_000);
  return [kind < KIND.keydown ? ticks + (i === 60 ? 2 : 0) : ticks - (ticks % 100), kind, ...rest];
});

const journal = concat(journalOf(EVERYTHING.slice(0, 21), EVERYTHING.slice(21)), marks);
const simulated = encodeHeader({
  ...HEADER,
  receiptId: 'c0ffee00-0000-4000-8000-000000000002',
  device: 'demo',
  backend: 'replay',
  coordinates: 'relative',
  screens: [],
  simulated: true,
});

/** The golden files by name, as today's writer makes them. */
export const GOLDEN_FILES: Readonly<Record<string, Uint8Array>> = {
  journal,
  torn: journal.subarray(0, journal.length - 3),
  sealed: sealSegment(journal).bytes,
  'sealed-desk': sealSegment(journalOf(deskRows(200))).bytes,
  'sealed-along': sealSegment(journalOf(steady)).bytes,
  'sealed-mix': sealSegment(journal, 'smallest').bytes,
  'sealed-mix-desk': sealSegment(journalOf(deskRows(200)), 'smallest').bytes,
  'sealed-mix-ticks': sealSegment(journalOf(ticked), 'smallest').bytes,
  'sealed-empty': sealSegment(simulated).bytes,
};
