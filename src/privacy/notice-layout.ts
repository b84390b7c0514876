/** The smallest usual terminal. */
const COLUMNS = 80;
const LINES = 24;
const LABEL_COLUMNS = 10;

/** A paragraph and its label. */
export type Labelled = readonly [label: string, text: string];

/**
 * One screen of text, 24 lines of 80 columns: a title, paragraphs with their labels in the margin, and some lines
 * as they are. The more there is to say the closer it is set, until the title and the paragraphs' own lines go; no
 * word of a paragraph is ever left out. Ends with a line end.
 */
export function layOut(title: string, paragraphs: readonly Labelled[], closing: readonly string[]): string {
  const airy = [title, '', ...paragraphs.flatMap(inMargin), '', ...closing];
  const plain = [title, ...paragraphs.flatMap(inMargin), ...closing];
  const sentences = paragraphs.map(([label, text]) => `${label}: ${text}`);
  const dense = [...sentences.flatMap((text) => wrap(text, COLUMNS)), ...closing];
  const running = [...wrap(sentences.join(' '), COLUMNS), ...closing];
  const lines = [airy, plain, dense].find((layout) => layout.length <= LINES) ?? running;
  return `${lines.join('\n')}\n`;
}

function inMargin([label, text]: Labelled): string[] {
  return wrap(text, COLUMNS - LABEL_COLUMNS).map(
    (line, index) => `${(index === 0 ? label : '').padEnd(LABEL_COLUMNS)}${line}`,
  );
}

/** Lines of at most `columns` characters, broken at spaces; a longer word is broken where the line ends. */
function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ +/).flatMap((whole) => pieces(whole, columns))) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function pieces(word: string, columns: number): string[] {
  const count = Math.max(1, Math.ceil(word.length / columns));
  return Array.from({ length: count }, (_, index) => word.slice(index * columns, (index + 1) * columns));
}
