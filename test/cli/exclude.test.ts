import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LoadedPolicy } from '../../src/core/policy.ts';
import { run } from './run.ts';

describe('telemetryctl exclude, with the daemon down', () => {
  let stateDir: string;
  let file: string;

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'telemetryd-exclude-'));
    file = join(stateDir, '.config/telemetryd/preferences.toml');
  });

  afterEach(() => {
    rmSync(stateDir, { recursive: true, force: true });
  });

  it('adds an application to a file that only the person can read, and lists it as theirs', async () => {
    const added = await run(['exclude', 'add', 'Signal'], { stateDir });
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(added.out).toBe(
      'Nothing is recorded in the application Signal from now on.\nThe daemon is down; this holds from its next start.\n',
    );
    expect(readFileSync(file, 'utf8')).toBe('[exclude]\napps = ["Signal"]\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const listed = await run(['exclude', 'list', '--json'], { stateDir });
    const { apps, titles } = JSON.parse(listed.out) as Record<string, unknown[]>;
    expect(apps).toContainEqual({ name: 'Signal', origin: 'preferences' });
    expect(apps).toContainEqual({ name: 'KeePassXC', origin: 'policy' });
    expect(titles).not.toContainEqual(expect.objectContaining({ origin: 'preferences' }));
    expect((await run(['exclude', 'list'], { stateDir })).out).toContain('  Signal  (yours)\n');
  });

  it('takes it back, but not what the policy leaves out', async () => {
    await run(['exclude', 'add', '--title', 'Payslip'], { stateDir });
    const removed = await run(['exclude', 'remove', '--title', 'Payslip'], { stateDir });
    expect(removed.out).toContain('Taken from your list.\n');
    const policys = await run(['exclude', 'remove', 'KeePassXC'], { stateDir });
    expect(policys.out).toContain(
      'Your list does not have the application KeePassXC; the policy leaves out the application KeePassXC all the same.',
    );
  });

  it('shows in `policy show` where it comes from', async () => {
    await run(['exclude', 'add', 'Signal'], { stateDir });
    const { out } = await run(['policy', 'show', '--json'], { stateDir });
    const { policy, origins } = JSON.parse(out) as LoadedPolicy;
    expect(policy.exclude.apps).toContain('Signal');
    expect(origins['exclude.apps']).toBe('preferences');
  });

  it('writes through no symbolic link, and changes no file that is wrong or that others can change', async () => {
    mkdirSync(join(file, '..'), { recursive: true });
    const elsewhere = join(stateDir, 'dotfiles.toml');
    writeFileSync(elsewhere, '', { mode: 0o600 });
    symlinkSync(elsewhere, file);
    const linked = await run(['exclude', 'add', 'Signal'], { stateDir });
    expect(linked).toMatchObject({ code: 1, out: '' });
    expect(linked.err).toContain('is a symbolic link');
    expect(readFileSync(elsewhere, 'utf8')).toBe('');
    rmSync(file);
    writeFileSync(file, '[exclude]\napps = "Signal"\n', { mode: 0o600 });
    const wrong = await run(['exclude', 'add', 'Signal'], { stateDir });
    expect(wrong.code).toBe(12);
    expect(wrong.err).toContain('preferences.toml:2:8');
    writeFileSync(file, '');
    chmodSync(file, 0o666);
    const open = await run(['exclude', 'add', 'Signal'], { stateDir });
    expect(open.code).toBe(12);
    expect(open.err).toContain('Try: chmod go-w');
    expect(readFileSync(file, 'utf8')).toBe('');
  });

  it('refuses a name that is none', async () => {
    const { code, err } = await run(['exclude', 'add', ' '], { stateDir });
    expect(code).toBe(2);
    expect(err).toContain('" " must not be empty.');
  });
});
