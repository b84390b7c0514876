/** The pages' only style, served as a file. Text and lines keep a contrast of 4.5 and 3 to 1 in both schemes. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --paper: #ffffff; --card: #f5f7f9; --line: #d0d7de;
  --edge: #818b98; --track: #e6eaee; --blue: #0b62a0; --bar: #2f95cf; --bad: #a8360a; --bad-card: #fdf1ec; --good: #00734f; --on: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b1; --paper: #0f1419; --card: #182028; --line: #303a45;
  --edge: #768390; --track: #26303a; --blue: #6cb6f5; --bar: #4aa8e8; --bad: #ff9d6e; --bad-card: #2b1a13; --good: #3fcf9f; --on: #0f1419; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 0 1rem 3rem; max-width: 60rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 1.5rem 0 .25rem; }
h2 { font-size: 1.15rem; margin: 0 0 .25rem; }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
p { margin: .25rem 0 .75rem; max-width: 46rem; }
a { color: var(--blue); text-underline-offset: .15em; }
.soft, caption { color: var(--soft); font-size: .875rem; }
section { margin-top: 2rem; }
.skip { position: absolute; left: -100rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem; }
:focus-visible { outline: 3px solid var(--blue); outline-offset: 2px; border-radius: 2px; }
.top { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; align-items: center; padding: .6rem 0; border-bottom: 1px solid var(--line); }
.top strong { margin-right: .5rem; } .top nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
.top nav a { padding: .25rem 0; } .top nav a[aria-current] { color: var(--ink); font-weight: 600; text-decoration: none; }
.who { margin-left: auto; display: flex; gap: .75rem; align-items: center; font-size: .875rem; color: var(--soft); }
.tiles { display: grid; grid-template-columns: repeat(3, 1fr); gap: .75rem; margin: 1rem 0 0; padding: 0; list-style: none; }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .8rem; }
.tiles b { display: block; font-size: 1.3rem; line-height: 1.3; } .tiles span { color: var(--soft); font-size: .875rem; line-height: 1.35; display: block; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .25rem; }
th, td { padding: .35rem .6rem .35rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { font-weight: 600; white-space: nowrap; } tbody th { font-weight: 400; } .number { text-align: right; white-space: nowrap; padding-right: 0; }
.wide { min-width: 8rem; width: 40%; } .bar { display: block; width: 100%; height: .7rem; margin-top: .35rem; background: var(--track); border-radius: 2px; }
.days { display: block; width: 100%; height: 7rem; background: var(--track); border-radius: 3px; }
.bar rect, .days rect { fill: var(--bar); } .days rect.few { fill: var(--edge); }
.ends { display: flex; justify-content: space-between; color: var(--soft); font-size: .875rem; }
dl { display: grid; grid-template-columns: 9rem minmax(0, 1fr); gap: .3rem 1rem; margin: .75rem 0; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 2.5rem; } th code { white-space: nowrap; }
code, pre { font: .875em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem; margin: .5rem 0 1rem; overflow-x: auto; }
.state { font-weight: 600; white-space: nowrap; } .pending { color: var(--bad); } .approved { color: var(--good); }
form.sheet { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .9rem 1rem; max-width: 34rem; }
label { display: block; font-weight: 600; } label + .soft { margin: 0 0 .25rem; }
input[type=text], input[type=password], textarea { display: block; width: 100%; margin: .25rem 0 .9rem; padding: .5rem .6rem; font: inherit;
  color: var(--ink); background: var(--paper); border: 1px solid var(--edge); border-radius: .35rem; }
button { font: inherit; font-weight: 600; min-height: 2.5rem; padding: .4rem 1.1rem; border-radius: .35rem; border: 1px solid var(--blue); background: var(--blue); color: var(--on); cursor: pointer; }
button.second { background: transparent; color: var(--ink); border-color: var(--edge); } button.small { min-height: 2rem; padding: .15rem .7rem; font-size: .875rem; }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; }
.alert { border-left: 4px solid var(--bad); background: var(--bad-card); padding: .6rem .9rem; margin: 1rem 0; max-width: 46rem; }
.done { border-left: 4px solid var(--good); background: var(--card); padding: .6rem .9rem; margin: 1rem 0; max-width: 46rem; }
details { margin: .5rem 0; } summary { cursor: pointer; padding: .25rem 0; color: var(--soft); font-size: .9rem; }
@media (max-width: 40rem) { .tiles, .pair { grid-template-columns: 1fr; } .tiles { gap: .5rem; } .tiles b { display: inline; font-size: 1.1rem; } .tiles span { display: inline; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .6rem; } .who { margin-left: 0; width: 100%; justify-content: space-between; } h1 { font-size: 1.3rem; } }
@media (forced-colors: active) { .bar rect, .days rect { fill: CanvasText; } }
`;
