import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Session } from '../../src/core/conditions.ts';
import { SessionWatch } from '../../src/daemon/session-watch.ts';
import { HandClock } from './hand-clock.ts';
import { HandSource } from './hand-sources.ts';

const UNLOCKED: Session = { lock: 'unlocked', sources: ['logind'] };

class HandSession extends HandSource<Session> {
  sleep: (isFallingAsleep: boolean) => void = () => undefined;

  onSleep(told: (isFallingAsleep: boolean) => void): void {
    this.sleep = told;
  }
}

function watch(session: Session = UNLOCKED) {
  const clock = new HandClock();
  const source = new HandSession(session);
  const told: (string | number)[] = [];
  const watching = new SessionWatch({
    clock,
    source,
    lock: (lock) => told.push(lock),
    flush: () => told.push('flush'),
    slept: (fromMonoMs, forMs) => told.push('slept', fromMonoMs, forMs),
    recheck: () => told.push('recheck'),
    changed: () => undefined,
  });
  return { clock, source, told, watching };
}

describe('the lock', () => {
  it('is unknown before it is known', async () => {
    const { watching, told, source } = watch({ lock: 'unknown', sources: ['logind'] });
    await watching.start();
    expect(told).toEqual(['unknown']);
    source.become(UNLOCKED);
    source.become({ lock: 'locked', sources: ['logind'] });
    source.become({ lock: 'locked', sources: ['logind', 'org.gnome.ScreenSaver'] });
    source.become(UNLOCKED);
    expect(told).toEqual(['unknown', 'unlocked', 'locked', 'unlocked']);
  });

  it('is not watched before the start', () => {
    const { watching, told } = watch({ lock: 'locked', sources: ['logind'] });
    watching.beat();
    watching.notice();
    expect(watching.session).toEqual({ lock: 'unlocked', sources: [] });
    expect(told).toEqual([]);
  });
});

describe('sleep', () => {
  it('flushes before and looks at the deadlines after it', async () => {
    const { watching, told, source, clock } = watch();
    await watching.start();
    told.length = 0;
    clock.advance(5000);
    source.sleep(true);
    const asleepFrom = clock.now().monoMs;
    clock.advance(300);
    clock.sleep(7_200_000);
    clock.advance(200);
    source.sleep(false);
    expect(told).toEqual(['flush', 'slept', asleepFrom, 7_200_000, 'recheck']);
    watching.notice();
    expect(told).toHaveLength(5);
  });

  it('is noticed without logind with the next event or heartbeat, from when last something happened', async () => {
    const { watching, told, clock } = watch();
    await watching.start();
    told.length = 0;
    clock.advance(40_000);
    watching.notice();
    const lastMonoMs = clock.now().monoMs;
    clock.advance(1000);
    clock.sleep(60_000);
    clock.advance(1000);
    watching.beat();
    expect(told).toEqual(['slept', lastMonoMs, 60_000, 'recheck']);
  });

  it('is not seen in a clock that was set, nor in time that passes', async () => {
    const { watching, told, clock } = watch();
    await watching.start();
    told.length = 0;
    clock.setWall(3_600_000);
    clock.advance(60_000);
    watching.beat();
    clock.sleep(900);
    watching.beat();
    expect(told).toEqual([]);
  });
});

/** An `/etc` of its own, in which the zone may be set, needs a mount of its own. */
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;

describe.skipIf(!canMount)('the machine’s time zone', () => {
  it('is followed when it is set while the program runs', ({ skip }) => {
    const folder = mkdtempSync(join(tmpdir(), 'zone-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const program = `
      import { execFileSync } from 'node:child_process';
      import { TimeZone } from '${new URL('../../src/conditions/time-zone-node.ts', import.meta.url).pathname}';
      const zone = new TimeZone();
      const offset = () => -new Date().getTimezoneOffset();
      const offsets = [offset()];
      for (const name of ['Asia/Tokyo', 'Asia/Kolkata']) {
        execFileSync('ln', ['-sfn', '/usr/share/zoneinfo/' + name, '/etc/localtime']);
        zone.refresh();
        zone.refresh();
        offsets.push(offset());
      }
      console.log(JSON.stringify({ offsets, tz: process.env.TZ ?? null }));
    `;
    const mount = `mount -t tmpfs none ${folder} && mkdir ${folder}/up ${folder}/work && mount -t overlay overlay -o lowerdir=/etc,upperdir=${folder}/up,workdir=${folder}/work /etc && ln -sfn /usr/share/zoneinfo/UTC /etc/localtime && exec "$0" "$@"`;
    const env = { ...process.env };
    delete env['TZ'];
    const ran = spawnSync(
      'unshare',
      ['-m', 'sh', '-c', mount, process.execPath, '--input-type=module', '-e', program],
      {
        env,
        encoding: 'utf8',
      },
    );
    if (ran.stderr.includes('mount:')) skip('no overlay can be mounted here');
    expect(JSON.parse(ran.stdout)).toEqual({ offsets: [0, 540, 330], tz: null });
  });
});
