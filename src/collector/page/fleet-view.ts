import { roughBytes } from '../../core/amounts.ts';
import { html, type Markup } from '../../core/markup.ts';
import type { DayTraffic } from '../traffic.ts';
import { document, PLACES, type Viewer } from './document.ts';
import { FAULT_WORDS } from './fault-words.ts';
import { type DeviceCount, type FleetFigures, type Group, LEAST_DEVICES } from './fleet-figures.ts';

/** What the page of the fleet shows. */
export interface FleetData {
  readonly figures: FleetFigures;
  readonly enrolled: DeviceCount;
  readonly waiting: number;
  /** The last {@link TRAFFIC_DAYS} UTC days, the oldest first, those without anything too. */
  readonly traffic: readonly DayTraffic[];
  /** Requests that this process refused since it started, by HTTP status. */
  readonly refusals: ReadonlyMap<number, number>;
  readonly startedDay: string;
}

/** How many days of traffic are shown. */
export const TRAFFIC_DAYS = 30;

/** The fleet as a whole: nothing on it is of one device or one person. */
export function fleetPage(data: FleetData, viewer: Viewer): string {
  const { figures, enrolled, waiting } = data;
  const words = waiting === 1 ? 'exemption waits' : 'exemptions wait';
  return document({
    title: 'Fleet',
    place: 'fleet',
    viewer,
    main: html`
<p class="soft">Of all devices together. Numbers of devices are rounded to five, and what comes of fewer than ${LEAST_DEVICES} is not shown: of one device it would be one person’s.</p>
<ul class="tiles">
<li><b>${waiting}</b> <span>${waiting === 0 ? words : html`<a href="${PLACES.exemptions}">${words}</a>`} for a decision</span></li>
<li><b>${enrolled.words}</b> <span>devices enrolled</span></li>
<li><b>${figures.recent.words}</b> <span>devices heard of in 30 days</span></li>
</ul>
${devicesSection(figures)}
${trafficSection(data.traffic)}
${refusalsSection(data)}`,
  });
}

function devicesSection({ versions, backends, faults, heard }: FleetFigures): Markup {
  const rows = faults.map(
    ({
      name,
      count,
    }) => html`<tr><th scope="row"><code>${name}</code></th><td>${FAULT_WORDS[name] ?? ''}</td><td class="number">${count.words}</td></tr>
`,
  );
  return html`<section aria-labelledby="devices">
<h2 id="devices">Devices</h2>
<p class="soft">What devices say of the program on them, once a day at most and with an upload. Only the last word of each is kept.</p>
<div class="pair">
<div>${groupTable('By version', 'Version', versions)}</div>
<div>${groupTable('By way of capture', 'Back end', backends)}${groupTable('By last word', 'Heard of', heard)}</div>
</div>
<h3 id="faults">Faults</h3>
${
  rows.length === 0
    ? html`<p>No device says that anything is wrong.</p>`
    : html`<div class="scroll"><table><caption>Devices by fault; one may have several</caption>
<thead><tr><th scope="col">Fault</th><th scope="col">What it means</th><th scope="col" class="number">Devices</th></tr></thead>
<tbody>${rows}</tbody></table></div>`
}
</section>`;
}

function groupTable(caption: string, head: string, groups: readonly Group[]): Markup {
  if (groups.length === 0) return html`<p class="soft">${caption}: nothing yet.</p>`;
  const most = Math.max(...groups.map(({ count }) => count.size), 1);
  const rows = groups.map(
    ({
      name,
      count,
    }) => html`<tr><th scope="row">${name}</th><td class="wide">${bar(count.size / most)}</td><td class="number">${count.words}</td></tr>
`,
  );
  return html`<table><caption>${caption}</caption>
<thead><tr><th scope="col">${head}</th><td></td><th scope="col" class="number">Devices</th></tr></thead>
<tbody>${rows}</tbody></table>`;
}

/** A length beside the number that it stands for, and so nothing to be read out. */
function bar(share: number): Markup {
  return html`<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect x="0" y="0" width="${short(share * 100)}" height="4"/></svg>`;
}

function trafficSection(days: readonly DayTraffic[]): Markup {
  const shown = days.filter(({ devices }) => devices >= LEAST_DEVICES);
  const [first, last] = [days[0]?.day ?? '', days.at(-1)?.day ?? ''];
  const tallest = most(shown);
  const total = shown.reduce((sum, { bytes }) => sum + bytes, 0);
  const few = days.filter(({ devices }) => devices > 0 && devices < LEAST_DEVICES).length;
  return html`<section aria-labelledby="traffic">
<h2 id="traffic">Bytes a day</h2>
<p class="soft">What arrived on each day and is still kept, from ${first} to ${last}.</p>
${
  shown.length === 0
    ? html`<p>${few === 0 ? 'Nothing arrived in this time.' : `Files came of fewer than ${LEAST_DEVICES} devices. On the collector’s machine, telemetry-collector ls lists them.`}</p>`
    : html`${dayBars(days, tallest)}<div class="ends" aria-hidden="true"><span>${first}</span><span>tallest: ${roughBytes(tallest)}</span><span>${last}</span></div>
<details><summary>The same as a table</summary>
<table><caption>Files and bytes by day, ${roughBytes(total)} in all</caption>
<thead><tr><th scope="col">Day</th><th scope="col" class="number">Files</th><th scope="col" class="number">Bytes</th></tr></thead>
<tbody>${days.map(dayRow)}</tbody></table></details>`
}
</section>`;
}

const HEIGHT = 100;
const DAY_WIDTH = 20;

/** `tallest`: the most bytes of a day that may be shown. */
function dayBars(days: readonly DayTraffic[], tallest: number): Markup {
  const rects = days.map(({ bytes, devices }, at) => {
    if (devices === 0) return null;
    const isFew = devices < LEAST_DEVICES;
    // What is there is seen; of a few devices only that there is something.
    const tall = isFew ? HEIGHT / 25 : Math.max((bytes / tallest) * HEIGHT, 2);
    return html`<rect class="${isFew ? 'few' : 'many'}" x="${at * DAY_WIDTH + 2}" y="${short(HEIGHT - tall)}" width="${DAY_WIDTH - 4}" height="${short(tall)}"/>`;
  });
  const label = `Bytes by day, at most ${roughBytes(tallest)}; the table below has the numbers`;
  return html`<svg class="days" viewBox="0 0 ${days.length * DAY_WIDTH} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}">${rects}</svg>`;
}

function most(days: readonly DayTraffic[]): number {
  return Math.max(...days.map(({ bytes }) => bytes), 1);
}

function dayRow({ day, segments, bytes, devices }: DayTraffic): Markup {
  const few = devices > 0 && devices < LEAST_DEVICES;
  const [files, size] = few ? ['few devices', '–'] : [String(segments), roughBytes(bytes)];
  return html`<tr><th scope="row">${day}</th><td class="number">${files}</td><td class="number">${size}</td></tr>
`;
}

/** What a status means here. */
const STATUS_WORDS: Readonly<Record<number, string>> = {
  400: 'not as telemetryd sends it',
  401: 'not signed by an enrolled device, or its clock is wrong',
  403: 'a revoked key, a used token, or another device’s key',
  404: 'an address that there is none of',
  408: 'came too slowly',
  409: 'the id was taken by something else',
  410: 'erased before, and not taken again',
  413: 'larger than --max-segment-bytes',
  422: 'bytes and digest do not agree',
  429: 'too much at once; sent again later',
  500: 'failed here; the collector’s log says why',
  503: 'while stopping; sent again later',
  507: 'the storage is full',
};

function refusalsSection({ refusals, startedDay }: FleetData): Markup {
  const rows = [...refusals]
    .sort(([a], [b]) => a - b)
    .map(
      ([
        status,
        count,
      ]) => html`<tr><th scope="row">${status}</th><td>${STATUS_WORDS[status] ?? ''}</td><td class="number">${count}</td></tr>
`,
    );
  return html`<section aria-labelledby="refusals">
<h2 id="refusals">Refused</h2>
<p class="soft">Requests that this process refused since it started on ${startedDay}. What a device put into quarantine lies on the device: it shows above as the fault <code>quarantined</code>.</p>
${
  rows.length === 0
    ? html`<p>None.</p>`
    : html`<div class="scroll"><table><caption>Refused requests by answer</caption>
<thead><tr><th scope="col">Status</th><th scope="col">What it means</th><th scope="col" class="number">Requests</th></tr></thead>
<tbody>${rows}</tbody></table></div>`
}
</section>`;
}

function short(value: number): string {
  return String(Number(value.toFixed(1)));
}
