import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escaped, html } from '../../src/core/markup.ts';

describe('a template for HTML', () => {
  it('shows text as text, wherever it stands, and templates as they are', () => {
    const hostile = `<script>alert("x")</script> & 'y'`;
    expect(html`<b title="${hostile}">${hostile}</b>`.text).toBe(
      `<b title="${escaped(hostile)}">${escaped(hostile)}</b>`,
    );
    expect(escaped(hostile)).toBe('&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;');
    const rows = ['<', 2].map((cell) => html`<td>${cell}</td>`);
    expect(html`<tr>${rows}${null}${false}${['&', html`<hr>`]}</tr>`.text).toBe(
      '<tr><td>&lt;</td><td>2</td>&amp;<hr></tr>',
    );
  });

  it('leaves no character that could end where it stands, or move a terminal', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('<', '>', '&', '"', "'", 'a', ';', '#', '\u0000', '\u001b', '\u0085', '\n'),
        }),
        (text) => {
          expect(html`${text}`.text).not.toMatch(/[<>"']|&(?!(?:amp|lt|gt|quot|#39);)/);
          expect(html`${text}`.text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
        },
      ),
    );
  });
});
