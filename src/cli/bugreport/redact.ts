/** Whose names are taken out of a text. */
export interface Names {
  readonly user: string;
  readonly home: string;
  readonly hosts: readonly string[];
}

/** Takes names, addresses and secrets out of text. */
export type Redact = (text: string) => string;

/** Accounts and hosts that are everybody's. */
const COMMON = ['root', 'localhost', 'telemetryd', ''];

/** What is taken out wherever it stands, and what is put in its place; in this order. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/AGE-SECRET-KEY-1[0-9A-Z]+/gi, '<key>'],
  [/\bage1[0-9a-z]{20,}/g, '<key>'],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, '<email>'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '<id>'],
  // Another person's folder too, and what systemd makes for a user's id.
  [/(\/(?:home|Users))\/[^/\s:"']+/g, '$1/<user>'],
  [/\/run\/user\/\d+/g, '/run/user/<uid>'],
  [/\b(?!127\.)(?:\d{1,3}\.){3}\d{1,3}\b/g, '<ip>'],
  // At least three colons, or two together: a time of day has two apart.
  [/(?<![\w:])(?=[0-9a-f:.]*(?:::|(?::[0-9a-f]+){3}))(?!::1(?![\w:]))[0-9a-f:]{2,}(?:%\w+)?/gi, '<ip>'],
  [/\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/gi, '<ip>'],
  // Digests, tokens, keys: long, with a digit. Words with hyphens have none.
  [/\b[0-9a-f]{16,}\b/gi, '<key>'],
  [/(?=[\w+-]*\d)[A-Za-z0-9_+-]{20,}={0,2}/g, '<key>'],
];

/** What means something in a regular expression. */
const SPECIAL = /[$()*+.?[\\\]^{|}]/g;

/** {@link Redact} for these names. */
export function redactor({ user, home, hosts }: Names): Redact {
  const words = [...hosts.map((host) => [host, '<host>'] as const), [user, '<user>'] as const].filter(
    ([word]) => !COMMON.includes(word),
  );
  const named = words.map(
    ([word, instead]) =>
      [
        new RegExp(`(?<![A-Za-z0-9])${word.replaceAll(SPECIAL, '\\$&')}(?![A-Za-z0-9])`, 'gi'),
        instead,
      ] as const,
  );
  return (text) => {
    const homeless = home.length > 1 ? text.replaceAll(home, '~') : text;
    return [...PATTERNS, ...named].reduce(
      (rest, [pattern, instead]) => rest.replace(pattern, instead),
      homeless,
    );
  };
}
