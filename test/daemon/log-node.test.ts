import { spawn } from 'node:child_process';
import { fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it, onTestFinished } from 'vitest';
import { daemonLog } from '../../src/daemon/log-node.ts';
import { journalEntry } from '../../src/posix/journal-socket.ts';
import { openLibc } from '../../src/posix/libc-koffi.ts';
import { temporaryFolder } from '../control/sockets.ts';

/** Listens as systemd's journal does, and prints each datagram in hexadecimal on a line of its own. */
const JOURNAL = `
import socket, sys
journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
journal.bind(sys.argv[1])
print('bound', flush=True)
while True: print(journal.recv(65536).hex(), flush=True)
`;

/** Lines of a journal that listens at `path`. */
async function startJournal(path: string): Promise<() => Promise<string>> {
  const journal = spawn('python3', ['-c', JOURNAL, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void journal.kill());
  const lines = createInterface({ input: journal.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => String((await lines.next()).value);
  expect(await next()).toBe('bound');
  return async () => Buffer.from(await next(), 'hex').toString();
}

/** A file that stands for what systemd connects standard output to. */
function stdoutIn(folder: string): {
  readonly fd: number;
  readonly stream: string;
  readonly text: () => string;
} {
  const path = join(folder, 'stdout');
  const fd = openSync(path, 'w');
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return { fd, stream: `${dev}:${ino}`, text: () => readFileSync(path, 'utf8') };
}

describe('the daemon’s log', () => {
  it('gives systemd’s journal a priority and fields of its own', async () => {
    const folder = temporaryFolder();
    const next = await startJournal(join(folder, 'journal'));
    const { fd, stream, text } = stdoutIn(folder);
    const { libc } = openLibc();
    const env = { JOURNAL_STREAM: stream };
    const log = daemonLog({ level: 'info', env, libc, stdout: fd, journalPath: join(folder, 'journal') });
    log.info({ event: 'segment-sent', chargedBytes: 12 }, 'segment sent');
    expect(await next()).toBe(
      'MESSAGE=segment sent\nPRIORITY=6\nSYSLOG_IDENTIFIER=telemetryd\nTELEMETRYD_EVENT=segment-sent\nTELEMETRYD_CHARGED_BYTES=12\n',
    );
    log.debug({ event: 'uploader-exited' }, 'not asked for');
    log.error({ event: 'uploader-problem', stderr: 'one\ntwo' }, 'bad');
    const entry = await next();
    expect(entry).toContain('MESSAGE=bad\nPRIORITY=3\n');
    expect(entry).toContain('TELEMETRYD_STDERR\n\u0007\0\0\0\0\0\0\0one\ntwo\n');
    expect(text()).toBe('');
  });

  it('puts the priority before the line when the journal takes no entry', () => {
    const folder = temporaryFolder();
    const { fd, stream, text } = stdoutIn(folder);
    const options = { level: 'info', env: { JOURNAL_STREAM: stream }, stdout: fd };
    daemonLog({ ...options, libc: openLibc().libc, journalPath: join(folder, 'nobody') }).warn(
      { event: 'daemon-note', code: 'x' },
      'odd',
    );
    daemonLog({ ...options, libc: null }).error({ event: 'journal-not-written' }, 'bad');
    const [first = '', second = ''] = text().split('\n');
    expect(first).toMatch(/^<4>\{"level":40,.*"event":"daemon-note","code":"x","msg":"odd"\}$/);
    expect(second).toMatch(/^<3>\{"level":50,.*"msg":"bad"\}$/);
  });

  it('is plain lines of JSON where standard output is not the journal', async () => {
    const folder = temporaryFolder();
    const { fd, text } = stdoutIn(folder);
    // The variable is inherited by whatever a service starts, also where the output goes elsewhere.
    for (const env of [{}, { JOURNAL_STREAM: '1:2' }])
      daemonLog({ level: 'info', env, libc: openLibc().libc, stdout: fd }).info(
        { event: 'daemon-started' },
        'started',
      );
    await expect.poll(() => text().split('\n').length).toBe(3);
    for (const line of text().trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ event: 'daemon-started', msg: 'started' });
  });
});

it('an entry of the journal gives the length of a value that has line ends', () => {
  expect(Buffer.from(journalEntry({ A: 'b', C: 'd\ne' })).toString('latin1')).toBe(
    'A=b\nC\n\u0003\0\0\0\0\0\0\0d\ne\n',
  );
});
