import { html, type Markup } from '../../core/markup.ts';
import { MAX_REASON_CHARACTERS } from '../decision-check.ts';
import type { AuditEntry, ExemptionRecord } from '../exemption-book.ts';
import { document, formTokenField, minute, PLACES, type Viewer } from './document.ts';

/** What was typed into the form of a decision, and why it did not do. */
export interface RefusedForm {
  readonly reason: string;
  readonly problem: string;
}

/** The requests that wait, and the last that do not any more. */
export function exemptionsPage(
  pending: readonly ExemptionRecord[],
  decided: readonly ExemptionRecord[],
  viewer: Viewer,
): string {
  return document({
    title: 'Exemptions',
    place: 'exemptions',
    viewer,
    main: html`
<p>What people asked not to be captured in. Until one is decided, their devices keep back what it is about.</p>
<section aria-labelledby="pending"><h2 id="pending">To decide</h2>
${pending.length === 0 ? html`<p>Nothing waits.</p>` : table('Requests that wait, the oldest first', pending)}
</section>
<section aria-labelledby="decided"><h2 id="decided">Decided or withdrawn</h2>
${decided.length === 0 ? html`<p>Nothing yet.</p>` : table('The last of them, the newest first', decided)}
</section>`,
  });
}

function table(caption: string, records: readonly ExemptionRecord[]): Markup {
  const rows = records.map(
    ({
      id,
      scope,
      askedAtMs,
      untilMs,
      state,
    }) => html`<tr><th scope="row"><a href="${PLACES.exemptions}/${id}">${scopeWords(scope)}</a></th>
<td>${minute(askedAtMs)}</td><td>${minute(untilMs)}</td><td class="state ${state}">${state}</td></tr>
`,
  );
  return html`<div class="scroll"><table><caption>${caption}</caption>
<thead><tr><th scope="col">From what</th><th scope="col">Asked</th><th scope="col">Until</th><th scope="col">State</th></tr></thead>
<tbody>${rows}</tbody></table></div>`;
}

/** One request: what is asked, who did what to it, and while it waits the form that decides it. */
export function exemptionPage(
  record: ExemptionRecord,
  audit: readonly AuditEntry[],
  viewer: Viewer,
  { isJustDecided = false, refused = null }: { isJustDecided?: boolean; refused?: RefusedForm | null } = {},
): string {
  const { id, device, state, scope, askedAtMs, untilMs, decisionReason } = record;
  return document({
    title: `Exemption from ${scopeWords(scope)}`,
    viewer,
    main: html`
<p class="soft"><a href="${PLACES.exemptions}">All exemptions</a></p>
${isJustDecided && html`<p class="done" role="status">It is ${state}. The device learns it when it asks next.</p>`}
${refused !== null && html`<p class="alert" role="alert">${refused.problem}</p>`}
<dl>
<dt>State</dt><dd class="state ${state}">${state}</dd>
<dt>From what</dt><dd>${scopeWords(scope)}</dd>
<dt>From</dt><dd>${minute(askedAtMs)}</dd>
<dt>Until</dt><dd>${minute(untilMs)}</dd>
<dt>Device</dt><dd><code>${device}</code></dd>
<dt>Request</dt><dd><code>${id}</code></dd>
${decisionReason === '' ? null : html`<dt>Answer</dt><dd>${decisionReason}</dd>`}
</dl>
${reasonSection(record)}
${state === 'pending' ? decisionSection(record, viewer, refused) : null}
<section aria-labelledby="audit"><h2 id="audit">Audit trail</h2>
<table><caption>What was done, the oldest first; nothing here can be changed</caption>
<thead><tr><th scope="col">When</th><th scope="col">What</th><th scope="col">By</th></tr></thead>
<tbody>${audit.map(({ atMs, action, by }) => html`<tr><th scope="row">${minute(atMs)}</th><td>${action}</td><td>${by}</td></tr>\n`)}</tbody></table>
</section>`,
  });
}

function reasonSection({ id, reason }: ExemptionRecord): Markup {
  return html`<section aria-labelledby="reason"><h2 id="reason">Their reason</h2>
${
  reason === null
    ? html`<p>None was given, or it is erased: reasons are kept for 30 days after a decision.</p>`
    : html`<p>It is sealed for those who decide. The collector has no key to it and cannot show it here; whoever holds theirs opens it on the collector’s machine:</p>
<pre>telemetry-collector exemptions show ${id} --identity FILE</pre>`
}
</section>`;
}

function decisionSection({ id }: ExemptionRecord, viewer: Viewer, refused: RefusedForm | null): Markup {
  return html`<section aria-labelledby="decide"><h2 id="decide">Decide</h2>
<form class="sheet" method="post" action="${PLACES.exemptions}/${id}">${formTokenField(viewer)}
<label for="answer">Answer to the person</label>
<p class="soft" id="answer-help">A denial needs one. At most ${MAX_REASON_CHARACTERS} characters, one line.</p>
<input id="answer" name="reason" type="text" maxlength="${MAX_REASON_CHARACTERS}" autocomplete="off" aria-describedby="answer-help" value="${refused?.reason ?? ''}">
<p class="soft">Recorded as decided by ${viewer.name}. It cannot be undone.</p>
<div class="buttons"><button type="submit" name="verdict" value="approved">Approve</button>
<button class="second" type="submit" name="verdict" value="denied">Deny</button></div>
</form></section>`;
}

/** `app:NAME` and `hours:SPEC` for people. */
function scopeWords(scope: string): string {
  if (scope === 'all') return 'everything';
  if (scope.startsWith('app:')) return `the application ${scope.slice('app:'.length)}`;
  return `the hours ${scope.slice('hours:'.length)}`;
}
