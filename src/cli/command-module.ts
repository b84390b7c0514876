import type { Command } from 'commander';
import type { CliIo } from './io.ts';

/** What a command's module exports: `define` adds options, examples and the action to its (sub)command. */
export interface CommandModule {
  define(command: Command, io: CliIo, finish: Finish): void;
}

/** Called by an action with the exit code, unless it is 0. */
export type Finish = (code: number) => void;
