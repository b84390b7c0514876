import type { CommandNode, Value } from './nodes.ts';

/**
 * For bash 4 and later, with or without the package bash-completion. bash splits a word at `=`, so that `--format=csv`
 * comes as three.
 */
export function bashScript(nodes: readonly CommandNode[]): string {
  return `# Completion of telemetryctl for bash; made by telemetryctl completion bash.
_telemetryctl() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} at= i
  if [[ $before == = ]]; then before=\${COMP_WORDS[COMP_CWORD - 2]}; fi
  if [[ $current == = ]]; then current=; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${steps(nodes)}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  COMPREPLY=()
  case "$at $before" in
${nodes.flatMap(values).join('\n')}
  esac
  if [[ $current == -* ]]; then
    case $at in
${nodes.map(({ path, options }) => choice(path, words(options.flatMap(({ flags }) => flags)))).join('\n')}
    esac
    return
  fi
  case $at in
${nodes.map((node) => choice(node.path, operands(node))).join('\n')}
  esac
}
complete -F _telemetryctl telemetryctl
`;
}

function steps(nodes: readonly CommandNode[]): string {
  return nodes.flatMap(({ path, commands }) => commands.map(({ name }) => `'${path} ${name}'`)).join(' | ');
}

function values({ path, options }: CommandNode): string[] {
  return options.flatMap(({ flags, value }) =>
    value === null
      ? []
      : `    ${flags.map((flag) => `'${path} ${flag}'`).join(' | ')}) ${oneOf(value)}; return ;;`,
  );
}

function operands({ commands, argument }: CommandNode): string {
  if (commands.length > 0) return words(commands.map(({ name }) => name));
  return argument === null ? ':' : oneOf(argument);
}

function oneOf(value: Value): string {
  if (value === 'any') return ':';
  if (value !== 'file') return words(value);
  return `compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current")`;
}

function words(list: readonly string[]): string {
  return `mapfile -t COMPREPLY < <(compgen -W '${list.join(' ')}' -- "$current")`;
}

function choice(path: string, action: string): string {
  return `      '${path}') ${action} ;;`;
}
