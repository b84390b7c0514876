import { printable } from '../../core/printable.ts';

/** What a terminal shows without wrapping, whoever it belongs to. */
export const COLUMNS = 80;
const LABEL_COLUMNS = 13;

/** A labelled paragraph of a page: the label in the margin, lines wrapped beside it. */
export function row(label: string, ...paragraphs: readonly string[]): string {
  const lines = paragraphs.flatMap((paragraph) => wrap(paragraph, COLUMNS - LABEL_COLUMNS));
  return lines
    .map((line, at) => `${(at === 0 ? `  ${label}` : '').padEnd(LABEL_COLUMNS)}${line}`.trimEnd())
    .join('\n');
}

/** A list entry, its further lines under its first. */
export function bullet(text: string, indent = 2): string {
  const margin = ' '.repeat(indent);
  const lines = wrap(text, COLUMNS - indent - 2);
  return lines.map((line, at) => `${margin}${at === 0 ? '- ' : '  '}${line}`).join('\n');
}

/** A paragraph with a margin. */
export function paragraph(text: string, indent = 2): string {
  return wrap(text, COLUMNS - indent)
    .map((line) => `${' '.repeat(indent)}${line}`)
    .join('\n');
}

/** Breaks {@link printable} text at spaces; a word that is too long (a path) stands on a line of its own, whole, to be copied. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
