import { html, type Markup } from '../../core/markup.ts';
import { VERSION } from '../../core/version.ts';

/** Where the pages are, below the listener's address. */
export const PLACES = {
  fleet: '/admin/',
  exemptions: '/admin/exemptions',
  signIn: '/admin/sign-in',
  signOut: '/admin/sign-out',
  style: '/admin/style.css',
} as const;

/** Who looks at a page, and what their forms must carry. */
export interface Viewer {
  readonly name: string;
  readonly formToken: string;
}

/** One page. */
export interface PageContent {
  readonly title: string;
  readonly main: Markup;
  /** `null`: nobody signed in. */
  readonly viewer: Viewer | null;
  readonly place?: keyof typeof PLACES;
}

/** A whole HTML document: no script, one style, and nothing from elsewhere. */
export function document({ title, main, viewer, place }: PageContent): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · telemetry-collector</title>
<link rel="stylesheet" href="${PLACES.style}">
</head>
<body>
<a class="skip" href="#main">To the content</a>
${viewer === null ? html`<header class="top"><strong>telemetry-collector</strong></header>` : top(viewer, place)}
<main id="main">
<h1>${title}</h1>
${main}
</main>
<footer class="soft"><p>telemetry-collector ${VERSION}. Times are UTC.</p></footer>
</body>
</html>
`.text;
}

/** The field that every form of somebody who signed in carries. */
export function formTokenField({ formToken }: Viewer): Markup {
  return html`<input type="hidden" name="form" value="${formToken}">`;
}

/** A time as people read it: `2026-03-31 14:05`. */
export function minute(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 16).replace('T', ' ');
}

function top(viewer: Viewer, place: PageContent['place']): Markup {
  const link = (to: 'fleet' | 'exemptions', words: string): Markup =>
    place === to
      ? html`<a href="${PLACES[to]}" aria-current="page">${words}</a>`
      : html`<a href="${PLACES[to]}">${words}</a>`;
  return html`<header class="top"><strong>telemetry-collector</strong>
<nav aria-label="Pages">${link('fleet', 'Fleet')}${link('exemptions', 'Exemptions')}</nav>
<form class="who" method="post" action="${PLACES.signOut}">${formTokenField(viewer)}<span>signed in as ${viewer.name}</span>
<button class="second small" type="submit">Sign out</button></form>
</header>`;
}
