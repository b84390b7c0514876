import { html } from '../../core/markup.ts';
import { document, PLACES } from './document.ts';

/** The page on which one signs in; `problem` says why the last try failed. */
export function signInPage(formToken: string, problem: string | null): string {
  return document({
    title: 'Sign in',
    viewer: null,
    main: html`
${problem === null ? null : html`<p class="alert" role="alert">${problem}</p>`}
<p>For whoever runs the programme. A token is made on the collector’s machine, and is shown there once:</p>
<pre>telemetry-collector admin-token add "Ada Lovelace"</pre>
<form class="sheet" method="post" action="${PLACES.signIn}">
<input type="hidden" name="form" value="${formToken}">
<label for="token">Admin token</label>
<input id="token" name="token" type="password" required maxlength="200" autocomplete="current-password" spellcheck="false" autofocus>
<button type="submit">Sign in</button>
</form>`,
  });
}
