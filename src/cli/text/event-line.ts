import type { EventRecord } from '../../core/events.ts';
import { localSeconds } from './moments.ts';

/** One event on a line: `14:02:03.120  down      100, 200  left`. Local time. */
export function eventLine(event: EventRecord): string {
  const at = `${event.x}, ${event.y}`;
  return `${clockTime(event.t)}  ${event.kind.padEnd(7)}  ${at.padStart(12)}  ${detail(event)}`.trimEnd();
}

function detail({
  kind,
  button,
  dx = 0,
  dy = 0,
  key,
  class: keyClass,
  mods = [],
  repeat,
}: EventRecord): string {
  switch (kind) {
    case 'move':
      return '';
    case 'down':
    case 'up':
      return button ?? '';
    case 'wheel':
      return `right ${dx}, down ${dy}`;
    case 'keydown':
    case 'keyup': {
      const name = [...mods, key ?? '(not recorded)'].join('+');
      return `${name}  ${keyClass ?? ''}${repeat === true ? '  repeat' : ''}`;
    }
  }
}

function clockTime(wallMs: number): string {
  const date = new Date(wallMs);
  return `${localSeconds(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
