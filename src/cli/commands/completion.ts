import { Argument, type Command } from 'commander';
import { completionScript, SHELLS, type Shell } from '../completion/completion-script.ts';
import { nodesOf } from '../completion/nodes.ts';
import type { CliIo } from '../io.ts';

const EXAMPLES = `
Examples:
  telemetryctl completion bash >> ~/.bashrc
  telemetryctl completion zsh > ~/.zfunc/_telemetryctl
  telemetryctl completion fish > ~/.config/fish/completions/telemetryctl.fish`;

/** Adds `completion bash|zsh|fish`. */
export function define(command: Command, io: CliIo): void {
  command
    .addArgument(new Argument('<shell>', 'whose completion to print').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => {
      if (command.parent !== null) io.out(completionScript(shell, nodesOf(command.parent)));
    });
}
