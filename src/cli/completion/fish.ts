import type { CommandNode, Value } from './nodes.ts';

/** For fish 3 and later: a file of its completions folder. */
export function fishScript(nodes: readonly CommandNode[]): string {
  const known = nodes.flatMap(({ path }) => (path === '' ? [] : quoted(path)));
  return `# Completion of telemetryctl for fish; made by telemetryctl completion fish.
function __telemetryctl_at
    set -l at
    for word in (commandline -opc)[2..-1]
        set -l next (string trim -- "$at $word")
        contains -- $next ${known.join(' ')}; and set at $next
    end
    test "$at" = "$argv"
end
complete -c telemetryctl -f
${nodes.flatMap(linesOf).join('\n')}
`;
}

function linesOf({ path, commands, options, argument }: CommandNode): string[] {
  const head = `complete -c telemetryctl -n ${quoted(`__telemetryctl_at ${path}`.trim())}`;
  return [
    ...commands.map(({ name, summary }) => `${head} -a ${name} -d ${quoted(summary)}`),
    ...options.map(({ flags, summary, value }) => {
      const names = flags.map((flag) =>
        flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`,
      );
      return `${head} ${[...names, ...takes(value)].join(' ')} -d ${quoted(summary)}`;
    }),
    ...(argument === null || argument === 'any'
      ? []
      : [`${head} ${argument === 'file' ? '-F' : listed(argument)}`]),
  ];
}

function takes(value: Value | null): string[] {
  if (value === null) return [];
  if (value === 'file') return ['-r -F'];
  return value === 'any' ? ['-x'] : [`-x ${listed(value)}`];
}

function listed(words: readonly string[]): string {
  return `-a ${quoted(words.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`;
}
