import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CHECK_NAMES, exitCodeOf, failed, skipped, warn } from '../../src/cli/doctor/check.ts';
import { doctorPage } from '../../src/cli/text/doctor-page.ts';
import { CAPTURING, PAUSED } from '../control/reports.ts';
import { hostileServer, startServer, temporaryFolder } from '../control/sockets.ts';
import { makeCertificate } from '../upload/self-signed.ts';
import { Machine, type RecordedUnit, tlsServer } from './doctor-desk.ts';
import { NOW, run } from './run.ts';

const WELL = { status: 200, body: '{"ok":true,"receiving":0}' };
const isRoot = process.getuid?.() === 0;

const SERVICE: RecordedUnit = {
  id: 'telemetryd.service',
  load: 'loaded',
  active: 'active',
  result: 'success',
  file: 'enabled',
};
const PATH_UNIT: RecordedUnit = { ...SERVICE, id: 'telemetryd-uploader.path' };

describe('telemetryctl doctor', () => {
  it('finds a machine well on which all is well, and says so in 80 columns', async () => {
    const machine = new Machine();
    machine.systemctl([SERVICE, PATH_UNIT]);
    await machine.daemon((base) => ({ ...base, upload: { ...base.upload, destination: '' } }));
    machine.settleTimes();
    const { code, worst, checks } = await machine.doctor();
    expect(checks.map(({ name }) => name)).toEqual(CHECK_NAMES);
    expect({ code, worst }).toEqual({ code: 0, worst: 'ok' });
    const settled = checks.map((check) => ({
      ...check,
      text: check.text
        .replaceAll(machine.root, '/home/ada')
        .replace(/[\d.]+ [A-Z]B are free/, '83 GB are free'),
    }));
    const page = doctorPage(settled, false);
    for (const line of page.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    await expect(page).toMatchFileSnapshot('golden/doctor-well.txt');
    const { out } = await machine.page();
    expect(out).toContain('ok       consent       It was given and stands.');
    expect(doctorPage([failed('clock', 'Late.', 'wait')], true)).toMatch(
      /^\u001b\[31mFAILED\u001b\[39m {3}clock/,
    );
  });

  it('says what it can of a machine without a daemon, and lets nothing pass that it could not look at', async () => {
    const machine = new Machine();
    const { code, checks } = await machine.doctor();
    expect(code).toBe(10);
    const severities = Object.fromEntries(checks.map(({ name, severity }) => [name, severity]));
    expect(severities).toMatchObject({
      daemon: 'fail',
      socket: 'skipped',
      unit: 'skipped',
      consent: 'skipped',
      backend: 'skipped',
      policy: 'ok',
      'disk-space': 'ok',
    });
    for (const check of checks) if (check.severity === 'fail') expect(check.fix, check.name).not.toBe('');
  });

  it('tells another account no more than the daemon does', async () => {
    const machine = new Machine();
    const restricted = {
      schema: 1 as const,
      restricted: true as const,
      daemon: { version: CAPTURING.daemon.version },
      collection: { state: 'capturing' as const },
    };
    await startServer({ status: () => restricted }, join(machine.stateDir, 'run', 'control.sock'));
    const { checks, code } = await machine.doctor();
    expect(code).toBe(0);
    for (const name of ['consent', 'display', 'permissions', 'backend'])
      expect(checks.find((check) => check.name === name)?.severity, name).toBe('skipped');
  });

  it('exits by the worst: the policy, then the daemon, then anything; warnings and what was skipped are 0', () => {
    expect(exitCodeOf([warn('power', '', ''), skipped('unit', '')])).toBe(0);
    expect(exitCodeOf([failed('socket', '', ''), warn('power', '', '')])).toBe(1);
    expect(exitCodeOf([failed('socket', '', ''), failed('daemon', '', '')])).toBe(10);
    expect(exitCodeOf([failed('daemon', '', ''), failed('policy', '', '')])).toBe(12);
  });
});

describe('a check of the doctor fails', () => {
  it('daemon: when it answers with nonsense', async () => {
    const machine = new Machine();
    const path = await hostileServer((socket) =>
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{{{'),
    );
    machine.env['TELEMETRYD_SOCKET'] = path;
    const { code, checks } = await machine.doctor();
    expect(checks.find(({ name }) => name === 'daemon')).toMatchObject({
      severity: 'fail',
      text: 'The daemon’s answer is not JSON.',
    });
    expect(checks.find(({ name }) => name === 'socket')).toMatchObject({ severity: 'fail' });
    expect(code).toBe(10);
  });

  it('daemon: warns of one that an upgrade left running', async () => {
    const machine = new Machine();
    await machine.daemon((base) => ({ ...base, daemon: { ...base.daemon, version: '0.0.9' } }));
    expect(await machine.check('daemon')).toMatchObject({
      severity: 'warn',
      fix: expect.stringContaining('restart') as string,
    });
  });

  it('socket: when a dead daemon left it', async () => {
    const machine = new Machine();
    mkdirSync(join(machine.stateDir, 'run'), { mode: 0o700 });
    const path = join(machine.stateDir, 'run', 'control.sock');
    // As after kill -9: the file stays and nobody listens.
    execFileSync('python3', [
      '-c',
      'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])',
      path,
    ]);
    expect(await machine.check('socket')).toMatchObject({
      severity: 'fail',
      text: expect.stringContaining('Nobody listens') as string,
    });
  });

  it('socket: when something else lies in its place, or others could replace it', async () => {
    const machine = new Machine();
    const folder = join(machine.stateDir, 'run');
    mkdirSync(folder, { mode: 0o700 });
    writeFileSync(join(folder, 'control.sock'), '');
    expect((await machine.check('socket')).text).toContain('is not a socket');
    rmSync(join(folder, 'control.sock'));
    await machine.daemon();
    chmodSync(folder, 0o777);
    expect(await machine.check('socket')).toMatchObject({ severity: 'fail', fix: `chmod go-w ${folder}` });
  });

  it('unit: when the service manager gave up, and warns when it does not start by itself', async () => {
    const machine = new Machine();
    machine.systemctl([{ ...SERVICE, active: 'failed', result: 'start-limit-hit' }]);
    expect(await machine.check('unit')).toMatchObject({
      severity: 'fail',
      text: 'telemetryd.service has failed (start-limit-hit).',
      fix: 'journalctl --user -u telemetryd.service; then systemctl --user restart telemetryd.service',
    });
    machine.systemctl([SERVICE, { ...PATH_UNIT, active: 'failed', result: 'unit-start-limit-hit' }]);
    expect((await machine.check('unit')).text).toContain('telemetryd-uploader.path has failed');
    machine.systemctl([{ ...SERVICE, active: 'inactive' }]);
    expect((await machine.check('unit')).severity).toBe('fail');
    await machine.daemon();
    expect((await machine.check('unit')).severity).toBe('warn');
    machine.systemctl([{ ...SERVICE, file: 'disabled' }]);
    expect(await machine.check('unit')).toMatchObject({
      severity: 'warn',
      fix: 'systemctl --user enable telemetryd.service',
    });
    machine.systemctl([{ ...SERVICE, load: 'not-found', active: 'inactive', file: '' }]);
    expect((await machine.check('unit')).severity).toBe('skipped');
    rmSync(join(machine.programs, 'systemctl'));
    machine.env['PATH'] = machine.programs;
    expect((await machine.check('unit')).text).toContain('no service manager');
  });

  it('unit: reads what launchctl prints', async () => {
    const { unitStates } = await import('../../src/cli/doctor/unit.ts');
    const machine = new Machine();
    const path = join(machine.programs, 'launchctl');
    const print = (state: string, code: string): string =>
      `gui/501/com.telemetryd.daemon = {\n\tactive count = 1\n\tpath = /Library/LaunchAgents/com.telemetryd.daemon.plist\n\ttype = LaunchAgent\n\tstate = ${state}\n\n\truns = 3\n\tlast exit code = ${code}\n}\n`;
    const states = async (state: string, code: string): Promise<string[] | undefined> => {
      writeFileSync(
        path,
        `#!/bin/sh\n[ "$2" = gui/501/com.telemetryd.daemon ] || exit 113\ncat <<'END'\n${print(state, code)}END\n`,
      );
      chmodSync(path, 0o755);
      const around = { env: machine.env, platform: 'darwin', uid: 501, home: '/Users/ada', cwd: '/' };
      const found = await unitStates({ io: { around } as never });
      return found?.map(({ unit, state: word, result }) => `${unit} ${word} ${result}`);
    };
    expect(await states('running', '(never exited)')).toEqual(['com.telemetryd.daemon active ']);
    expect(await states('not running', '12')).toEqual(['com.telemetryd.daemon failed exit code 12']);
    expect(await states('not running', '0')).toEqual(['com.telemetryd.daemon inactive ']);
  });

  it('policy: when a file is refused, with line and column', async () => {
    const machine = new Machine();
    machine.policy('[capture]\nkeys = "all"\n');
    const { code, checks } = await machine.doctor();
    expect(code).toBe(12);
    const found = checks.find(({ name }) => name === 'policy');
    expect(found?.severity).toBe('fail');
    expect(found?.text).toContain('policy.toml:2:8: capture.keys must be one of');
  });

  it('policy: when the daemon goes on with the last good one, or has not read the new one', async () => {
    const machine = new Machine();
    await machine.daemon((base) => ({ ...base, policy: { ...PAUSED.policy } }));
    expect((await machine.check('policy')).text).toContain('The last good one stays in force.');
    const other = new Machine();
    await other.daemon();
    other.policy('[pause]\nmax = "40m"\n');
    expect(await other.check('policy')).toMatchObject({
      severity: 'warn',
      text: expect.stringContaining('another one in force') as string,
    });
  });

  it('policy: warns when it lacks what must be told before anything leaves', async () => {
    const machine = new Machine();
    machine.policy('[upload]\nurl = "https://collector.example.com"\n');
    expect(await machine.check('policy')).toMatchObject({
      severity: 'warn',
      text: expect.stringContaining('notice.controller') as string,
    });
  });

  it('display: when there is no X server, or it is another machine’s', async () => {
    const machine = new Machine();
    machine.env['DISPLAY'] = ':64123';
    expect(await machine.check('display')).toMatchObject({
      severity: 'fail',
      text: 'No X server answers on display :64123.',
    });
    machine.env['DISPLAY'] = 'desk.example.com:10.0';
    expect((await machine.check('display')).text).toContain('no display of this machine');
  });

  it('display, permissions and backend: with the words of a daemon that is blocked', async () => {
    const blocked = (code: string) => async (): Promise<Machine> => {
      const machine = new Machine();
      await machine.daemon((base) => ({
        ...base,
        capture: { ...base.capture, alive: false, pid: null },
        collection: {
          ...base.collection,
          state: 'blocked',
          reasons: [{ code, text: 'It is so.', hint: 'mend it' }],
        },
      }));
      return machine;
    };
    const said = { severity: 'fail', text: 'It is so.', fix: 'mend it' };
    const without = await blocked('no-display')();
    expect(await without.check('display')).toMatchObject(said);
    expect(await without.check('backend')).toMatchObject(said);
    expect(await (await blocked('display-refused')()).check('permissions')).toMatchObject(said);
  });

  it('permissions: when the devices of a Wayland session may not be read', async () => {
    const machine = new Machine();
    machine.env['WAYLAND_DISPLAY'] = 'wayland-0';
    const { text, severity } = await machine.check('permissions');
    // Here: none at all, unreadable, or, on a developer's machine, fine.
    expect(text).toMatch(/input devices/);
    if (text.includes('no input devices') || text.includes('may not')) expect(severity).toBe('fail');
    expect((await machine.check('display')).severity).toBe('skipped');
  });

  it('backend: warns of what the daemon would like known while it captures', async () => {
    const machine = new Machine();
    const reasons = [{ code: 'over-cpu-limit', text: 'It costs too much.', hint: 'wait' }];
    await machine.daemon((base) => ({ ...base, collection: { ...base.collection, reasons } }));
    expect(await machine.check('backend')).toMatchObject({
      severity: 'warn',
      text: 'x11 runs. It costs too much.',
    });
    const paused = new Machine();
    await paused.daemon(() => ({ ...PAUSED, daemon: { ...PAUSED.daemon, stateDir: paused.stateDir } }));
    expect((await paused.check('backend')).severity).toBe('skipped');
  });

  it('state-folder: when others may look into it, or read the device’s key', async () => {
    const machine = new Machine();
    chmodSync(machine.stateDir, 0o750);
    expect(await machine.check('state-folder')).toMatchObject({
      severity: 'fail',
      fix: `chmod 700 ${machine.stateDir}`,
    });
    chmodSync(machine.stateDir, 0o700);
    expect((await machine.check('state-folder')).severity).toBe('ok');
    machine.enrol('https://collector.example.com');
    chmodSync(join(machine.stateDir, 'device-key.json'), 0o644);
    expect((await machine.check('state-folder')).text).toContain('Others may read');
  });

  it.runIf(isRoot)('state-folder: when something in it is another’s', async () => {
    const machine = new Machine();
    writeFileSync(join(machine.stateDir, 'ledger.jsonl'), '');
    execFileSync('chown', ['65534', join(machine.stateDir, 'ledger.jsonl')]);
    expect((await machine.check('state-folder')).text).toContain('belongs to uid 65534');
  });

  it.runIf(isRoot)('state-folder and disk-space: when the disk is read-only, or full', async () => {
    const machine = new Machine();
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', machine.stateDir]);
    onTestFinished(() => void execFileSync('umount', ['-l', machine.stateDir]));
    expect(await machine.check('disk-space')).toMatchObject({
      severity: 'fail',
      text: expect.stringContaining('Only') as string,
    });
    expect((await machine.check('state-folder')).severity).toBe('ok');
    execFileSync('mount', ['-o', 'remount,ro', machine.stateDir]);
    expect((await machine.check('state-folder')).text).toContain('mounted read-only');
  });

  it('disk-space: when the daemon could not store, and warns when there is less than the policy allows', async () => {
    const machine = new Machine();
    await machine.daemon((base) => ({ ...base, spool: { ...base.spool, problem: 'the disk is full' } }));
    expect((await machine.check('disk-space')).text).toContain('the disk is full');
    const other = new Machine();
    await other.daemon((base) => ({ ...base, spool: { ...base.spool, limitBytes: 1e18 } }));
    expect((await other.check('disk-space')).severity).toBe('warn');
  });

  it('clock: warns when it is behind what was written before', async () => {
    const machine = new Machine();
    const file = join(machine.stateDir, 'sent.jsonl');
    writeFileSync(file, '');
    const soon = NOW.wallMs / 1000 + 2 * 3600;
    utimesSync(file, soon, soon);
    expect(await machine.check('clock')).toMatchObject({
      severity: 'warn',
      text: expect.stringContaining('2h') as string,
    });
  });

  it('power and network: warns when nothing tells of them, by the daemon’s word or the kernel’s files', async () => {
    const machine = new Machine();
    machine.env['TELEMETRYD_SYSFS_ROOT'] = join(machine.root, 'nothing');
    expect((await machine.check('power')).severity).toBe('warn');
    expect((await machine.check('network')).severity).toBe('warn');
    await machine.daemon(() => ({ ...PAUSED, daemon: { ...PAUSED.daemon, stateDir: machine.stateDir } }));
    expect(await machine.check('power')).toMatchObject({
      severity: 'ok',
      text: expect.stringContaining('uploads wait') as string,
    });
    expect((await machine.check('network')).text).toContain('the policy allows Wi-Fi');
  });

  it('enrolment: when there is none, it is for another collector, or the key is damaged', async () => {
    const machine = new Machine();
    machine.policy('[upload]\nurl = "https://collector.example.com"\n');
    expect(await machine.check('enrolment')).toMatchObject({
      severity: 'fail',
      fix: 'telemetryctl enroll https://collector.example.com TOKEN',
    });
    machine.enrol('https://old.example.com');
    expect((await machine.check('enrolment')).text).toContain('is enrolled with https://old.example.com');
    machine.enrol('https://collector.example.com/');
    expect((await machine.check('enrolment')).severity).toBe('ok');
    writeFileSync(join(machine.stateDir, 'device-key.json'), '{}');
    expect((await machine.check('enrolment')).text).toContain('damaged');
  });
});

describe('the collector check', () => {
  it('trusts the authority of the enrolment and no other, and reads the collector’s clock', async () => {
    const machine = new Machine();
    const certificate = makeCertificate(machine.root);
    const server = await tlsServer(certificate, {
      ...WELL,
      headers: { Date: new Date(NOW.wallMs + 3_600_000).toUTCString() },
    });
    machine.policy(`[upload]\nurl = "${server.url}"\n`);
    // localhost counts as this machine, which needs no leave.
    expect(await machine.check('collector')).toMatchObject({
      severity: 'fail',
      text: expect.stringContaining('not trusted') as string,
    });
    expect(server.asked()).toBe(0);
    machine.enrol(server.url, certificate.cert);
    // The certificate is good for two days only.
    const { checks } = await machine.doctor();
    const found = checks.filter(({ name }) => name === 'collector' || name === 'clock');
    expect(found.find(({ name }) => name === 'collector')?.text).toMatch(/its certificate ends in \d+ days/);
    expect(found.find(({ name }) => name === 'clock')).toMatchObject({
      severity: 'warn',
      text: 'It is 1h behind the collector’s.',
    });
  });

  it('fails when the certificate is for another name, when nobody listens, and when what answers is no collector', async () => {
    const machine = new Machine();
    const foreign = makeCertificate(machine.root, 'DNS:collector.example.com');
    const server = await tlsServer(foreign, WELL);
    machine.policy(`[upload]\nurl = "${server.url}"\n`);
    machine.enrol(server.url, foreign.cert);
    expect((await machine.check('collector')).text).toContain('ERR_TLS_CERT_ALTNAME_INVALID');
    const closed = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => closed.once('listening', resolve));
    const { port } = closed.address() as { port: number };
    closed.close();
    machine.policy(`[upload]\nurl = "http://127.0.0.1:${port}"\n`);
    expect((await machine.check('collector')).text).toContain('nobody listens there');
    const portalFolder = temporaryFolder();
    const certificate = makeCertificate(portalFolder);
    const portal = await tlsServer(certificate, { status: 200, body: '<html>Welcome to our hotel</html>' });
    machine.policy(`[upload]\nurl = "${portal.url}"\n`);
    machine.enrol(portal.url, certificate.cert);
    expect((await machine.check('collector')).text).toContain('is no telemetry-collector');
    const sick = await tlsServer(certificate, { status: 503, body: '{"error":{"code":"stopping"}}' });
    machine.policy(`[upload]\nurl = "${sick.url}"\n`);
    machine.enrol(sick.url, certificate.cert);
    expect((await machine.check('collector')).text).toContain('not well (status 503)');
  });

  it('spares a network that the gate spares, unless it is told to ask', async () => {
    const machine = new Machine();
    const certificate = makeCertificate(machine.root);
    const server = await tlsServer(certificate, WELL);
    machine.enrol(server.url, certificate.cert);
    const since = '2026-11-24T11:00:00.000Z';
    await machine.daemon((base) => ({
      ...base,
      upload: {
        ...base.upload,
        destination: server.url,
        gate: 'closed',
        blockers: [{ code: 'metered', text: 'The network is metered.', since }],
      },
    }));
    const spared = await machine.check('collector');
    expect(spared).toMatchObject({
      severity: 'skipped',
      text: expect.stringContaining('The network is metered.') as string,
    });
    expect(spared.fix).toContain('--online');
    expect(server.asked()).toBe(0);
    expect((await machine.check('collector', '--online')).severity).not.toBe('skipped');
    expect(server.asked()).toBe(1);
  });

  it('asks nobody elsewhere while no daemon tells whether this network may be used', async () => {
    const machine = new Machine();
    machine.policy('[upload]\nurl = "https://collector.invalid"\n');
    expect((await machine.check('collector')).severity).toBe('skipped');
    expect((await machine.check('collector', '--online')).severity).toBe('fail');
  });
});

it('the doctor changes nothing in the folder that it looks at', async () => {
  const machine = new Machine();
  const before = execFileSync('ls', ['-laR', machine.root], { encoding: 'utf8' });
  await machine.doctor();
  expect(execFileSync('ls', ['-laR', machine.root], { encoding: 'utf8' })).toBe(before);
  expect((await run(['doctor', '--help'], { stateDir: machine.stateDir })).out).toContain('--online');
});
