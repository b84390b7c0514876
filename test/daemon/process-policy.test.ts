import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { until } from '../e2e/desk.ts';
import { NARROW, newDesk, TIMEOUT_MS, telemetryd, WIDE } from './daemon-program.ts';

describe('SIGHUP', { timeout: TIMEOUT_MS }, () => {
  it('takes up a policy that asks for more: consent is stale and no capture process is started any more', async () => {
    const desk = newDesk();
    await desk.startDaemon();
    await desk.ok('consent', 'grant', '--yes');
    await desk.waitFor('a capture process', ({ capture }) => capture.restarts > 0);
    desk.writePolicy(WIDE);
    desk.daemon?.child.kill('SIGHUP');
    await desk.waitFor('stale consent', ({ consent }) => consent.state === 'stale');
    const { capture, collection } = await desk.waitFor(
      'the process to be gone',
      (status) => status.capture.pid === null,
    );
    expect(collection).toMatchObject({ state: 'awaiting-consent', reasons: [{ code: 'consent-stale' }] });
    await sleep(2500);
    expect((await desk.status()).capture).toMatchObject({ pid: null, restarts: capture.restarts });
    desk.writePolicy(NARROW);
    desk.daemon?.child.kill('SIGHUP');
    await desk.waitFor('consent to stand again', ({ consent }) => consent.state === 'granted');
  });

  it('with a policy that is wrong changes nothing but what status says of it', async () => {
    const desk = newDesk();
    await desk.startDaemon();
    const before = (await desk.status()).policy.id;
    writeFileSync(desk.policyFile, '[capture]\nkeyz = "off"\n', { mode: 0o600 });
    desk.daemon?.child.kill('SIGHUP');
    const { policy } = await desk.waitFor('the refusal', (status) => status.policy.source === 'last-good');
    expect(policy.id).toBe(before);
    expect(policy.problems[0]?.where).toBe(`${desk.policyFile}:2:1`);
  });

  it('during the start does no harm', async () => {
    const desk = newDesk();
    const program = telemetryd(desk, 'run');
    await until(
      'the lock',
      () => existsSync(desk.stateDir) && readdirSync(desk.stateDir).includes('journal'),
    );
    for (let i = 0; i < 5; i++) program.child.kill('SIGHUP');
    await until('the start', () => program.out.includes('telemetryd started'));
    await sleep(500);
    expect(program.isRunning).toBe(true);
    expect(await program.stop()).toBe(0);
  });
});

describe('a policy file that changes', { timeout: TIMEOUT_MS }, () => {
  it('is taken up by itself, a drop-in beside it too', async () => {
    const desk = newDesk();
    await desk.startDaemon();
    const keys = async (word: string) => await desk.waitFor(word, ({ policy }) => policy.keys === word);
    desk.writePolicy(WIDE);
    await keys('shortcuts');
    const dropIns = path.join(desk.root, 'policy.d');
    mkdirSync(dropIns, { mode: 0o700 });
    await sleep(800);
    writeFileSync(path.join(dropIns, '50-site.toml'), '[capture]\nkeys = "activity"\n', { mode: 0o600 });
    await keys('activity');
    writeFileSync(path.join(dropIns, '90-more.toml'), '[capture]\nkeys = off\n', { mode: 0o600 });
    const { policy } = await desk.waitFor('the refusal', (status) => status.policy.source === 'last-good');
    expect(policy.keys).toBe('activity');
    expect(policy.problems[0]?.where).toMatch(/policy\.d\/90-more\.toml:2:\d+$/);
  });
});

describe('a policy that is wrong from the start', { timeout: TIMEOUT_MS }, () => {
  it('blocks capture and says where the mistake is; mended, it goes on', async () => {
    const desk = newDesk();
    writeFileSync(desk.policyFile, '[capture]\nkeyz = "off"\n', { mode: 0o600 });
    await desk.startDaemon();
    const status = await desk.status();
    expect(status.collection).toMatchObject({ state: 'blocked', reasons: [{ code: 'no-policy' }] });
    expect(status.policy).toMatchObject({ source: 'none', id: null, keys: 'off' });
    expect(status.policy.problems[0]).toMatchObject({ severity: 'error', where: `${desk.policyFile}:2:1` });
    const words = await desk.ctl('status');
    expect(words.code).toBe(0);
    expect(words.stdout).toContain('No valid policy could be read');
    const grant = await desk.ctl('consent', 'grant', '--yes');
    expect(grant.code).toBe(12);
    expect(grant.stderr).toMatch(/^Try: /m);
    desk.writePolicy(NARROW);
    desk.daemon?.child.kill('SIGHUP');
    await desk.waitFor('the policy', ({ collection }) => collection.state === 'awaiting-consent');
    await desk.ok('consent', 'grant', '--yes');
    await desk.waitFor('consent', ({ consent }) => consent.state === 'granted');
  });
});

describe('what is asked for wrongly', { timeout: TIMEOUT_MS }, () => {
  it('exits with 2 and says what to try', async () => {
    const desk = newDesk();
    const mistakes = [
      ['run', '--bogus'],
      ['run', '--mode', 'sideways'],
      ['run', '--backend', 'telepathy'],
      ['run', '--log-level', 'loud'],
      ['run', '--replay', '/nowhere.csv'],
      ['run', '--replay', '/dev/null', '--speed', 'fast'],
      ['run', '--replay', '/dev/null', '--speed', '0'],
      ['walk'],
    ];
    for (const words of mistakes) {
      const program = telemetryd(desk, ...words);
      expect([words, await program.exited]).toEqual([words, 2]);
      expect(program.out).toMatch(/^telemetryd: .*\n(.*\n)*Try: /);
    }
    expect(existsSync(desk.stateDir)).toBe(false);
  });

  it('a simulated machine for a service exits with 2 and leaves no trace', async () => {
    const desk = newDesk();
    desk.extraEnv = { TELEMETRYD_SYSFS_ROOT: desk.root };
    const program = telemetryd(desk, 'run', '--mode', 'user');
    expect(await program.exited).toBe(2);
    expect(program.out).toContain('TELEMETRYD_SYSFS_ROOT works in the foreground mode only');
    expect(program.out).toMatch(/^Try: unset it/m);
    expect(existsSync(desk.stateDir)).toBe(false);
  });

  it('in the foreground a simulated machine shows as what it is', async () => {
    const desk = newDesk();
    desk.extraEnv = { TELEMETRYD_SYSFS_ROOT: path.join(desk.root, 'machine') };
    mkdirSync(path.join(desk.root, 'machine', 'class'), { recursive: true });
    await desk.startDaemon();
    expect((await desk.status()).daemon).toMatchObject({ simulated: true, mode: 'foreground' });
  });
});
