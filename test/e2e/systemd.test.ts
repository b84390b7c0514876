import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusReport } from '../../src/core/status.ts';
import { BootedMachine, waitFor, whyNotBoot } from './booted-machine.ts';

const REPO = fileURLToPath(new URL('../..', import.meta.url));
const WHY_NOT = whyNotBoot();
if (WHY_NOT !== null) process.stderr.write(`test/e2e/systemd.test.ts is skipped: ${WHY_NOT}\n`);

/** Packing is all reading and writing. */
const FAST = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

const SERVICE = 'telemetryd.service';
const UPLOADER = 'telemetryd-uploader.service';
const UPLOADER_PATH = 'telemetryd-uploader.path';
const RECORDING = 'Recording mouse and keyboard, as agreed.';

const POLICY = `[capture]
mouse_hz = 125
[notice]
controller = "Example Corp"
contact = "privacy@example.com"
purpose = "tests"
basis = "consent"
readers = "the tests"
[upload]
url = "http://127.0.0.1:7717"
power = "any"
hold_back = "0s"
schedule = "* * * * * *"
[segment]
roll = "1s"
flush = "1s"
`;

/** The unit as it is but for where input comes from: there is no input device of the kernel here, but an X server. */
const onScreen = (display: string): string => `[Service]
PrivateTmp=no
Environment=DISPLAY=${display}
ExecStart=
ExecStart=/usr/lib/telemetryd/bin/telemetryd run --mode system --backend x11 --uploader service
`;

/** What a process of a unit can do: connect to a server, open an input device, read a key, look into a home. */
const PROBE = `import { connect } from 'node:net';
import { openSync, readdirSync } from 'node:fs';
const tried = (attempt) => { try { attempt(); return 'done'; } catch (error) { return error.code; } };
const connected = await new Promise((resolve) => {
  const socket = connect(7717, '127.0.0.1');
  socket.once('connect', () => resolve('done')).once('error', (error) => resolve(error.code));
});
console.log(JSON.stringify({
  network: connected,
  input: tried(() => openSync('/dev/input/event0', 'r')),
  otherDevice: tried(() => openSync('/dev/kmsg', 'r')),
  keys: tried(() => readdirSync('/run/telemetryd/keys')),
  homes: tried(() => readdirSync('/home/ada')),
  write: tried(() => openSync('/usr/lib/telemetryd/planted', 'w')),
}));
process.exit(0);
`;

/** One story on one machine, each part on what the ones before left. */
describe.skipIf(WHY_NOT !== null)('on a machine that systemd has booted, the package', () => {
  const machine = new BootedMachine();
  const scratch = mkdtempSync(join(FAST, 'telemetryd-deb-'));

  beforeAll(async () => {
    const flags = ['--fast', '--formats', 'deb', '--out', scratch];
    execFileSync('node', [join(REPO, 'src/package/main.mjs'), ...flags], {
      env: { ...process.env, TMPDIR: FAST },
    });
    await machine.start();
    const [deb = ''] = readdirSync(scratch);
    await machine.write('/root/telemetryd.deb', readFileSync(join(scratch, deb)));
    // The manual's index takes longer than all the rest.
    await machine.sh('useradd -m ada; useradd -m bob; rm -f /var/lib/man-db/auto-update');
  }, 300_000);

  afterAll(async () => {
    await machine.stop();
    rmSync(scratch, { recursive: true, force: true });
  });

  const status = async (user: string): Promise<StatusReport> => {
    const { stdout, stderr } = await machine.as(user, 'telemetryctl', 'status', '--json');
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as StatusReport;
  };

  const stateOf = async (user: string): Promise<string> => (await status(user)).collection.state;

  /** Brings a session of theirs to the foreground of the seat, which becomes an X11 session if there is none. */
  const takeSeat = async (user: string): Promise<void> => {
    const unit = `session-of-${user}`;
    if ((await machine.property(unit, 'ActiveState')) !== 'active') {
      await machine.sh(`systemd-run --quiet --unit=${unit} --uid=${user} -p PAMName=login \\
        -p 'Environment=XDG_SEAT=seat0 XDG_SESSION_TYPE=x11 XDG_SESSION_CLASS=user' sleep infinity`);
    }
    let id = '';
    await waitFor(`a session of ${user}`, async () => {
      const rows = (await machine.sh('loginctl list-sessions --no-legend')).split('\n');
      id =
        rows
          .find((row) => row.includes(` ${user} `))
          ?.trim()
          .split(/\s+/)[0] ?? '';
      return id !== '';
    });
    await machine.sh(`loginctl activate ${id}`);
  };

  const grant = async (user: string): Promise<void> => {
    const granted = await machine.as(user, 'telemetryctl', 'consent', 'grant', '--yes');
    expect(granted).toMatchObject({ code: 0, stderr: '' });
  };

  /** Moves the mouse until something is true. */
  const movingUntil = async (what: string, isTrue: () => Promise<boolean>): Promise<void> => {
    let x = 0;
    await waitFor(what, async () => {
      x = (x + 7) % 600;
      await machine.sh(`DISPLAY=${display} xdotool mousemove ${x} ${x}`);
      return isTrue();
    });
  };

  /** Asked of systemd, which costs less than a start of Node. */
  const whenCapturing = (): Promise<void> =>
    waitFor('capture', async () => (await machine.property(SERVICE, 'StatusText')) === RECORDING);

  /** How many files the collector has. */
  const storedFiles = async (): Promise<number> =>
    Number(await machine.sh('find /var/lib/collector -name "*.tlm*" | wc -l'));

  const isUploaderGone = async (): Promise<boolean> =>
    /^(inactive|failed)$/.test(await machine.property(UPLOADER, 'ActiveState'));

  /** How often the uploader was started. */
  const roundsStarted = async (): Promise<number> => {
    const { stdout } = await machine.run('journalctl', '-u', UPLOADER, '-o', 'cat', '--no-pager');
    return stdout.split('\n').filter((line) => line.startsWith(`Started ${UPLOADER}`)).length;
  };

  const mainPid = (): Promise<string> => machine.property(SERVICE, 'MainPID');

  let display = '';

  it('installs in one step, without Node or npm, and is then active and enabled', async () => {
    expect((await machine.run('sh', '-c', 'command -v node npm')).stdout).toBe('');
    await machine.sh('dpkg --force-unsafe-io -i /root/telemetryd.deb');
    expect((await machine.run('systemctl', 'is-active', SERVICE, UPLOADER_PATH)).stdout).toBe(
      'active\nactive\n',
    );
    expect((await machine.run('systemctl', 'is-enabled', SERVICE)).stdout).toBe('enabled\n');
    expect((await machine.run('dpkg', '--verify', 'telemetryd')).stdout).toBe('');
    expect(await machine.property(SERVICE, 'StatusText')).toBe('Waiting for consent: nothing is recorded.');
  });

  it('records for nobody before somebody who agreed is at the seat', async () => {
    await machine.write('/etc/telemetryd/policy.toml', POLICY);
    await machine.sh(`systemd-run --quiet --unit=screen sh -c 'exec Xvfb -displayfd 3 -noreset 3>/run/display'
      systemd-run --quiet --unit=collector /checkout/node_modules/.bin/node /checkout/dist/telemetry-collector.js \\
        serve --data /var/lib/collector`);
    await waitFor('a display', async () => (await machine.run('grep', '-q', '.', '/run/display')).code === 0);
    display = `:${(await machine.sh('cat /run/display')).trim()}`;
    await machine.sh(`mkdir -p /run/systemd/system/${SERVICE}.d`);
    await machine.write(`/run/systemd/system/${SERVICE}.d/screen.conf`, onScreen(display));
    await machine.sh(`systemctl daemon-reload; systemctl restart ${SERVICE}`);

    await takeSeat('ada');
    await waitFor('ada to be the person', async () => (await stateOf('ada')) === 'awaiting-consent');
    await grant('ada');
    await whenCapturing();
    expect(await machine.property(SERVICE, 'StatusText')).toBe(RECORDING);
  });

  it('sends by an uploader that its path unit starts and that is gone afterwards', async () => {
    await movingUntil('a segment to be sent', async () => (await storedFiles()) > 0);
    expect(await roundsStarted()).toBeGreaterThan(0);
    expect(await machine.property(UPLOADER, 'TriggeredBy')).toBe(UPLOADER_PATH);
    await waitFor('the uploader to be gone', isUploaderGone);
    expect(await machine.property(UPLOADER, 'Result')).toBe('success');
  });

  it('has a person’s request sent though no file goes with it', async () => {
    await machine.sh('systemctl stop screen; sleep 1');
    await waitFor('all to be sent', async () => (await status('ada')).upload.queued.segments === 0);
    await waitFor('the uploader to be gone', isUploaderGone);
    const before = await roundsStarted();
    const asked = await machine.as(
      'ada',
      'telemetryctl',
      'exempt',
      'request',
      '--yes',
      '--scope',
      'app:xterm',
      '--for',
      '12h',
    );
    expect(asked.code).toBe(0);
    await waitFor(
      'the collector to have it',
      async () => (await status('ada')).exemptions[0]?.state === 'pending',
    );
    expect(await roundsStarted()).toBeGreaterThan(before);
    await machine.as(
      'ada',
      'telemetryctl',
      'exempt',
      'withdraw',
      (await status('ada')).exemptions[0]?.id ?? '',
    );
    await waitFor('the uploader to be gone', isUploaderGone);
    await machine.sh(`systemd-run --quiet --unit=screen Xvfb ${display} -noreset`);
    await whenCapturing();
  });

  it('tells accounts apart: all may pause, and only the person sees and decides', async () => {
    expect(Object.keys(await status('bob')).sort()).toEqual(['collection', 'daemon', 'restricted', 'schema']);
    for (const command of ['grant', 'revoke'])
      expect((await machine.as('bob', 'telemetryctl', 'consent', command, '--yes')).code).toBe(11);
    expect((await machine.as('bob', 'telemetryctl', 'pause', '10m')).code).toBe(0);
    const { collection, capture } = await status('ada');
    expect([collection.state, capture.pid]).toEqual(['paused', null]);
    expect(collection.reasons[0]?.text).toContain(`uid:${(await machine.sh('id -u bob')).trim()}`);
    expect((await machine.as('ada', 'telemetryctl', 'pause', '20m')).code).toBe(0);
    await machine.as('bob', 'telemetryctl', 'resume');
    expect(await stateOf('ada')).toBe('paused');
    expect((await machine.as('ada', 'telemetryctl', 'resume')).code).toBe(0);
    await whenCapturing();
  });

  it('is another person’s once they take the seat, who has not agreed, and the first one’s again', async () => {
    await takeSeat('bob');
    const isOthers = async (user: string): Promise<boolean> => 'restricted' in (await status(user));
    await waitFor('bob to be the person', () => isOthers('ada'));
    expect(await isOthers('bob')).toBe(false);
    expect(await stateOf('bob')).toBe('awaiting-consent');
    await takeSeat('ada');
    await whenCapturing();
    expect(await isOthers('bob')).toBe(true);
    expect((await status('ada')).consent.state).toBe('granted');
  });

  it('keeps the network from the daemon and input from the uploader', async () => {
    await machine.write('/usr/lib/telemetryd-probe.mjs', PROBE);
    await machine.sh(
      'mkdir -p /dev/input; mknod -m 660 /dev/input/event0 c 13 64; chgrp input /dev/input/event0',
    );
    const probe = async (unit: string): Promise<Record<string, string>> => {
      await machine.sh(`sed -E -e 's/^Type=.*/Type=oneshot/' -e '/^(Restart|WatchdogSec|Runtime|StateDirectory|NotifyAccess|ExecReload|Condition|RuntimeMaxSec)/d' \\
        -e 's#^ExecStart=.*#ExecStart=/usr/lib/telemetryd/node_modules/.bin/node /usr/lib/telemetryd-probe.mjs#' \\
        /usr/lib/systemd/system/${unit} >/run/systemd/system/probe-${unit}
        systemctl daemon-reload; systemctl start probe-${unit}`);
      const said = await machine.sh(`journalctl -u probe-${unit} -o cat --no-pager | grep '^{' | tail -1`);
      return JSON.parse(said) as Record<string, string>;
    };
    // ENODEV: the kernel was asked, and has no such device; the others never got that far.
    expect(await probe(SERVICE)).toEqual({
      network: 'EAFNOSUPPORT',
      input: expect.stringMatching(/^(ENODEV|ENXIO)$/) as string,
      otherDevice: 'ENOENT',
      keys: 'done',
      homes: 'EACCES',
      write: 'EROFS',
    });
    expect(await probe(UPLOADER)).toEqual({
      network: 'done',
      input: 'ENOENT',
      otherDevice: 'ENOENT',
      keys: 'EACCES',
      homes: 'EACCES',
      write: 'EROFS',
    });
    const limits = await machine.run('systemd-analyze', 'security', '--no-pager', SERVICE, UPLOADER);
    expect(limits.stdout).not.toContain('UNSAFE');
  });

  it('goes on sending after its uploader failed again and again', async () => {
    await machine.sh(`mkdir -p /run/systemd/system/${UPLOADER}.d`);
    await machine.write(
      `/run/systemd/system/${UPLOADER}.d/broken.conf`,
      '[Service]\nExecStart=\nExecStart=/bin/false\nRestartSec=200ms\n',
    );
    await machine.sh('systemctl daemon-reload');
    const before = await storedFiles();
    // More often than the five times that systemd puts up with by default.
    await movingUntil(
      'many failures',
      async () => Number(await machine.property(UPLOADER, 'NRestarts')) > 10,
    );
    await machine.sh(`rm -r /run/systemd/system/${UPLOADER}.d; systemctl daemon-reload`);
    expect(await machine.property(UPLOADER_PATH, 'ActiveState')).toBe('active');
    await movingUntil('another segment to be sent', async () => (await storedFiles()) > before);
  });

  it('loses only its capture process when memory runs out', async () => {
    await waitFor('capture', async () => (await status('ada')).capture.alive);
    const [daemon, child] = [await mainPid(), (await status('ada')).capture.pid];
    const group = await machine.property(SERVICE, 'ControlGroup');
    await machine.sh(`cd /sys/fs/cgroup/memory 2>/dev/null || cd /sys/fs/cgroup
      sh -c 'echo $$ >.${group}/cgroup.procs; exec python3 -c "x = [bytearray(2**20) for n in range(400)]"' || true`);
    await waitFor('another capture process', async () => {
      const { pid } = (await status('ada')).capture;
      return pid !== null && pid !== child;
    });
    expect(await mainPid()).toBe(daemon);
    expect(await machine.property(SERVICE, 'ActiveState')).toBe('active');
  });

  it('is started anew by the watchdog when it hangs', async () => {
    await machine.write(
      `/run/systemd/system/${SERVICE}.d/watchdog.conf`,
      '[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\nRestartSec=1\n',
    );
    await machine.sh(`systemctl daemon-reload; systemctl restart ${SERVICE}`);
    await whenCapturing();
    const hung = await mainPid();
    await machine.sh(`kill -STOP ${hung}`);
    await waitFor('another daemon', async () => {
      const isActive = (await machine.property(SERVICE, 'ActiveState')) === 'active';
      return isActive && (await mainPid()) !== hung;
    });
    await whenCapturing();
    expect(Number(await machine.property(SERVICE, 'NRestarts'))).toBe(1);
  });

  it('promises nothing in the name of the system service that it would not keep', async () => {
    expect(await machine.as('ada', 'telemetryctl', 'exclude', 'add', 'xterm')).toMatchObject({
      code: 1,
      stdout: '',
    });
    await machine.sh(`systemctl stop ${SERVICE}`);
    for (const command of [
      ['pause', '5m'],
      ['consent', 'revoke', '--yes'],
      ['exclude', 'add', 'xterm'],
    ]) {
      const refused = await machine.as('ada', 'telemetryctl', ...command);
      expect(refused).toMatchObject({ code: 10, stdout: '' });
      expect(refused.stderr).toContain('Try: sudo systemctl start telemetryd.service');
    }
    await machine.sh(`systemctl start ${SERVICE}`);
    await whenCapturing();
  });

  it('keeps consent, data and what an administrator changed over an upgrade', async () => {
    const before = [await mainPid(), (await status('ada')).upload.sent.totalSegments];
    await machine.sh('dpkg --force-unsafe-io -i /root/telemetryd.deb');
    await waitFor('the new one', async () => (await machine.property(SERVICE, 'ActiveState')) === 'active');
    const after = await status('ada');
    expect(await mainPid()).not.toBe(before[0]);
    expect(after.consent.state).toBe('granted');
    expect(after.upload.sent.totalSegments).toBeGreaterThanOrEqual(Number(before[1]));
    expect(await machine.sh('cat /etc/telemetryd/policy.toml')).toBe(POLICY);
  });

  it('stops everything when it is removed, and keeps what is not its to delete', async () => {
    await machine.sh(`rm -r /run/systemd/system/${SERVICE}.d; dpkg -r telemetryd`);
    for (const unit of [SERVICE, UPLOADER, UPLOADER_PATH])
      expect(await machine.property(unit, 'ActiveState')).toBe('inactive');
    expect((await machine.run('sh', '-c', 'ps -U telemetryd -o pid=')).stdout).toBe('');
    await machine.sh(
      'test -d /var/lib/telemetryd; test -f /etc/telemetryd/policy.toml; test ! -e /usr/lib/telemetryd',
    );
  });

  it('leaves nothing when it is purged', async () => {
    await machine.sh('dpkg -P telemetryd; rm -rf /usr/lib/telemetryd-probe.mjs /run/systemd/system/*');
    expect(await machine.sh('find /etc /usr /opt /var/lib /run -xdev -name "*telemetry[dc]*"')).toBe('');
    expect(await machine.sh('getent passwd telemetryd || true; getent group | grep telemetryd || true')).toBe(
      '',
    );
  });
});
