import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Desk, until } from './desk.ts';

describe('a pause', () => {
  const desk = new Desk();

  beforeAll(async () => {
    await desk.startRecording({ upload: { url: '""' } });
  });

  afterAll(async () => {
    await desk.close();
  });

  it('leaves nothing of what was typed during it, and no process that could see it', async () => {
    await desk.display.input('key F1');
    await sleep(300);
    const child = (await desk.status()).capture.pid;
    expect(holdsDisplay(child ?? 0, desk.display.number)).toBe(true);

    await desk.ok('pause', '30m');
    expect(child !== null && existsSync(`/proc/${child}`)).toBe(false);
    const status = await desk.status();
    expect(status.collection.state).toBe('paused');
    expect(status.capture).toMatchObject({ alive: false, pid: null });
    for (const pid of ourProcesses(desk.daemon?.child.pid ?? 0)) {
      expect(holdsDisplay(pid, desk.display.number)).toBe(false);
      expect(openFiles(pid).filter((file) => file.startsWith('/dev/input'))).toEqual([]);
    }
    await desk.display.input('key F2', 'mousemove 700 700', 'click 1', 'type secret');
    await sleep(1500);

    await desk.ok('resume');
    await desk.waitFor('capture to go on', ({ collection }) => collection.state === 'capturing');
    await sleep(300);
    await desk.display.input('key F3');
    const keys = async (): Promise<string[]> =>
      (await desk.everything()).flatMap((event) => (event.kind === 'keydown' ? [event.key ?? 'masked'] : []));
    await until('what was typed after it', async () => (await keys()).includes('F3'));
    expect(await keys()).toEqual(['F1', 'F3']);
    expect((await desk.everything()).some((event) => event.kind === 'down')).toBe(false);
  });

  it('ends by itself, on time', async () => {
    const startedAt = performance.now();
    await desk.ok('pause', '3s');
    expect((await desk.status()).collection.state).toBe('paused');
    await desk.waitFor('the pause to end', ({ collection }) => collection.state !== 'paused');
    const lastedMs = performance.now() - startedAt;
    expect(lastedMs).toBeGreaterThanOrEqual(3000);
    expect(lastedMs).toBeLessThan(6000);
    await desk.waitFor('capture to go on', ({ collection }) => collection.state === 'capturing');
  });

  it('is refused, not shortened, when it is longer than the policy allows', async () => {
    const result = await desk.ctl('pause', '31m');
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('30m');
    expect(result.stderr).toContain('Try:');
    expect((await desk.status()).collection.state).toBe('capturing');
  });

  it('holds over kill -9 and a restart of the daemon, and ends when it was to end', async () => {
    await desk.ok('pause', '20s');
    const until1 = (await desk.status()).collection.until;
    await desk.daemon?.stop('SIGKILL');
    await desk.startDaemon();
    const status = await desk.status();
    expect(status.collection.state).toBe('paused');
    expect(Math.abs(Date.parse(status.collection.until ?? '') - Date.parse(until1 ?? ''))).toBeLessThan(1000);
    await desk.ok('resume');
  });

  it('can be asked for while the daemon is down, and holds when it starts', async () => {
    await desk.daemon?.stop();
    const result = await desk.ctl('pause', '10m');
    expect([0, 10]).toContain(result.code);
    await desk.startDaemon();
    expect((await desk.status()).collection.state).toBe('paused');
    await desk.ok('resume');
    await desk.waitFor('capture to go on', ({ collection }) => collection.state === 'capturing');
  });

  it('outlives a change of the wall clock, which in this process the state machine’s property test moves', async () => {
    await desk.ok('pause', '10m');
    const file = `${desk.stateDir}/pauses.json`;
    await until('the pause to be on disk', () => existsSync(file));
    const saved = JSON.parse(readFileSync(file, 'utf8')) as {
      pauses: { untilBootMs: number; bootId: string }[];
    };
    expect(saved.pauses[0]?.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim());
    await desk.ok('resume');
  });
});

function ourProcesses(daemonPid: number): number[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  return all.filter((pid) => {
    for (let up: number | undefined = pid; up !== undefined && up > 1; up = parents.get(up))
      if (up === daemonPid) return true;
    return false;
  });
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

function openFiles(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

/** Whether a process has a connection to the display's socket: by `ss`, which pairs both ends, and by /proc. */
function holdsDisplay(pid: number, display: number): boolean {
  const inodes = new Set(openFiles(pid).flatMap((file) => /^socket:\[(\d+)\]$/.exec(file)?.[1] ?? []));
  const connections = execFileSync('ss', ['-xpH'], { encoding: 'utf8' }).split('\n');
  const serverEnds = connections.filter((line) => line.includes(`/tmp/.X11-unix/X${display} `));
  return serverEnds.some((line) => {
    const peer = line.trim().split(/\s+/)[7];
    return peer !== undefined && inodes.has(peer);
  });
}
