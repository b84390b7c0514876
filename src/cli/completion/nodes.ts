import type { Argument, Command, Option } from 'commander';

/** What may stand for a value: one of some words, the name of a file, or something nobody can guess. */
export type Value = readonly string[] | 'file' | 'any';

/** An option of a command. */
export interface OptionNode {
  /** As typed: `--json`, and `-i` where there is one. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** `null` for one without a value. */
  readonly value: Value | null;
}

/** A command, or the program itself. */
export interface CommandNode {
  /** `""` for the program, else the words that name it, such as `consent grant`. */
  readonly path: string;
  readonly summary: string;
  /** The last words of the commands below it. */
  readonly commands: readonly { readonly name: string; readonly summary: string }[];
  readonly options: readonly OptionNode[];
  /** What its arguments may be; `null` without any. */
  readonly argument: Value | null;
}

/** A tree of commands as a list, each before those below it. What is hidden from help is left out. */
export function nodesOf(program: Command): CommandNode[] {
  return collect(program, '');
}

function collect(command: Command, path: string): CommandNode[] {
  const help = command.createHelp();
  const below = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  const node: CommandNode = {
    path,
    summary: help.commandDescription(command),
    commands: below.map((each) => ({ name: each.name(), summary: help.subcommandDescription(each) })),
    options: help.visibleOptions(command).map(optionNode),
    argument: command.registeredArguments.map(valueOf).at(0) ?? null,
  };
  return [node, ...below.flatMap((each) => collect(each, `${path} ${each.name()}`.trim()))];
}

function optionNode(option: Option): OptionNode {
  const { short, long, description, required, optional } = option;
  return {
    flags: [long, short].filter((flag) => flag !== undefined),
    summary: description,
    value: required || optional ? valueOf(option) : null,
  };
}

/** Values called after files are completed as files. */
const FILE_WORDS = /<(file|path|dir)>|^(file|path|dir)$/;

function valueOf(of: Argument | Option): Value {
  if (of.argChoices !== undefined) return of.argChoices;
  return FILE_WORDS.test('flags' in of ? of.flags : of.name()) ? 'file' : 'any';
}
