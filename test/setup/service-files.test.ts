import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { REPO } from './checkout.ts';

const has = (program: string): boolean => spawnSync(program, ['--version']).status === 0;

describe('the service files', { timeout: 30_000 }, () => {
  it.runIf(has('systemd-analyze'))('include a unit that systemd has no complaint about', () => {
    const folder = mkdtempSync(join(tmpdir(), 'telemetryd-unit-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const unit = join(folder, 'telemetryd.service');
    // The documented place is not installed here.
    const text = readFileSync(join(REPO, 'systemd/telemetryd.service'), 'utf8');
    writeFileSync(
      unit,
      text.replace('/usr/lib/telemetryd/bin/telemetryd', `"${join(REPO, 'bin/telemetryd')}"`),
    );
    const env = { ...process.env, XDG_RUNTIME_DIR: folder };
    const { status, stderr } = spawnSync('systemd-analyze', ['--user', 'verify', unit], {
      env,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
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
