import type { CommandNode, OptionNode, Value } from './nodes.ts';

/** For zsh: a file of its function path, named `_telemetryctl`, or sourced after `compinit`. */
export function zshScript(nodes: readonly CommandNode[]): string {
  return `#compdef telemetryctl
# Completion of telemetryctl for zsh; made by telemetryctl completion zsh.
_telemetryctl() {
  local at= word
  local -a names flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at $word" in
      (${steps(nodes)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${nodes.flatMap(values).join('\n')}
  esac
  case $at in
${nodes.map(({ path, options }) => `    ('${path}') flags=(${options.flatMap(described).join(' ')}) ;;`).join('\n')}
  esac
  if [[ $PREFIX == -* ]]; then
    _describe -o option flags
    return
  fi
  case $at in
${nodes.map((node) => `    ('${node.path}') ${operands(node)} ;;`).join('\n')}
  esac
}
if [[ \${funcstack[1]} == _telemetryctl ]]; then
  _telemetryctl "$@"
else
  compdef _telemetryctl telemetryctl
fi
`;
}

function steps(nodes: readonly CommandNode[]): string {
  return nodes.flatMap(({ path, commands }) => commands.map(({ name }) => `'${path} ${name}'`)).join('|');
}

function values({ path, options }: CommandNode): string[] {
  return options.flatMap(({ flags, value }) =>
    value === null
      ? []
      : `    (${flags.map((flag) => `'${path} ${flag}'`).join('|')}) ${oneOf(value)}; return ;;`,
  );
}

function operands({ commands, argument }: CommandNode): string {
  if (commands.length > 0) {
    const names = commands.map(({ name, summary }) => quoted(`${name}:${summary}`));
    return `names=(${names.join(' ')}); _describe command names`;
  }
  return argument === null ? '_describe -o option flags' : oneOf(argument);
}

function oneOf(value: Value): string {
  if (value === 'any') return '_message value';
  return value === 'file' ? '_files' : `compadd -- ${value.join(' ')}`;
}

/** A colon in a flag would end it; none of ours has one. */
function described({ flags, summary }: OptionNode): string[] {
  return flags.map((flag) => quoted(`${flag}:${summary}`));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
