import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Desk } from './desk.ts';

describe('logs at the most verbose level', () => {
  const desk = new Desk();
  const x = 200 + Math.floor(Math.random() * 900);
  const y = 100 + Math.floor(Math.random() * 600);

  beforeAll(async () => {
    await desk.startDisplay();
    await desk.startCollector();
    desk.writePolicy({ segment: { roll: '"2s"', flush: '"1s"' } });
    await desk.startDaemon(['--log-level', 'trace']);
    await desk.grant();
  });

  afterAll(async () => {
    await desk.close();
  });

  it('hold no coordinate and no key, though the segment does', async () => {
    await desk.display.input(`mousemove ${x} ${y}`, 'click 1', 'key F9', 'key ctrl+F11', 'sleep 0.3');
    await desk.display.input('mousemove 3 4');
    await sleep(1500);
    await desk.ok('pause', '1s');
    await desk.ok('status');
    await desk.sendAll();
    await desk.daemon?.stop();

    const events = await desk.stored();
    expect(events.some((event) => event.x === x && event.y === y)).toBe(true);
    expect(events.some((event) => event.key === 'F9')).toBe(true);

    const texts = [desk.daemon?.out ?? '', desk.collector?.out ?? '', ...smallTexts(desk.stateDir)];
    expect(texts.join('').length).toBeGreaterThan(500);
    for (const text of texts) {
      expect(text).not.toMatch(/\bF9\b|\bF11\b/);
      expect(text).not.toMatch(new RegExp(`\\b${x}\\b[^0-9]{1,8}\\b${y}\\b`));
    }
  });
});

/** Everything in the state folder that is not a segment: ledgers, state files, locks. */
function smallTexts(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.tlm'))
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'));
}
