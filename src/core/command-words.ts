/** What is needed to know of a program's commands; commander's `Command` is one. */
interface CommandTree {
  readonly commands: readonly (CommandTree & { name(): string })[];
}

const HELP = new Set(['-h', '--help']);

/**
 * The words of a command line, without its `--help` when they name a command that does not exist: a parser that sees
 * `--help` first prints the help of what it knows and calls that a success.
 */
export function withoutHelpOnUnknown(program: CommandTree, argv: readonly string[]): readonly string[] {
  let at = program;
  for (const word of argv) {
    if (word.startsWith('-') || at.commands.length === 0) return argv;
    const found = at.commands.find((command) => command.name() === word);
    if (found === undefined) return argv.filter((each) => !HELP.has(each));
    at = found;
  }
  return argv;
}
