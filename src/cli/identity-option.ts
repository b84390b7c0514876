import type { Command } from 'commander';

/** Adds `--identity FILE`, which may come more than once; its value is `identity?: string[]`. */
export function addIdentityOption(command: Command): Command {
  return command.option(
    '-i, --identity <file>',
    'age identity for encrypted files; repeatable',
    (file: string, before: string[] | undefined) => [...(before ?? []), file],
  );
}
