/** `node bench/main.ts NAME`: runs one benchmark and prints what it measured. */
const BENCHES: Readonly<Record<string, () => Promise<{ run(args: readonly string[]): Promise<void> }>>> = {
  capture: () => import('./capture.ts'),
  cli: () => import('./cli.ts'),
  collector: () => import('./collector.ts'),
  format: () => import('./format.ts'),
  soak: () => import('./soak.ts'),
};

const [name = '', ...args] = process.argv.slice(2);
const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
if (load === undefined) {
  console.error(
    `bench: there is no benchmark ${JSON.stringify(name)}\nTry: npm run bench ${Object.keys(BENCHES).join(' | ')}`,
  );
  process.exitCode = 2;
} else {
  const bench = await load();
  await bench.run(args);
}
