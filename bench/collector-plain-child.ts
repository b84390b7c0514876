/**
 * What the collector is measured against: `node:http` and nothing else, which makes every body as durable a file (a
 * temporary one, fdatasync, rename, fsync of its folder) before it answers. Argument: the folder.
 */
import { mkdir, open, rename } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

const folder = process.argv[2] ?? '';
let received = 0;

async function keep(request: IncomingMessage): Promise<void> {
  const temporary = join(folder, `${received++}.part`);
  const target = join(folder, request.url ?? '');
  const file = await open(temporary, 'wx', 0o600);
  try {
    for await (const chunk of request) await file.write(chunk as Buffer);
    await file.datasync();
  } finally {
    await file.close();
  }
  await mkdir(dirname(target), { recursive: true });
  await rename(temporary, target);
  const parent = await open(dirname(target), 'r');
  await parent.sync().finally(() => parent.close());
}

const server = createServer((request, response) => {
  keep(request).then(
    () => response.writeHead(201).end(),
    (error: unknown) => response.writeHead(500).end(String(error)),
  );
});
server.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
