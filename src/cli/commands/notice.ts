import { type Command, Option } from 'commander';
import { get } from '../../control/calls.ts';
import type { NoticeReply } from '../../control/protocol.ts';
import { askDaemon, isDaemonDown, restingPlace } from '../daemon.ts';
import type { CliIo } from '../io.ts';
import { decoded } from '../state-files.ts';

const EXAMPLES = `
Made from the policy in force and from nothing else; with the daemon down, from
the last good one.

Examples:
  telemetryctl notice
  telemetryctl notice --format md > notice.md
  telemetryctl notice --json | jq -r .id`;

interface Options {
  json?: true;
  format: 'text' | 'md';
}

/** Adds `notice [--json] [--format text|md]`. */
export function define(command: Command, io: CliIo): void {
  command
    .option('--json', 'print JSON: id, text, parts')
    .addOption(new Option('--format <name>', 'text or md (Markdown)').choices(['text', 'md']).default('text'))
    .addHelpText('after', EXAMPLES)
    .action(async ({ json, format }: Options) => {
      const notice = await findNotice(io);
      if (json === true) io.out(`${JSON.stringify(notice, null, 2)}\n`);
      else io.out(format === 'md' ? markdown(notice) : `${notice.text.trimEnd()}\n\nNotice ${notice.id}\n`);
    });
}

async function findNotice(io: CliIo): Promise<NoticeReply> {
  try {
    return await askDaemon(io, (socketPath) => get(socketPath, 'notice'));
  } catch (error) {
    if (!isDaemonDown(error)) throw error;
    const { decodeLastGood } = await import('../../policy/last-good.ts');
    const policy = decoded(restingPlace(io).stateDir, 'policy-last-good.json', decodeLastGood)?.policy;
    if (policy === undefined) throw error;
    const { makeNotice } = await import('../../privacy/notice.ts');
    return makeNotice(policy);
  }
}

/** Headings and paragraphs; the controls as they are, in columns. */
function markdown({ id, text, parts }: NoticeReply): string {
  const [title = ''] = text.split('\n', 1);
  const controls = text.slice(text.lastIndexOf('\ntelemetryctl') + 1).trimEnd();
  const sections = parts.map((part) => `## ${heading(part.label)}\n\n${escaped(part.text)}\n`);
  const head = title.startsWith('What ') ? title : 'What telemetryd records on this computer';
  return `# ${head}\n\n${sections.join('\n')}\n## What you can do\n\n\`\`\`\n${controls}\n\`\`\`\n\nNotice ${id}\n`;
}

function heading(label: string): string {
  return `${label.slice(0, 1)}${label.slice(1).toLowerCase()}`;
}

function escaped(text: string): string {
  return text.replace(/[\\`*_<>[\]#|]/g, '\\$&');
}
