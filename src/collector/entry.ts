import { main } from './main.ts';

process.umask(0o077);
process.exitCode = await main(process.argv.slice(2));
