import { Command, CommanderError } from 'commander';
import { withoutHelpOnUnknown } from '../core/command-words.ts';
import { EXIT, exitCodeFor, messageOf, TelemetryError } from '../core/errors.ts';
import { VERSION } from '../core/version.ts';
import { runDaemon } from './run-node.ts';
import { parseRunOptions } from './run-options-node.ts';

/** The `telemetryd` program: its arguments to an exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const program = daemonProgram((code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(withoutHelpOnUnknown(program, argv), { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const hint = error instanceof TelemetryError && error.hint !== '' ? `Try: ${error.hint}\n` : '';
    process.stderr.write(`telemetryd: ${messageOf(error)}\n${hint}`);
    return exitCodeFor(error);
  }
}

/** The command tree; `finish` takes the exit code of what was run. */
export function daemonProgram(finish: (exitCode: number) => void): Command {
  const program = new Command('telemetryd')
    .description(
      'Transparent, consent-based input telemetry: records what the policy says, only once you agreed.',
    )
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'telemetryd: ')) })
    .showHelpAfterError('Try: telemetryd --help');
  program
    .command('run')
    .description('run the daemon in the foreground until it is told to stop')
    .option('--backend <name>', 'how to capture: auto, x11, uiohook, evdev (default: as the policy says)')
    .option('--replay <file>', 'play a recording (t_us,kind,x,y,a,b) through the pipeline; captures no one')
    .option('--speed <n>', 'with --replay: how many times as fast as recorded, or max', '1')
    .option(
      '--mode <mode>',
      'user, system or foreground: how it was started, as status shows it',
      'foreground',
    )
    .option(
      '--uploader <who>',
      'child: started by the daemon; service: by a unit that watches its outbox',
      'child',
    )
    .option('--until-stdin-closes', 'stop when standard input ends, so that no starter leaves it behind')
    .option('--log-level <level>', 'trace, debug, info, warn, error', 'info')
    .addHelpText('after', examples(['telemetryd run', 'telemetryd run --replay recording.csv --speed max']))
    .action(async (options: Record<string, unknown>) => {
      finish(await runDaemon(parseRunOptions(options)));
    });
  program
    .command('check-policy <file>')
    .description(
      'check a policy file before it is deployed: every problem with line and column, exit code 12',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      examples(['telemetryd check-policy policy.toml', 'telemetryd check-policy policy.toml --json']),
    )
    .action(async (file: string, options: { json?: boolean }) => {
      // Loaded here alone: the running daemon must not hold the parser and the schema in memory.
      const { checkPolicy } = await import('../policy/check-policy.ts');
      const check = checkPolicy(file);
      process.stdout.write(options.json === true ? `${JSON.stringify(check.json)}\n` : check.text);
      finish(check.exitCode);
    });
  return program;
}

function examples(lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}
