import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EXIT } from '../src/core/errors.ts';

const ROOT = join(import.meta.dirname, '..');
const TEXT = readFileSync(join(ROOT, 'README.md'), 'utf8');
const FENCED = /^```(\w*)\n([^]*?)^```$/gm;
const BLOCKS = [...TEXT.matchAll(FENCED)].map(([, language = '', text = '']) => ({ language, text }));
const SPANS = [...TEXT.replaceAll(FENCED, '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text);

/** What a reader may type: lines after `$ `, and code in running text; pipelines and comments taken apart. */
const TYPED = [
  ...BLOCKS.filter(({ language }) => language === 'console').flatMap(({ text }) =>
    [...text.matchAll(/^\$ (.+)$/gm)].map(([, line = '']) => line),
  ),
  ...SPANS,
].flatMap((line) => line.split(/ [|#] |[;&]+/).map((part) => part.trim().replace(/^([A-Z_]+=\S+ )+/, '')));

describe('the README', { timeout: 60_000 }, () => {
  it('names only commands and options that the programs have', async () => {
    const commands = TYPED.flatMap((line) => {
      const [, program, rest = ''] =
        /^(?:bin\/)?(telemetryd|telemetryctl|telemetry-collector)(?: (.*))?$/.exec(line) ?? [];
      return program === undefined ? [] : [{ program, words: rest.split(/\s+/).filter(Boolean) }];
    });
    const unknown: string[] = [];
    for (const { program, words } of commands) unknown.push(...(await unknownWords(program, words)));
    expect(unknown).toEqual([]);
    expect(commands.length).toBeGreaterThan(20);
    expect(await unknownWords('telemetryctl', ['consent', 'sell', '--all'])).toHaveLength(2);
  });

  it('names only npm scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
    const named = TYPED.flatMap((line) => /^npm (?:run )?(\w+)/.exec(line)?.[1] ?? []);
    expect(named).toEqual(expect.arrayContaining(['start', 'test', 'check']));
    expect(named.filter((name) => name !== 'ci' && !Object.hasOwn(scripts, name))).toEqual([]);
  });

  it('has every exit code in its table, and no other', () => {
    const codes = [...TEXT.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => Number(code));
    expect(codes).toEqual(Object.values(EXIT).toSorted((a, b) => a - b));
  });

  it('has every folder of src in its code map, and no other', () => {
    const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    const mapped = [...TEXT.matchAll(/^\| `src\/([\w-]+)` \|/gm)].map(([, name]) => name);
    expect(mapped.toSorted()).toEqual(folders.map(({ name }) => name).toSorted());
  });

  it('names every variable that the programs read, and no other', () => {
    const variables = (text: string): string[] =>
      [...text.matchAll(/\bTELEMETRYD_[A-Z_]+/g)].map(([name]) => name);
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'));
    expect(new Set(variables(TEXT))).toEqual(new Set(variables(sources.join('\n'))));
  });

  it('links to files and names paths that exist', () => {
    const links = [...TEXT.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) =>
      /^(https?:|#)/.test(target) ? [] : target.replace(/#.*/, ''),
    );
    const paths = SPANS.filter((text) =>
      /^(src|test|docs|bench|systemd|launchd|\.ci)\/[a-z./-]+$/.test(text),
    );
    expect(links.length).toBeGreaterThan(5);
    expect([...links, ...paths].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('shows a policy that check-policy accepts', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'readme-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'policy.toml');
    writeFileSync(file, BLOCKS.find(({ language }) => language === 'toml')?.text ?? 'none');
    await expect(run('telemetryd', ['check-policy', file])).resolves.toContain('is valid');
  });
});

/** The words of a command line that no help knows: commands that are none, and options that the command has not. */
async function unknownWords(program: string, words: readonly string[]): Promise<string[]> {
  const path: string[] = [];
  const unknown: string[] = [];
  // What follows an option may be its value.
  const firstOption = words.findIndex((word) => word.startsWith('-'));
  for (const word of firstOption < 0 ? words : words.slice(0, firstOption)) {
    const { commands } = await helpOf(program, path);
    if (commands.has(word)) path.push(word);
    else if (commands.size > 0) unknown.push(`${[program, ...path].join(' ')} ${word}`);
    if (!commands.has(word)) break;
  }
  const { options } = await helpOf(program, path);
  const wrong = words.filter((word) => word.startsWith('-') && !options.has(word));
  return [...unknown, ...wrong.map((word) => `${[program, ...path].join(' ')} ${word}`)];
}

interface Help {
  readonly commands: ReadonlySet<string>;
  readonly options: ReadonlySet<string>;
}

const helps = new Map<string, Promise<Help>>();

function helpOf(program: string, path: readonly string[]): Promise<Help> {
  const key = [program, ...path].join(' ');
  const help = helps.get(key) ?? run(program, [...path, '--help']).then(parseHelp);
  helps.set(key, help);
  return help;
}

function parseHelp(text: string): Help {
  const section = (title: string): string =>
    new RegExp(`^${title}:\n((?: .*\n)*)`, 'm').exec(text)?.[1] ?? '';
  // The page of telemetryctl itself has the commands right under its usage.
  const listed = /^Usage: \w+ COMMAND.*\n((?: .*\n)*)/.exec(text)?.[1] ?? section('Commands');
  const commands = [...listed.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, name = '']) => name);
  const options = [...section('Options').matchAll(/^ {2}.*?(--[\w-]+)/gm)].map(([, name = '']) => name);
  return { commands: new Set(commands), options: new Set(options) };
}

async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(join(ROOT, 'bin', program), args);
  return stdout;
}
