import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect, onTestFinished } from 'vitest';

/** Prints each datagram in hexadecimal on a line of its own. */
const LISTENER = `
import socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1].replace('@', '\\0', 1) if sys.argv[1][0] == '@' else sys.argv[1])
print('bound', flush=True)
while True: print(listener.recv(65536).hex(), flush=True)
`;

/**
 * Listens for datagrams on a Unix socket, which Node has not and Python has, until the test is over; a leading `@` is
 * the abstract namespace. Gives one after the other.
 */
export async function listenForDatagrams(address: string): Promise<() => Promise<string>> {
  const listener = spawn('python3', ['-c', LISTENER, address], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void listener.kill());
  const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  expect(await next()).toBe('bound');
  return async () => Buffer.from(await next(), 'hex').toString();
}
