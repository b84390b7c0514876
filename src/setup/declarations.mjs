// @ts-check
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/** A file of types for `dist/`. `path` is absolute. */
/** @typedef {{ path: string, text: string }} Declaration */

/**
 * The types of a source file and of all that its types come from, for `folder`, laid out as below `src/`. Made file by
 * file from what the sources state (`tsc` on the same files takes three seconds, this a quarter of one); whether they
 * are right is for `npm run check` and the tests.
 *
 * @param {string} root
 * @param {string} entry from `root`, below `src/`
 * @param {string} folder
 * @returns {Promise<Declaration[]>}
 */
export async function declarationsOf(root, entry, folder) {
  const compiler = path.join(root, 'node_modules/typescript/lib/typescript.js');
  /** @type {{ default: typeof import('typescript') }} */
  const { default: ts } = await import(pathToFileURL(compiler).href);
  const compilerOptions = {
    target: ts.ScriptTarget.ES2024,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    verbatimModuleSyntax: true,
    exactOptionalPropertyTypes: true,
  };
  const files = [path.join(root, entry)];
  const declarations = [];
  for (const file of files) {
    const { outputText } = ts.transpileDeclaration(fs.readFileSync(file, 'utf8'), {
      fileName: file,
      compilerOptions,
    });
    for (const [, from = ''] of outputText.matchAll(IMPORTED)) {
      const imported = path.join(path.dirname(file), from);
      if (!files.includes(imported)) files.push(imported);
    }
    const place = path.relative(path.join(root, 'src'), file).replace(/\.ts$/, '.d.ts');
    declarations.push({
      path: path.join(folder, place),
      // Whoever imports these need not allow `.ts` in imports.
      text: outputText.replace(IMPORTED, (match, from) => match.replace(from, from.replace(/\.ts$/, '.js'))),
    });
  }
  return declarations;
}

/** Imports and re-exports of files of ours. */
const IMPORTED = /(?<=\bfrom ['"]|\bimport\(['"])(\.{1,2}\/[^'"]+\.ts)(?=['"])/g;
