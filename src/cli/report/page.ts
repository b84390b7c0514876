import { createHash } from 'node:crypto';
import { escaped } from '../../core/markup.ts';
import { VERSION } from '../../core/version.ts';
import { clockLabel, dayLabel } from './days.ts';
import type { ReportData } from './gather.ts';
import { bytesSection, costSection } from './section-amounts.ts';
import { activitySection, keysSection } from './section-events.ts';
import { statesSection } from './section-states.ts';
import { STYLE } from './style.ts';
import { notes, tiles } from './summary.ts';

/**
 * The report as one HTML document: no script, nothing loaded from anywhere, and a policy in it that has a browser
 * refuse both. Readable without colours, on a phone, and printed.
 */
export function reportPage(data: ReportData): string {
  const styleHash = createHash('sha256').update(STYLE).digest('base64');
  const policy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'`;
  const span = `${dayLabel(data.sinceMs)}, ${clockLabel(data.sinceMs)}, to ${dayLabel(data.nowMs)} ${new Date(data.nowMs).getFullYear()}, ${clockLabel(data.nowMs)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>What telemetryd recorded of you, ${escaped(span)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>What telemetryd recorded of you</h1>
<p class="soft">${escaped(span)}, local time. Made on this device from its own files by telemetryctl report ${VERSION}; nothing was sent to make it, and it loads nothing.</p>
${tiles(data)}
</header>
<main>
${[statesSection, activitySection, keysSection, bytesSection, costSection].map((make) => make(data)).join('\n')}
</main>
${notes(data)}
</body>
</html>
`;
}
