import { existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildDist, isDistCurrent, missingPrograms, PROGRAMS } from '../../src/setup/dist.mjs';
import { Checkout, REPO } from './checkout.ts';

const { telemetryd = '', start = '' } = PROGRAMS;
const TWO = { telemetryd, start };

describe('the bundles in dist/', { timeout: 30_000 }, () => {
  it('are built for every program of the repository', () => {
    expect(missingPrograms(REPO)).toEqual([]);
  });

  it('are current after a build, until a source changes in content', async () => {
    const { root } = new Checkout().withPackages().withPrograms(TWO);
    expect(isDistCurrent(root)).toBe(false);
    await buildDist(root);
    expect(isDistCurrent(root)).toBe(true);

    utimesSync(join(root, start), new Date(), new Date());
    expect(isDistCurrent(root)).toBe(true);
    writeFileSync(join(root, start), 'console.log("changed");');
    expect(isDistCurrent(root)).toBe(false);
    await buildDist(root);
    expect(isDistCurrent(root)).toBe(true);
  });

  it('are not current when the build was interrupted or a bundle is gone', async () => {
    const { root } = new Checkout().withPackages().withPrograms(TWO);
    await buildDist(root);
    rmSync(join(root, 'dist/telemetryd.js'));
    expect(isDistCurrent(root)).toBe(false);
    await buildDist(root);
    rmSync(join(root, 'dist/.stamp'));
    expect(isDistCurrent(root)).toBe(false);
  });

  it('lie side by side, share their chunks and leave none of an older build', async () => {
    const checkout = new Checkout()
      .withPackages()
      .withPrograms(TWO, "import { pack } from 'msgpackr'; pack(1);");
    await buildDist(checkout.root);
    const before = chunks(checkout.root);
    expect(before).toHaveLength(1);
    checkout.withPrograms(TWO, "import { Packr } from 'msgpackr'; new Packr();");
    await buildDist(checkout.root);
    expect(chunks(checkout.root)).toHaveLength(1);
    expect(chunks(checkout.root)).not.toEqual(before);
  });

  it('come with the types of the library, and are not current without', async () => {
    const { segment = '' } = PROGRAMS;
    const code =
      "import { two } from './two.ts';\nexport interface One { readonly t: number }\nexport { two };";
    const { root } = new Checkout().withPackages().withPrograms({ segment }, code);
    writeFileSync(join(root, segment, '../two.ts'), '/** Two. */\nexport function two(): 2 { return 2; }');
    await buildDist(root);
    const types = join(root, 'dist/types/segment');
    expect(readdirSync(types).toSorted()).toEqual(['entry.d.ts', 'two.d.ts']);
    expect(readFileSync(join(types, 'entry.d.ts'), 'utf8')).toContain("from './two.js'");
    expect(readFileSync(join(types, 'two.d.ts'), 'utf8')).toContain(
      '/** Two. */\nexport declare function two(): 2;',
    );
    expect(isDistCurrent(root)).toBe(true);
    rmSync(join(root, 'dist/types'), { recursive: true });
    expect(isDistCurrent(root)).toBe(false);
  });

  it('hold the packages that may be bundled, and the native part of none', async () => {
    const code = `
      import { pino } from 'pino';
      import { pack, isNativeAccelerationEnabled } from 'msgpackr';
      pino(pino.destination({ fd: 1, sync: true })).info({ native: isNativeAccelerationEnabled, packed: pack([1]).length }, 'hello');`;
    const checkout = new Checkout().withPackages().withPrograms({ start }, code);
    await buildDist(checkout.root);
    rmSync(join(checkout.root, 'node_modules'), { recursive: true });
    const { stdout, stderr } = await checkout.run(process.execPath, [join(checkout.root, 'dist/start.js')]);
    expect(stderr).toBe('');
    expect(stdout).toContain('"native":false,"packed":2,"msg":"hello"');
    expect(readFileSync(join(checkout.root, 'dist/start.js'), 'utf8')).not.toContain('msgpackr-extract');
  });

  it('are not built from an incomplete checkout when that is forbidden', async () => {
    const checkout = new Checkout().withPackages().withPrograms(TWO);
    const build = join(checkout.root, 'src/setup/build.mjs');
    const strict = await checkout.run(process.execPath, [build, '--strict']);
    expect(strict.code).toBe(1);
    expect(strict.stderr).toContain('no source for telemetryctl');
    expect(existsSync(join(checkout.root, 'dist'))).toBe(false);
    const lenient = await checkout.run(process.execPath, [build]);
    expect(lenient.code).toBe(0);
    expect(lenient.stdout).toMatch(/^build: 2 programs, .*\n$/);
    const again = await checkout.run(process.execPath, [build]);
    expect(again).toMatchObject({ code: 0, stdout: 'build: dist/ is current\n' });
  });

  it('are left as they are where the build tool is not installed', async () => {
    const checkout = new Checkout().withPrograms(TWO);
    const build = join(checkout.root, 'src/setup/build.mjs');
    const ran = await checkout.run(process.execPath, [build, '--if-possible']);
    expect(ran.code).toBe(0);
    expect(ran.stdout).toContain('esbuild is not installed');
  });
});

function chunks(root: string): string[] {
  return readdirSync(join(root, 'dist')).filter((name) => name.startsWith('chunk-'));
}
