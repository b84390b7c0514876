import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../spool/temp-folder.ts';
import { HandClock, HandTimers } from './hand-clock.ts';
import { replyTo, requestsOver } from './request-desk.ts';

const COLLECTOR = 'https://collector.example.com';
const ASKED = { kind: 'deletion', destination: COLLECTOR, body: { segments: ['one'] } } as const;

function desk(stateDir = tempFolder()) {
  const clock = new HandClock();
  const place = { clock, timers: new HandTimers(clock), stateDir };
  return { ...place, ...requestsOver(place) };
}

describe('what a person asks of a collector', () => {
  it('is on disk at once, leaves on any network, and is forgotten when it is settled', async () => {
    const { requests, uploaders, answers, charged, stateDir } = desk();
    const request = requests.add(ASKED);
    const folder = join(stateDir, 'requests');
    expect(readdirSync(folder)).toEqual([`${request.id}.json`]);
    expect(statSync(join(folder, `${request.id}.json`)).mode & 0o777).toBe(0o600);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(requests.hasRound).toBe(true);
    const messages: unknown[] = [];
    void requests.serveRound((message) => messages.push(message), new AbortController().signal);
    expect(messages).toMatchObject([
      {
        type: 'round',
        round: {
          url: COLLECTOR,
          segments: [],
          requests: [
            {
              id: request.id,
              path: `/v1/devices/${request.device}/deletions`,
              body: JSON.stringify({ segments: ['one'], request: request.id }),
            },
          ],
        },
      },
    ]);
    requests.takeReply(replyTo(request));
    await uploaders[0]?.exit();
    expect(answers).toMatchObject([{ request: { id: request.id }, reply: { state: 'done' } }]);
    expect(charged).toEqual([700]);
    expect(requests.pending()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    expect(uploaders).toHaveLength(1);
  });

  it('is asked again, ever more rarely, until the collector answers it', async () => {
    const { requests, uploaders, timers, answers } = desk();
    const request = requests.add(ASKED);
    requests.takeReply(replyTo(request, { status: 503, detail: 'busy' }));
    await uploaders[0]?.exit();
    expect(requests.pending()).toMatchObject([{ attempts: 1, problem: 'busy' }]);
    timers.run(14_000);
    expect(uploaders).toHaveLength(1);
    timers.run(2000);
    expect(uploaders).toHaveLength(2);
    await uploaders[1]?.exit();
    expect(requests.pending()).toMatchObject([{ attempts: 2, problem: 'the uploader did not get to it' }]);
    timers.run(29_000);
    expect(uploaders).toHaveLength(2);
    timers.run(2000);
    requests.takeReply(replyTo(request));
    await uploaders[2]?.exit();
    expect(answers).toHaveLength(1);
    expect(requests.pending()).toEqual([]);
  });

  it('outlasts a restart of the daemon', async () => {
    const first = desk();
    first.world.network = 'none';
    const request = first.requests.add(ASKED);
    await first.requests.stop();
    const second = desk(first.stateDir);
    second.requests.start();
    expect(second.requests.pending()).toMatchObject([{ request }]);
    expect(second.uploaders).toHaveLength(1);
  });

  it('waits without a network, but not for one when the collector is on this machine', () => {
    const { requests, uploaders, world } = desk();
    world.network = 'none';
    requests.add(ASKED);
    expect(uploaders).toHaveLength(0);
    requests.add({ ...ASKED, destination: 'http://127.0.0.1:7717' });
    expect(uploaders).toHaveLength(1);
  });

  it('goes nowhere else than to where it may', () => {
    const { requests, uploaders, world } = desk();
    world.mayGo = false;
    requests.add(ASKED);
    requests.add({ ...ASKED, kind: 'exemption' });
    expect(uploaders).toHaveLength(0);
  });

  it.each([
    ['a page that is no JSON', { body: '<html>Sign in</html>' }],
    ['an answer to another request', { body: '{"request":"another"}' }],
    ['an answer that is no success', { status: 302 }],
  ])('is not settled by %s', (_what, reply) => {
    const { requests, answers } = desk();
    const request = requests.add(ASKED);
    requests.takeReply(replyTo(request, reply));
    expect(answers).toEqual([]);
    expect(requests.pending()).toHaveLength(1);
  });

  it('is asked after again when somebody must decide first', async () => {
    const { requests, uploaders, timers, world } = desk();
    world.outcome = { kind: 'again', afterMs: 60_000 };
    const request = requests.add(ASKED);
    requests.takeReply(replyTo(request));
    await uploaders[0]?.exit();
    expect(requests.pending()).toMatchObject([{ attempts: 0, problem: '' }]);
    timers.run(59_000);
    expect(uploaders).toHaveLength(1);
    requests.hurry(request.id);
    expect(uploaders).toHaveLength(2);
  });
});
