import { fstatSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { daemonLog } from '../../src/daemon/log-node.ts';
import { journalEntry } from '../../src/posix/journal-socket.ts';
import { openLibc } from '../../src/posix/libc-koffi.ts';
import { temporaryFolder } from '../control/sockets.ts';
import { listenForDatagrams } from './datagram-listener.ts';

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
    const next = await listenForDatagrams(join(folder, 'journal'));
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
