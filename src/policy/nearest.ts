/**
 * The known word that a mistyped one most likely stands for; `undefined` when none is near: a third of its letters may
 * be wrong, and two at least, so that `mouse-hz` finds `mouse_hz` and `colour` finds nothing.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > 60) return undefined;
  const near = known
    .map((candidate) => ({ candidate, distance: editDistance(fold(word), fold(candidate)) }))
    .filter(({ candidate, distance }) => distance <= Math.max(2, Math.floor(candidate.length / 3)))
    .filter(({ candidate, distance }) => distance < candidate.length);
  near.sort((left, right) => left.distance - right.distance);
  return near[0]?.candidate;
}

/** Case and the usual joints do not count: `mouseHz`, `mouse-hz` and `mouse_hz` are one word. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ .]/g, '');
}

/** Insertions, deletions and substitutions between two words (Levenshtein 1966), one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
