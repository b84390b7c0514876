import { text } from 'node:stream/consumers';
import { type Fault, FaultyCollector } from './faulty-collector.ts';

/** A collector in a process of its own, for another network namespace; prints its port and ends with its input. */
const [host = '', faults = '["good"]', tls] = process.argv.slice(2);
const server = new FaultyCollector(
  JSON.parse(faults) as Fault[],
  tls === undefined ? undefined : (JSON.parse(tls) as { key: string; cert: string }),
);
await server.start(host);
process.stdout.write(`${server.port}\n`);
await text(process.stdin);
await server.stop();
