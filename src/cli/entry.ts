import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Beside the program, where only whoever installed it can write; where that is not us, Node goes without.
enableCompileCache(fileURLToPath(new URL('./.compile-cache', import.meta.url)));

const { main } = await import('./main.ts');
const { ProcessIo } = await import('./io-node.ts');
process.exitCode = await main(process.argv.slice(2), new ProcessIo());
