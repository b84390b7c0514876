import { counted, groupedCount } from '../../core/amounts.ts';
import type { KeyClass } from '../../core/events.ts';
import type { KeyTally } from '../activity.ts';

const CAPS: Readonly<Record<string, string>> = { ctrl: 'Ctrl', alt: 'Alt', shift: 'Shift', meta: 'Meta' };

/** `ctrl+KeyC` as one would say it: `Ctrl+C`. */
export function keyName(code: string): string {
  return code
    .split('+')
    .map((part) => CAPS[part] ?? part.replace(/^(Key|Digit)(?=.$)/, ''))
    .join('+');
}

/** Key presses in words: how many were kept as their class alone, and by which names the others. At most `names` of those. */
export function keyWords(keys: ReadonlyMap<KeyClass, KeyTally>, names: number): string[] {
  const tallies = [...keys.entries()].sort(([, a], [, b]) => totalOf(b) - totalOf(a));
  const masked = tallies.filter(([, tally]) => tally.masked > 0);
  const named = tallies.flatMap(([, tally]) => [...tally.named]).sort(([, a], [, b]) => b - a);
  const maskedCount = masked.reduce((sum, [, tally]) => sum + tally.masked, 0);
  const namedCount = named.reduce((sum, [, count]) => sum + count, 0);
  const kinds = masked.map(([keyClass, tally]) => `${groupedCount(tally.masked)} ${keyClass}`).join(', ');
  const shown = named.slice(0, names).map(([code, count]) => `${keyName(code)} ${groupedCount(count)}`);
  const rest = named.length > names ? `, and ${counted(named.length - names, 'other')}` : '';
  return [
    ...(maskedCount === 0 ? [] : [`${presses(maskedCount)} kept as a class alone: ${kinds}`]),
    ...(namedCount === 0 ? [] : [`${presses(namedCount)} kept by name: ${shown.join(', ')}${rest}`]),
  ];
}

function presses(count: number): string {
  return `${groupedCount(count)} ${count === 1 ? 'press' : 'presses'}`;
}

/** How often keys of a class were pressed. */
function totalOf({ masked, named }: KeyTally): number {
  return [...named.values()].reduce((sum, count) => sum + count, masked);
}
