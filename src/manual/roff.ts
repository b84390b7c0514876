/** Text as roff takes it literally: no escapes, no requests, and characters beyond ASCII by their number. */
export function literal(text: string): string {
  const escaped = text
    .replaceAll('\\', String.raw`\e`)
    .replaceAll('-', String.raw`\-`)
    .replace(/[^\n -~]/gu, (character) => {
      const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
      return String.raw`\[u${hex.padStart(4, '0')}]`;
    });
  return escaped.replace(/^(?=[.'])/gm, String.raw`\&`);
}

/** A paragraph, filled by the formatter. */
export function filled(text: string): string {
  return literal(text.replaceAll(/\s*\n\s*/g, ' ').trim());
}

/** The argument of a request, in quotes. */
export function argument(text: string): string {
  return `"${literal(text).replaceAll('"', String.raw`\(dq`)}"`;
}

/** Lines that stay as they are, as on a terminal. */
export function asTyped(lines: readonly string[]): string[] {
  return ['.RS 4', '.nf', ...lines.map(literal), '.fi', '.RE'];
}
