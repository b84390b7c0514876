import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../src/core/events.ts';
import { newIdentity } from '../../src/segment/age-file.ts';
import { Desk, ROOT, until } from './desk.ts';

const run = promisify(execFile);
const REASON = 'canary: my doctor calls on Tuesdays';

describe('an exemption', () => {
  const desk = new Desk();
  const keyFile = path.join(desk.root, 'deciders.txt');
  let id = '';

  beforeAll(async () => {
    const deciders = await newIdentity();
    writeFileSync(keyFile, `${deciders.identity}\n`, { mode: 0o600 });
    await desk.startDisplay();
    await desk.startCollector();
    desk.writePolicy({
      segment: { roll: '"2s"' },
      exemptions: { recipients: `["${deciders.recipient}"]` },
    });
    await desk.startDaemon();
    const { token } = JSON.parse(await collect('enroll', '--json')) as { token: string };
    await desk.ok('enroll', desk.url, token);
    await desk.grant();
  });

  afterAll(async () => {
    await desk.close();
  });

  async function collect(...words: string[]): Promise<string> {
    const program = path.join(ROOT, 'dist/telemetry-collector.js');
    const { stdout } = await run(process.execPath, [program, ...words, '--data', desk.dataDir]);
    return stdout;
  }

  const decide = (...words: string[]): Promise<string> => collect('exemptions', ...words);

  /** Presses a key and waits until it is on disk, or at the collector. */
  async function press(key: string): Promise<void> {
    await desk.display.input(`key ${key}`);
    await until(`${key} to be recorded`, async () => keys(await desk.everything()).includes(key));
  }

  it('keeps what is recorded while it is asked for on this device', async () => {
    await press('F1');
    id = (
      JSON.parse(await desk.ok('exempt', 'request', '--reason', REASON, '--for', '1d', '--json')) as {
        id: string;
      }
    ).id;
    await desk.waitFor('the collector to have it', ({ exemptions }) => exemptions[0]?.state === 'pending');
    await press('F5');
    await desk.waitFor('the gate to hold it back', ({ upload }) =>
      upload.blockers.some(({ code }) => code === 'exemption-pending'),
    );
    await until('what was before to have left', async () => keys(await desk.stored()).includes('F1'));
    expect(keys(await desk.stored())).not.toContain('F5');
    // All of it came signed: what this device does not sign is refused since it enrolled.
    const { devices } = JSON.parse(await collect('devices', 'list', '--json')) as {
      devices: { device: string }[];
    };
    const forged = await fetch(`${desk.url}/v1/devices/${devices[0]?.device ?? ''}/deletions`, {
      method: 'POST',
      body: JSON.stringify({ request: id, segments: [id] }),
    });
    expect(forged.status).toBe(401);
    expect((await desk.ctl('upload', 'now', '--json')).code).toBe(1);
  });

  it('that is approved deletes it and ends capture', async () => {
    expect(await decide('show', id, '--identity', keyFile)).toContain(REASON);
    await decide('approve', id, '--by', 'Ada');
    await desk.ok('exempt', 'list', '--refresh');
    const status = await desk.waitFor('capture to be off', ({ capture }) => capture.pid === null);
    expect(status.collection).toMatchObject({ state: 'exempt', reasons: [{ code: 'exempt' }] });
    expect(status.exemptions).toMatchObject([{ id, state: 'approved', scope: 'all', decidedBy: 'Ada' }]);
    await until(
      'what was recorded meanwhile to be gone',
      async () => !keys(await desk.everything()).includes('F5'),
    );
    expect(keys(await desk.everything())).toContain('F1');
  });

  it('holds over a restart without a network, with nothing recorded', async () => {
    await desk.display.input('key F6');
    await desk.collector?.stop();
    await desk.daemon?.stop();
    expect(await desk.ok('exempt', 'list')).toContain(`${id}  approved`);
    await desk.startDaemon();
    expect((await desk.status()).collection.state).toBe('exempt');
    await desk.display.input('key F7', 'mousemove 300 300');
    await sleep(1500);
    expect(keys(await desk.everything()).filter((key) => key !== 'F1')).toEqual([]);
  });

  it('ends when it is taken back, and its reason was only ever seen by those who decide', async () => {
    await desk.ok('exempt', 'withdraw', id);
    await desk.waitFor('capture to go on', ({ collection }) => collection.state === 'capturing');
    await sleep(300);
    await press('F8');
    await desk.startCollector();
    // The first try found no collector; the next ones come within 30 s, and within a minute after that.
    await until(
      'the collector to know',
      async () => (await decide('list', '--state', 'withdrawn')).includes(id),
      100_000,
    );
    const trail = JSON.parse(await decide('show', id, '--json')) as {
      audit: { action: string; by: string }[];
    };
    expect(trail.audit.map(({ action, by }) => `${action} ${by}`)).toEqual([
      'asked person',
      'approved Ada',
      'withdrawn person',
    ]);
    const written = [desk.stateDir, desk.dataDir]
      .flatMap(filesBelow)
      .map((file) => readFileSync(file, 'latin1'));
    const printed = [desk.daemon?.out ?? '', desk.collector?.out ?? '', await desk.ok('log')];
    for (const text of [...written, ...printed]) expect(text).not.toContain('canary');
    expect(await desk.ok('log', 'verify')).toContain('Intact');
  });
});

function keys(events: readonly EventRecord[]): string[] {
  return events.flatMap((event) => (event.kind === 'keydown' ? [event.key ?? 'masked'] : []));
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
}
