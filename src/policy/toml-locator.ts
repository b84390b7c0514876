/** A place in a text, both counted from 1; columns in UTF-16 units, as the parser and most editors count them. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** A stretch of a text, in UTF-16 units: from `start` up to but without `end`. */
export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Where the things of a TOML document stand: of each key, and of each value. */
export interface TomlPlaces {
  /** The place of a value, or of the nearest thing around it that the text has. */
  ofValue(path: readonly PropertyKey[]): Place;
  /** The place where a key or table is first named. */
  ofKey(path: readonly PropertyKey[]): Place;
  /** Whether the text itself names this path. */
  has(path: readonly PropertyKey[]): boolean;
  /** Where a value stands; `undefined` for what the text does not have. */
  stretchOfValue(path: readonly PropertyKey[]): Stretch | undefined;
  /** Behind the `]` of `[path]`, where its keys may begin; `undefined` without such a header. */
  headerEnd(path: readonly PropertyKey[]): number | undefined;
}

/**
 * Finds where the keys and values of a TOML document stand. The text must be one that the TOML parser took: this
 * reads the layout only (https://toml.io/en/v1.0.0) and checks nothing.
 */
export function locateToml(text: string): TomlPlaces {
  const scanner = new TomlScanner(text);
  scanner.scan();
  const { keys, values, headers } = scanner;
  return {
    ofKey: (path) => nearestPlace(text, keys, path),
    ofValue: (path) => {
      const stretch = values.get(pathKey(path));
      return stretch === undefined ? nearestPlace(text, keys, path) : placeAt(text, stretch.start);
    },
    has: (path) => keys.has(pathKey(path)),
    stretchOfValue: (path) => values.get(pathKey(path)),
    headerEnd: (path) => headers.get(pathKey(path)),
  };
}

/** The line and column of an offset. */
function placeAt(text: string, offset: number): Place {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}

function nearestPlace(text: string, keys: ReadonlyMap<string, number>, path: readonly PropertyKey[]): Place {
  for (let length = path.length; length > 0; length--) {
    const offset = keys.get(pathKey(path.slice(0, length)));
    if (offset !== undefined) return placeAt(text, offset);
  }
  return { line: 1, column: 1 };
}

function pathKey(path: readonly PropertyKey[]): string {
  return JSON.stringify(path.map(String));
}

/** One pass over the text, noting the offset of every key and value by its path. */
class TomlScanner {
  readonly keys = new Map<string, number>();
  readonly values = new Map<string, Stretch>();
  readonly headers = new Map<string, number>();
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    let table: string[] = [];
    const rows = new Map<string, number>();
    for (;;) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) return;
      if (this.#peek() === '[') table = this.#readHeader(rows);
      else this.#readPair(table);
    }
  }

  /** `[a.b]` or `[[a.b]]`; returns the path of what follows. */
  #readHeader(rows: Map<string, number>): string[] {
    const isRow = this.#text.startsWith('[[', this.#at);
    this.#at += isRow ? 2 : 1;
    this.#skipBlank();
    const path = this.#readKey([]);
    this.#skipBlank();
    this.#at += isRow ? 2 : 1;
    if (!isRow) {
      this.headers.set(pathKey(path), this.#at);
      return path;
    }
    const row = rows.get(pathKey(path)) ?? 0;
    rows.set(pathKey(path), row + 1);
    return [...path, String(row)];
  }

  #readPair(table: readonly string[]): void {
    const path = this.#readKey(table);
    this.#skipBlank();
    this.#at++; // =
    this.#skipBlank();
    this.#readValue(path);
  }

  /** A dotted key; each of its parts names a table on the way. */
  #readKey(table: readonly string[]): string[] {
    const path = [...table];
    for (;;) {
      const start = this.#at;
      path.push(this.#readKeyPart());
      this.#noteKey(path, start);
      this.#skipBlank();
      if (this.#peek() !== '.') return path;
      this.#at++;
      this.#skipBlank();
    }
  }

  #readKeyPart(): string {
    const start = this.#at;
    if (this.#peek() === '"') {
      this.#skipString();
      return unescape(this.#text.slice(start + 1, this.#at - 1));
    }
    if (this.#peek() === "'") {
      this.#skipString();
      return this.#text.slice(start + 1, this.#at - 1);
    }
    // A part is never empty in a text that was taken; the step is for texts that were not.
    this.#at += Math.max(1, this.#matchHere(/[^\s.=\]#"']*/y).length);
    return this.#text.slice(start, this.#at);
  }

  #readValue(path: readonly string[]): void {
    const start = this.#at;
    this.#skipValue(path);
    // The first counts, as with keys.
    if (!this.values.has(pathKey(path))) this.values.set(pathKey(path), { start, end: this.#at });
  }

  #skipValue(path: readonly string[]): void {
    switch (this.#peek()) {
      case '"':
      case "'":
        this.#skipString();
        break;
      case '[':
        this.#readItems(']', (index) => {
          this.#readValue([...path, String(index)]);
        });
        break;
      case '{':
        this.#readItems('}', () => {
          this.#readPair(path);
        });
        break;
      default:
        this.#at += Math.max(1, this.#matchHere(/[^\n\r,\]}#]*/y).length);
    }
  }

  #readItems(end: string, readItem: (index: number) => void): void {
    this.#at++;
    for (let index = 0; ; ) {
      this.#skipBlank();
      if (this.#at >= this.#text.length) return;
      if (this.#peek() === end) {
        this.#at++;
        return;
      }
      if (this.#peek() === ',') {
        this.#at++;
        continue;
      }
      readItem(index++);
    }
  }

  #skipString(): void {
    const quote = this.#peek();
    const isLiteral = quote === "'";
    const isLong = this.#text.startsWith(quote.repeat(3), this.#at);
    const end = isLong ? quote.repeat(3) : quote;
    this.#at += end.length;
    while (this.#at < this.#text.length && !this.#text.startsWith(end, this.#at)) {
      this.#at += !isLiteral && this.#peek() === '\\' ? 2 : 1;
    }
    this.#at += end.length;
    // Up to two quotes may stand right before the closing three.
    if (isLong) while (this.#peek() === quote) this.#at++;
  }

  /** White space, line ends and comments; where TOML forbids a line end here, the parser has refused the text. */
  #skipBlank(): void {
    this.#at += this.#matchHere(/(?:\s+|#[^\n]*)*/y).length;
  }

  #matchHere(sticky: RegExp): string {
    sticky.lastIndex = this.#at;
    return sticky.exec(this.#text)?.[0] ?? '';
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  /** The first place counts, as tables may be reopened. */
  #noteKey(path: readonly string[], offset: number): void {
    const key = pathKey(path);
    if (!this.keys.has(key)) this.keys.set(key, offset);
  }
}

/** A basic string's escapes, for keys; JSON has the same ones but for `\e`, `\x` and `\U`, which keys do not need. */
function unescape(text: string): string {
  try {
    return String(JSON.parse(`"${text}"`));
  } catch {
    return text;
  }
}
