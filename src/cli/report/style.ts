/**
 * The page's only style. Colours are those of Okabe and Ito, which people with any colour blindness can tell apart; the
 * states differ in height as well, and everything has its words beside it.
 */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --card: #f5f7f9; --line: #d0d7de;
  --track: #e6eaee; --blue: #0072b2; --orange: #d98300; --sky: #2f95cf; --green: #00875f; --pink: #b8578f; --red: #d55e00; --grey: #8b949e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b1; --paper: #0f1419; --card: #182028;
  --line: #303a45; --track: #26303a; --blue: #4aa8e8; --orange: #f0a93a; --sky: #6cc4f5; --green: #2fc196; --pink: #df8fbd; --red: #f4803a; --grey: #6e7983; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 58rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.2rem; margin: 0 0 .25rem; }
h3 { font-size: 1rem; margin: 1.1rem 0 .3rem; } h3 .soft { font-weight: 400; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
.soft, caption, .axis, footer, .tile span { color: var(--soft); font-size: .875rem; }
section { margin-top: 2.25rem; }
.tiles { display: grid; grid-template-columns: repeat(3, 1fr); gap: .75rem; margin: 1.25rem 0 0; padding: 0; list-style: none; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.3rem; line-height: 1.3; }
.tile span { display: block; line-height: 1.35; }
.row { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) 6.5rem; gap: .6rem; align-items: center; margin: .3rem 0; }
.name { font-size: .875rem; white-space: nowrap; }
.value { font-size: .875rem; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bars { display: block; width: 100%; height: 1.35rem; background: var(--track); border-radius: 2px; }
.bars.tall { height: 4rem; } .bars.thin { height: .8rem; }
.axis .ticks { display: flex; justify-content: space-between; font-variant-numeric: tabular-nums; }
.axis { margin-top: -.1rem; }
.days { display: flex; color: var(--soft); font-size: .875rem; } .days span { flex: 1 1 0; width: 0; white-space: nowrap; border-left: 1px solid var(--line); padding-left: .25rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; margin: .5rem 0 1rem; padding: 0; list-style: none; font-size: .875rem; }
.swatch { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px; vertical-align: -1px; border: 1px solid var(--line); }
.s-capturing, .k-recorded { fill: var(--blue); background: var(--blue); }
.s-paused, .k-clicks { fill: var(--orange); background: var(--orange); }
.s-exempt, .k-keys { fill: var(--pink); background: var(--pink); }
.s-locked, .s-awaiting-consent, .s-blocked { fill: var(--red); background: var(--red); }
.s-stopped, .s-asleep { fill: var(--grey); background: var(--grey); }
.s-unknown { fill: none; background: var(--track); }
.k-moves, .k-cpu { fill: var(--sky); background: var(--sky); }
.k-notches, .k-sent, .k-memory { fill: var(--green); background: var(--green); }
.k-wakeups { fill: var(--orange); background: var(--orange); }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .875rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .25rem; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; }
th:first-child { text-align: left; padding-left: 0; } td:last-child { padding-right: 0; }
th { font-weight: 600; } tbody th { font-weight: 400; }
details { margin: .6rem 0; } summary { cursor: pointer; font-size: .875rem; color: var(--soft); }
.names { font-size: .875rem; overflow-wrap: anywhere; }
code { font: .875em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .75rem; }
footer li { margin: .2rem 0; } footer ul { padding-left: 1.1rem; }
@media (max-width: 34rem) { body { padding: 1rem .8rem 2rem; } h1 { font-size: 1.35rem; }
  .row { grid-template-columns: minmax(0, 1fr) auto; gap: .1rem .6rem; margin: .5rem 0; }
  .row .bars, .row .ticks { grid-column: 1 / -1; grid-row: 2; } .axis .name, .axis .value { display: none; } .axis .ticks { grid-row: 1; }
  .tiles { grid-template-columns: 1fr 1fr; } .tile b { font-size: 1.1rem; } th, td { padding: .25rem .25rem; } }
@media print { :root { color-scheme: light; } body { max-width: none; padding: 0; font-size: 10pt; }
  .bars, .swatch { -webkit-print-color-adjust: exact; print-color-adjust: exact; } section, .row, .tile { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; } }
`;
