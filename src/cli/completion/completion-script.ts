import { bashScript } from './bash.ts';
import { fishScript } from './fish.ts';
import type { CommandNode } from './nodes.ts';
import { zshScript } from './zsh.ts';

/** The shells that can be completed for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS: Readonly<Record<Shell, (nodes: readonly CommandNode[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** What a shell has to read to complete telemetryctl's commands, options and their values. */
export function completionScript(shell: Shell, nodes: readonly CommandNode[]): string {
  return SCRIPTS[shell](nodes);
}
