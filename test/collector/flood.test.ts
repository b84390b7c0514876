import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { COLLECTOR_PROGRAM, eventually, spawnCollector, temporaryFolder } from './support.ts';
import { rawPut, receiving } from './wire.ts';

/** Memory that is the process's own: RssAnon of proc(5). */
function memoryOf(pid: number): number {
  const [, kilobytes = '0'] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}

it.runIf(process.platform === 'linux')('many large bodies at once stay on disk, not in memory', async () => {
  const { url, child } = await spawnCollector(COLLECTOR_PROGRAM, await temporaryFolder());
  const pid = child.pid ?? 0;
  await receiving(url);
  const before = memoryOf(pid);
  const bodyBytes = 12_000_000;
  const sockets = await Promise.all(
    Array.from({ length: 24 }, () =>
      rawPut(url, [
        `content-length: ${bodyBytes + 1}`,
        `content-digest: sha-256=:${Buffer.alloc(32).toString('base64')}:`,
      ]),
    ),
  );
  await eventually(async () => (await receiving(url)) === sockets.length);
  const piece = Buffer.alloc(1_000_000, 7);
  for (let sent = 0; sent < bodyBytes; sent += piece.length)
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.write(piece, resolve))));
  // All of it is out of this process, and none of the bodies has ended.
  expect(await receiving(url)).toBe(sockets.length);
  const grownBytes = memoryOf(pid) - before;
  expect(grownBytes).toBeLessThan((sockets.length * bodyBytes) / 3);
});
