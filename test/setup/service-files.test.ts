import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { REPO } from './checkout.ts';

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

describe('the service files', { timeout: 30_000 }, () => {
  it.runIf(has('systemd-analyze')).each(['system', 'user'])(
    'include units of the %s manager that systemd has no complaint about',
    (manager) => {
      const folder = mkdtempSync(join(tmpdir(), 'telemetryd-unit-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      for (const name of readdirSync(join(REPO, 'systemd', manager))) {
        // The documented place is not installed here.
        const text = readFileSync(join(REPO, 'systemd', manager, name), 'utf8');
        writeFileSync(join(folder, name), text.replaceAll('/usr/lib/telemetryd/bin/', `${REPO}/bin/`));
      }
      const { status, stderr } = spawnSync(
        'systemd-analyze',
        [`--${manager}`, '--man=no', 'verify', ...readdirSync(folder).map((name) => join(folder, name))],
        { env: { ...process.env, XDG_RUNTIME_DIR: folder }, encoding: 'utf8' },
      );
      const complaints = stderr.split('\n').filter((line) => line.includes('telemetry'));
      expect({ status, complaints }).toEqual({ status: 0, complaints: [] });
    },
  );

  it.runIf(has('systemd-analyze')).each([
    ['telemetryd', 1.3],
    ['telemetry-uploader', 2],
  ])('leave %s no more exposed than %f of 10', (program, limit) => {
    const unit = program.replace('telemetry-', 'telemetryd-');
    const file = join(REPO, `systemd/system/${unit}.service`);
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', file], {
      encoding: 'utf8',
    });
    const exposure = Number(/Overall exposure level for \S+ ([\d.]+)/.exec(stdout)?.[1]);
    expect(exposure).toBeGreaterThan(0);
    expect(exposure).toBeLessThanOrEqual(limit);
  });

  it('never hide who is at the other end of the control socket, nor forbid V8 to work', () => {
    for (const manager of ['system', 'user']) {
      for (const unit of ['telemetryd', 'telemetryd-uploader']) {
        const set = readFileSync(join(REPO, 'systemd', manager, `${unit}.service`), 'utf8');
        expect(set).not.toMatch(/^(PrivateUsers|MemoryDenyWriteExecute|PrivateNetwork)=/m);
        expect(set).toMatch(/^SystemCallFilter=.*@pkey/m);
      }
    }
  });

  it.runIf(has('python3'))('include an agent that macOS can read, with the same promises', () => {
    const script = 'import json, plistlib, sys; print(json.dumps(plistlib.load(open(sys.argv[1], "rb"))))';
    const file = join(REPO, 'launchd/com.telemetryd.daemon.plist');
    const { stdout } = spawnSync('python3', ['-c', script, file], { encoding: 'utf8' });
    expect(JSON.parse(stdout)).toMatchObject({
      Label: 'com.telemetryd.daemon',
      ProgramArguments: ['/usr/local/lib/telemetryd/bin/telemetryd', 'run', '--mode', 'user'],
      Umask: 0o077,
      HardResourceLimits: { Core: 0 },
      KeepAlive: { SuccessfulExit: false },
    });
  });
});
