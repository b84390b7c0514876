import { commandTree } from '../cli/command-tree.ts';
import { ProcessIo } from '../cli/io-node.ts';
import { collectorProgram } from '../collector/main.ts';
import { VERSION } from '../core/version.ts';
import { daemonProgram } from '../daemon/main.ts';
import { manualPage } from './page.ts';

/** A manual page and the name of its file. */
export interface ManualFile {
  readonly name: string;
  readonly text: string;
}

/**
 * The manual pages of all programs, made from their own trees of commands; the build writes them to `dist/man`. `date`
 * is the day they are made, as `2026-11-24`.
 */
export async function manualFiles(date: string): Promise<ManualFile[]> {
  const ignore = (): void => undefined;
  const ctl = await commandTree(new ProcessIo(), { finish: ignore, complain: ignore, isWanted: () => true });
  const pages = [
    { program: ctl, section: 1, seeAlso: ['telemetryd(8)', 'telemetry-collector(8)'] },
    { program: daemonProgram(ignore), section: 8, seeAlso: ['telemetryctl(1)', 'telemetry-collector(8)'] },
    { program: collectorProgram(), section: 8, seeAlso: ['telemetryctl(1)', 'telemetryd(8)'] },
  ];
  return pages.map(({ program, section, seeAlso }) => ({
    name: `${program.name()}.${section}`,
    text: manualPage(program, { section, seeAlso, date, version: VERSION }),
  }));
}
