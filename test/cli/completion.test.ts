import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../control/sockets.ts';
import { run } from './run.ts';

/** What is typed up to the cursor, and what Tab must offer there. */
const TYPED: readonly [line: string, offered: readonly string[]][] = [
  ['telemetryctl pau', ['pause']],
  ['telemetryctl consent ', ['grant', 'revoke', 'show']],
  ['telemetryctl consent grant --', ['--help', '--json', '--yes']],
  ['telemetryctl export --format ', ['csv', 'jsonl', 'parquet']],
  ['telemetryctl inspect --json segment-', ['segment-1.tlm', 'segment-2.tlm']],
  ['telemetryctl completion ', ['bash', 'fish', 'zsh']],
  ['telemetryctl pause --reason ', []],
];

describe('completion', () => {
  it('is printed for three shells, whole, and for no other', async () => {
    const stateDir = temporaryFolder();
    const scripts = await Promise.all(['bash', 'zsh', 'fish'].map((shell) => scriptFor(shell)));
    for (const script of scripts)
      for (const word of ['consent', 'revoke', 'until']) expect(script).toContain(word);
    const refused = await run(['completion', 'tcsh'], { stateDir });
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('bash, zsh, fish');
  });

  it.each(TYPED)('of "%s" by bash is %j', async (line, offered) => {
    const folder = await folderWith('bash');
    const words = line.split(' ');
    const script = `source ./script; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _telemetryctl
      for each in "\${COMPREPLY[@]}"; do echo "$each"; done`;
    const out = execFileSync('bash', ['--norc', '-c', script, 'test', ...words], {
      cwd: folder,
      encoding: 'utf8',
      // compopt has nothing to change where no Tab was pressed.
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(lines(out)).toEqual(offered);
  });

  it('of an option that was given with = by bash is of its value', async () => {
    const folder = await folderWith('bash');
    const script = `source ./script; COMP_WORDS=(telemetryctl export --format = c); COMP_CWORD=4; _telemetryctl; echo "\${COMPREPLY[@]}"`;
    expect(execFileSync('bash', ['--norc', '-c', script], { cwd: folder, encoding: 'utf8' })).toBe('csv\n');
  });

  it.runIf(has('fish'))('is the same by fish', async () => {
    const folder = await folderWith('fish');
    const script = `source ./script; for line in $argv; complete -C $line | string replace -r '\\t.*' ''; echo =; end`;
    const out = execFileSync('fish', ['-N', '-c', script, ...TYPED.map(([line]) => line)], {
      cwd: folder,
      env: { ...process.env, HOME: folder },
      encoding: 'utf8',
    });
    expect(out.split('=\n').slice(0, -1).map(lines)).toEqual(TYPED.map(([, offered]) => offered));
  });

  it.runIf(has('zsh'))('is taken by zsh, and completes what is typed on a terminal of its own', async () => {
    const folder = await folderWith('zsh');
    writeFileSync(join(folder, 'driver'), DRIVER);
    const out = execFileSync(
      'zsh',
      [
        '-f',
        'driver',
        'telemetryctl paus',
        'telemetryctl consent gr',
        'telemetryctl export --format pa',
        'telemetryctl status --sho',
      ],
      {
        cwd: folder,
        env: { ...process.env, HOME: folder, TERM: 'dumb' },
        encoding: 'utf8',
      },
    );
    expect(lines(out)).toEqual(['consent grant', 'export --format parquet', 'pause', 'status --short']);
  });
});

/** Types each argument and Tab into an interactive zsh, and prints the line as it then is, without the program. */
const DRIVER = `zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1= PS2= RPS1=; autoload -Uz compinit; compinit -u -D; source ./script"
zpty -w shell 'show() { print -r -- "<<\${BUFFER% }>>"; zle kill-buffer; }; zle -N show; bindkey "^X" show; print rea""dy'
zpty -r -m shell seen '*ready*'
for line in "$@"; do
  zpty -w -n shell "$line"$'\\t\\x18'
  zpty -r -m shell seen '*<<*>>*'
  seen=\${seen##*<<}
  print -r -- "\${\${seen%%>>*}#telemetryctl }"
done
zpty -d shell
`;

async function scriptFor(shell: string): Promise<string> {
  const { code, out } = await run(['completion', shell], { stateDir: temporaryFolder() });
  expect(code).toBe(0);
  return out;
}

async function folderWith(shell: string): Promise<string> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'script'), await scriptFor(shell));
  for (const name of ['segment-1.tlm', 'segment-2.tlm']) writeFileSync(join(folder, name), '');
  return folder;
}

function has(program: string): boolean {
  return spawnSync(program, ['--version']).status === 0;
}

function lines(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}
