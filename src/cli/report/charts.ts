import { escaped } from '../../core/markup.ts';
import type { DayBytes } from './gather.ts';

/** A rectangle of a picture; all between 0 and 1, from the left and the bottom. */
export interface Bar {
  readonly from: number;
  readonly to: number;
  readonly height: number;
  readonly className: string;
}

/** Finer than any screen shows, coarse enough for short numbers. */
const WIDTH = 1440;
const HEIGHT = 100;

/**
 * A picture of bars that takes all the width there is. It holds no text, which would be stretched with it: labels stand
 * around it. `label` says in words what it shows, for whoever does not see it.
 */
export function bars(
  list: readonly Bar[],
  { label, className = '' }: { readonly label: string; readonly className?: string },
): string {
  const rects = list.map(({ from, to, height, className: of }) => {
    const x = from * WIDTH;
    // What is there is seen: at least a pixel of a phone.
    const width = Math.max((to - from) * WIDTH, MIN_WIDTH);
    const tall = height <= 0 ? 0 : Math.max(height * HEIGHT, MIN_HEIGHT);
    return `<rect class="${of}" x="${short(Math.min(x, WIDTH - width))}" y="${short(HEIGHT - tall)}" width="${short(width)}" height="${short(tall)}"/>`;
  });
  return `<svg class="bars ${className}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${escaped(label)}">${rects.join('')}</svg>`;
}

const MIN_WIDTH = 4;
const MIN_HEIGHT = 3;

function short(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** A picture with its name before it and what it comes to behind it, as a row of a grid. */
export function barRow(name: string, picture: string, value: string): string {
  return `<div class="row"><span class="name">${escaped(name)}</span>${picture}<span class="value">${escaped(value)}</span></div>`;
}

/** Words under a picture, spread over its width. */
export function axis(labels: readonly string[]): string {
  const words = labels.map((label) => `<span>${escaped(label)}</span>`).join('');
  return `<div class="row axis" aria-hidden="true"><span class="name"></span><span class="ticks">${words}</span><span class="value"></span></div>`;
}

/** Where in whole days a moment lies, from 0 to 1. */
export function placeIn(days: readonly DayBytes[]): (wallMs: number) => number {
  const fromMs = days[0]?.day.startMs ?? 0;
  const toMs = days.at(-1)?.day.endMs ?? 1;
  return (wallMs) => Math.min(1, Math.max(0, (wallMs - fromMs) / (toMs - fromMs)));
}

/** Whole days under a picture of them: each its weekday, and of more than a fortnight only where the days are. */
export function dayAxis(days: readonly DayBytes[]): string {
  const isMany = days.length > 15;
  const words = days.map(({ day }, at) => {
    const text = isMany ? (at % 7 === 0 ? day.label.slice(4) : '') : day.label.slice(0, 3);
    return `<span>${escaped(text)}</span>`;
  });
  return `<div class="days" aria-hidden="true">${words.join('')}</div>`;
}

/** What colours mean, with a word and a number for each. */
export function legend(entries: readonly { readonly className: string; readonly text: string }[]): string {
  const items = entries.map(
    ({ className, text }) => `<li><span class="swatch ${className}"></span>${escaped(text)}</li>`,
  );
  return `<ul class="legend">${items.join('')}</ul>`;
}
