import { main } from './main.ts';

// The hook's own thread would keep the process alive.
process.exit(await main());
