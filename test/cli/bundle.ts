import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Metafile } from 'esbuild';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const REQUIRE =
  "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);";

/** Where the program is, and esbuild's account of which source went where. */
export interface Bundle {
  readonly program: string;
  readonly metafile: Metafile;
}

/** Bundles telemetryctl as the project's build does, into a folder of the caller's. */
export async function bundle(folder: string): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: { telemetryctl: 'src/cli/entry.ts' },
    outdir: folder,
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minifySyntax: true,
    minifyWhitespace: true,
    metafile: true,
    alias: { msgpackr: join(ROOT, 'node_modules/msgpackr/index.js') },
    external: ['uiohook-napi', 'fastify', 'msgpackr-extract'],
    write: false,
    logLevel: 'error',
  });
  for (const { path, text } of outputFiles) {
    // CommonJS packages call `require`, which an ES module does not have.
    writeFileSync(path, text.includes('require') ? `${REQUIRE}\n${text}` : text);
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return { program: join(folder, 'telemetryctl.js'), metafile };
}
