/** Text that is HTML already: made by {@link html} alone, so that nothing gets into a page unescaped by mistake. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: text is escaped, lists are joined, nothing stands for `null` and `false`. */
type Content = Markup | string | number | null | false | readonly Content[];

/** A template for HTML. Values may stand in elements and in quoted attributes, nowhere else. */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(strings.map((text, at) => text + rendered(values[at] ?? null)).join(''));
}

/** Text as HTML shows it, in elements and in quoted attributes; control characters as `?`. */
export function escaped(text: string): string {
  return text
    .replace(/[^\P{Cc}\n]/gu, '?')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function rendered(content: Content): string {
  if (content === null || content === false) return '';
  if (content instanceof Markup) return content.text;
  if (typeof content === 'object') return content.map(rendered).join('');
  return escaped(String(content));
}
