import { escaped } from '../../core/markup.ts';

/** A table; the first column names its row, the others are numbers. Cells are text. */
export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = (row: readonly string[]): string =>
    row
      .map((text, at) => (at === 0 ? `<th scope="row">${escaped(text)}</th>` : `<td>${escaped(text)}</td>`))
      .join('');
  return [
    `<table><caption>${escaped(caption)}</caption>`,
    `<thead><tr>${heads.map((head) => `<th scope="col">${escaped(head)}</th>`).join('')}</tr></thead>`,
    `<tbody>${rows.map((row) => `<tr>${cells(row)}</tr>`).join('\n')}</tbody></table>`,
  ].join('\n');
}

/** Something that opens on a click, without a script; printed open. */
export function folded(summary: string, content: string): string {
  return `<details><summary>${escaped(summary)}</summary>\n${content}\n</details>`;
}

export function section(id: string, title: string, ...parts: readonly string[]): string {
  return `<section aria-labelledby="${id}">\n<h2 id="${id}">${escaped(title)}</h2>\n${parts.join('\n')}\n</section>`;
}

export function paragraph(text: string): string {
  return `<p>${escaped(text)}</p>`;
}
