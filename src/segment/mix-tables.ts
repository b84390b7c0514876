/** The limit of stretched probabilities, the logarithms of odds in 256ths. */
export const STRETCH_LIMIT = 2047;

/** Stretched probabilities from -2047 to 2047, at index 2048 + value, as probabilities in 65536ths. */
export const SQUASH: Int32Array = makeSquash();

/** Probabilities in 4096ths, stretched: the inverse of {@link SQUASH}. */
export const STRETCH: Int32Array = makeStretch();

/** How much of a slot's prediction counts, in 256ths, by its count: nothing when it was never used. */
export const TRUST: Int32Array = tableOf((count) => (2560 * count) / (10 * count + 6));

/** How far a slot's probability moves towards what happened, in 4096ths, by its count. */
export const RATE: Int32Array = tableOf((count) => 40960 / (10 * count + 17));

/** How fast a set of weights learns, by how often it was used: fast at first, a segment is short. */
export const STEP: Int32Array = tableOf((uses) => 8 + 3000 / (uses + 40));

/**
 * 65536 / (1 + e^(-d / 256)). The power is made step by step, each e^(-1/256) times the one before: less 1/256, plus
 * half of the square of that. Shifts and one division of integers, the same in every engine.
 */
function makeSquash(): Int32Array {
  const table = new Int32Array(4096);
  let power = 1 << 30;
  for (let d = 0; d <= STRETCH_LIMIT; d++) {
    const above = Math.trunc((1 << 30) / (((1 << 30) + power) >>> 16));
    table[2048 + d] = above;
    table[2048 - d] = 65536 - above;
    power = power - (power >> 8) + (power >> 17);
  }
  return table;
}

/** The least value whose probability is at least that of the middle of the 4096th, at most the limit. */
function makeStretch(): Int32Array {
  const table = new Int32Array(4096);
  let d = -STRETCH_LIMIT;
  for (let p = 0; p < table.length; p++) {
    while (d < STRETCH_LIMIT && (SQUASH[2048 + d] ?? 0) < 16 * p + 8) d++;
    table[p] = d;
  }
  return table;
}

/** Quotients of small integers, rounded down, which no engine gets wrong. */
function tableOf(entry: (index: number) => number): Int32Array {
  return Int32Array.from({ length: 1024 }, (_, index) => Math.floor(entry(index)));
}
