import type { Command } from 'commander';
import { argument, asTyped, filled, literal } from './roff.ts';

/** What a page says besides its commands. */
interface PageFacts {
  readonly section: number;
  /** `2026-11-24`. */
  readonly date: string;
  readonly version: string;
  readonly seeAlso: readonly string[];
}

/** What `--help` prints below options: paragraphs, then examples. */
interface Notes {
  readonly paragraphs: readonly string[];
  readonly examples: readonly string[];
}

/** The manual page (man(7)) of a program: every command with its options, notes and examples, as its help has them. */
export function manualPage(program: Command, { section, date, version, seeAlso }: PageFacts): string {
  const name = program.name();
  const notes = notesOf(program);
  return [
    `.TH ${argument(name.toUpperCase())} ${section} ${date} ${argument(`telemetryd ${version}`)}`,
    '.SH NAME',
    String.raw`${literal(name)} \- ${filled(firstSentence(program.description()))}`,
    '.SH SYNOPSIS',
    `.B ${literal(name)}`,
    '.I command',
    '.RI [ options ]',
    '.SH DESCRIPTION',
    filled(program.description()),
    ...notes.paragraphs.flatMap((text) => ['.PP', filled(text)]),
    ...optionLines(program),
    '.SH COMMANDS',
    ...visible(program).flatMap((command) => commandLines(command, name)),
    '.SH EXAMPLES',
    ...asTyped(notes.examples.length === 0 ? EXAMPLES : notes.examples),
    '.SH EXIT STATUS',
    ...EXIT_STATUS.flatMap(([code, meaning]) => ['.TP', `.B ${code}`, filled(meaning)]),
    '.SH SEE ALSO',
    seeAlso.map(literal).join(',\n'),
    '',
  ].join('\n');
}

/** Of telemetryctl, whose overview is a page of its own. */
const EXAMPLES = ['telemetryctl status', 'telemetryctl pause 30m --reason "entering a password"'];

/** As in the README, which has more to say about each. */
const EXIT_STATUS: readonly (readonly [code: number, meaning: string])[] = [
  [0, 'done'],
  [1, 'failed'],
  [2, 'wrong usage, or refused by a limit'],
  [3, 'partly done'],
  [10, 'the daemon is not running'],
  [11, 'not permitted'],
  [12, 'bad configuration'],
  [130, 'interrupted'],
];

function visible(command: Command): Command[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
}

/** A command and those below it, each with a heading of its own. */
function commandLines(command: Command, parents: string): string[] {
  const path = `${parents} ${command.name()}`;
  const below = visible(command);
  const words = command.registeredArguments.map((each) => {
    const word = `${each.name()}${each.variadic ? '…' : ''}`;
    return each.required ? word : `[${word}]`;
  });
  const { paragraphs, examples } = notesOf(command);
  return [
    `.SS ${argument([path, ...words].join(' '))}`,
    filled(sentence(command.description())),
    ...command.registeredArguments.flatMap((each) => [
      '.TP',
      `.I ${literal(each.name())}`,
      filled(withChoices(each.description, each.argChoices)),
    ]),
    ...optionLines(command),
    ...paragraphs.flatMap((text) => ['.PP', filled(text)]),
    ...(examples.length === 0 ? [] : ['.PP', ...asTyped(examples)]),
    ...below.flatMap((each) => commandLines(each, path)),
  ];
}

function optionLines(command: Command): string[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => long !== '--help' || command.parent === null)
    .flatMap(({ flags, description, argChoices, defaultValue }) => {
      const standard = typeof defaultValue === 'string' ? ` (default: ${defaultValue})` : '';
      return ['.TP', `.B ${literal(flags)}`, filled(`${withChoices(description, argChoices)}${standard}`)];
    });
}

function withChoices(description: string, choices: readonly string[] | undefined): string {
  return choices === undefined ? description : `${description}: ${choices.join(', ')}`;
}

/** Commander hands the text below a page's options only to whoever prints the page. */
function notesOf(command: Command): Notes {
  let text = '';
  (command as Command & NodeJS.EventEmitter).emit('afterHelp', {
    error: false,
    command,
    write: (part: string) => {
      text += part;
    },
  });
  const [before = '', after = ''] = text.split(/^Examples:\n/m);
  return {
    paragraphs: before
      .split(/\n{2,}/)
      .map((part) => part.trim())
      .filter((part) => part !== ''),
    examples: after
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  };
}

function firstSentence(text: string): string {
  return (/^[^.:]*/.exec(text)?.[0] ?? text).trim();
}

function sentence(text: string): string {
  return /[.:!]$/.test(text) ? text : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}
