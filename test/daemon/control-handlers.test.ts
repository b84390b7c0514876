import { describe, expect, it } from 'vitest';
import { TelemetryError } from '../../src/core/errors.ts';
import type { LoadedPolicy } from '../../src/core/policy.ts';
import { CollectionDriver } from '../../src/daemon/collection-driver.ts';
import { ConsentKeeper } from '../../src/daemon/consent-keeper.ts';
import { controlHandlers } from '../../src/daemon/control-handlers.ts';
import { PolicyKeeper } from '../../src/daemon/policy-keeper.ts';
import { Watchers } from '../../src/daemon/watchers.ts';
import type { Refused } from '../../src/policy/policy-outcome.ts';
import { openConsent } from '../../src/privacy/consent-file.ts';
import { CAPTURING, keepingLog, PERSON } from '../control/reports.ts';
import { exemptionsOver } from './exemption-desk.ts';
import { loadedFrom, OWNER, REFUSED } from './policies.ts';
import { requestsOver } from './request-desk.ts';
import { settled, UploadDesk } from './upload-desk.ts';

const MINUTE_MS = 60_000;

/** The handlers over real parts; capture processes start, and go, when the test says so. */
async function controlled(files: LoadedPolicy | Refused = loadedFrom('')) {
  const desk = new UploadDesk();
  const { clock, timers, stateDir } = desk;
  const { log } = keepingLog();
  let generation = 0;
  const collection = new CollectionDriver({
    clock,
    timers,
    log,
    startChild: (next) => {
      generation = next;
      return {
        pid: 4000 + next,
        send: () => undefined,
        kill: () => undefined,
        stop: () => Promise.resolve(),
      };
    },
    savePauses: () => undefined,
    changed: () => undefined,
  });
  const policy = new PolicyKeeper({ stateDir, log, load: () => Promise.resolve(files) });
  await policy.reload();
  let made = 0;
  const consent = new ConsentKeeper({
    clock,
    file: openConsent(stateDir, (size) => new Uint8Array(size).fill(++made)),
    uid: 1000,
    ledgerHead: () => 'ef'.repeat(32),
    record: () => undefined,
  });
  consent.policyChanged(policy.loaded);
  const status = () => ({
    ...CAPTURING,
    collection: { ...CAPTURING.collection, state: collection.state.name },
  });
  const consentChanged = (): void => collection.send({ type: 'consent', standing: consent.standing });
  collection.send({
    type: 'policy',
    policy: policy.loaded === null ? null : { hours: null, refusal: null },
  });
  const { requests } = requestsOver(desk);
  const { keeper: exemptions } = exemptionsOver({
    ...{ clock, timers, stateDir, spool: desk.spool },
    requests: () => requests,
    changed: () => undefined,
  });
  const handlers = controlHandlers({
    clock,
    collection,
    consent,
    policy,
    upload: desk.driver,
    requests,
    exemptions,
    // Tested with the files that it purges.
    purger: undefined as never,
    watchers: new Watchers(clock, timers, status),
    status,
    consentChanged,
    resume: (by) => collection.send({ type: 'resume', by }),
    reloadPolicy: async () => {
      await policy.reload();
    },
  });
  return {
    handlers,
    requests,
    clock,
    timers,
    collection,
    consent,
    ready: () => collection.send({ type: 'child-ready', generation }),
    gone: () =>
      collection.send({
        type: 'child-exited',
        generation,
        reason: { code: 'stopped', text: 'Capture was stopped.', hint: '' },
      }),
  };
}

/** What a promise came to, or `pending`. */
async function soon<T>(promise: T | Promise<T>): Promise<T | 'pending'> {
  const nothing = settled().then(() => 'pending' as const);
  return await Promise.race([promise, nothing]);
}

async function granted() {
  const world = await controlled();
  const reply = world.handlers.grant({
    noticeId: world.consent.notice().id,
    via: 'script',
    ownerRecipient: OWNER,
  });
  world.ready();
  await reply;
  return world;
}

describe('pause', () => {
  it('answers when the process is gone, with how long it lasts from now', async () => {
    const { handlers, clock, timers, collection, gone } = await granted();
    const reply = handlers.pause({ durationMs: 10 * MINUTE_MS }, PERSON);
    expect(collection.state.name).toBe('paused');
    expect(await soon(reply)).toBe('pending');
    timers.run(500);
    gone();
    expect(await soon(reply)).toEqual({
      until: new Date(clock.now().wallMs + 10 * MINUTE_MS - 500).toISOString(),
      remainingMs: 10 * MINUTE_MS - 500,
    });
  });

  it('of the longest length is taken, and a longer one refused with the limit', async () => {
    const { handlers, collection } = await controlled();
    await handlers.pause({ durationMs: 30 * MINUTE_MS }, PERSON);
    const tooLong = (): unknown => handlers.pause({ durationMs: 30 * MINUTE_MS + 1 }, PERSON);
    await expect(async () => await tooLong()).rejects.toMatchObject({
      code: 'limit',
      hint: 'telemetryctl pause 30m, and again when it ends',
    });
    expect(collection.state.pauses.map(({ askedMs }) => askedMs)).toEqual([30 * MINUTE_MS]);
  });

  it('goes by the policy’s limit, and without a policy by half an hour', async () => {
    const long = await controlled(loadedFrom('[pause]\nmax = "2h"\n'));
    expect(await long.handlers.pause({ durationMs: 120 * MINUTE_MS }, PERSON)).toMatchObject({
      remainingMs: 120 * MINUTE_MS,
    });
    const none = await controlled(REFUSED);
    expect(await none.handlers.pause({ durationMs: 30 * MINUTE_MS }, PERSON)).toMatchObject({
      remainingMs: 30 * MINUTE_MS,
    });
    await expect(
      async () => await none.handlers.pause({ durationMs: 31 * MINUTE_MS }, PERSON),
    ).rejects.toThrow(TelemetryError);
  });

  it('that is asked for again replaces one’s own', async () => {
    const { handlers, collection } = await controlled();
    await handlers.pause({ durationMs: 20 * MINUTE_MS }, PERSON);
    await handlers.pause({ durationMs: MINUTE_MS, reason: 'a call' }, PERSON);
    expect(collection.state.pauses).toMatchObject([{ requester: 'person', reason: 'a call' }]);
  });
});

describe('resume', () => {
  it('answers when it is known how it went, not with "starting"', async () => {
    const { handlers, timers, gone, ready } = await granted();
    const paused = handlers.pause({ durationMs: MINUTE_MS }, PERSON);
    gone();
    await paused;
    const reply = handlers.resume(PERSON);
    timers.run(2900);
    expect(await soon(reply)).toBe('pending');
    ready();
    expect(await soon(reply)).toMatchObject({ collection: { state: 'capturing' } });
  });

  it('waits for three seconds at most', async () => {
    const { handlers, timers, gone } = await granted();
    const paused = handlers.pause({ durationMs: MINUTE_MS }, PERSON);
    gone();
    await paused;
    const reply = handlers.resume(PERSON);
    timers.run(3000);
    expect(await soon(reply)).toMatchObject({ collection: { state: 'blocked' } });
  });

  it('before the process of before is gone waits for that one and the next', async () => {
    const { handlers, gone, ready } = await granted();
    void handlers.pause({ durationMs: MINUTE_MS }, PERSON);
    const reply = handlers.resume(PERSON);
    expect(await soon(reply)).toBe('pending');
    gone();
    expect(await soon(reply)).toBe('pending');
    ready();
    expect(await soon(reply)).toMatchObject({ collection: { state: 'capturing' } });
  });

  it('without a pause changes nothing and answers at once', async () => {
    const { handlers } = await granted();
    expect(await soon(handlers.resume(PERSON))).toMatchObject({ collection: { state: 'capturing' } });
  });
});

describe('consent', () => {
  it('is granted to the notice that is shown, and capture has begun when that is answered', async () => {
    const { handlers, collection, ready } = await controlled();
    const { id } = await handlers.notice();
    const reply = handlers.grant({ noticeId: id, via: 'terminal', ownerRecipient: OWNER });
    expect(await soon(reply)).toBe('pending');
    ready();
    expect(await soon(reply)).toMatchObject({ state: 'granted', receipt: { via: 'terminal', uid: 1000 } });
    expect(collection.state.name).toBe('capturing');
    expect(await handlers.consent()).toMatchObject({ state: 'granted' });
  });

  it('is revoked when the process is gone', async () => {
    const { handlers, gone } = await granted();
    const reply = handlers.revoke();
    expect(await soon(reply)).toBe('pending');
    gone();
    expect(await soon(reply)).toMatchObject({ state: 'revoked' });
  });

  it('taken back is told to the collector it was given for, with every receipt', async () => {
    const policy = loadedFrom('[upload]\nurl = "http://127.0.0.1:7717"\n');
    const { handlers, consent, requests, ready, gone } = await controlled(policy);
    for (const via of ['terminal', 'script'] as const) {
      const granted = handlers.grant({ noticeId: consent.notice().id, via, ownerRecipient: OWNER });
      ready();
      await granted;
    }
    const revoked = handlers.revoke();
    gone();
    await revoked;
    const receipts = consent.receipts.map(({ id }) => id);
    expect(receipts).toHaveLength(2);
    expect(requests.pending()).toMatchObject([
      { request: { kind: 'withdrawal', destination: 'http://127.0.0.1:7717', body: { receipts } } },
    ]);
  });
});

describe('policy', () => {
  it('is the one in force with what is wrong with the files', async () => {
    const { handlers } = await controlled(loadedFrom('[capture]\nkeys = "off"\n'));
    expect(await handlers.policy()).toMatchObject({ policy: { capture: { keys: 'off' } }, problems: [] });
    expect(await handlers.reload()).toMatchObject({ source: 'policy.toml' });
  });

  it('that does not exist is an error that says why', async () => {
    const { handlers } = await controlled(REFUSED);
    expect(() => handlers.policy()).toThrow('policy.toml:2:1: keyz is not known');
    await expect(async () => await handlers.reload()).rejects.toMatchObject({ code: 'bad-configuration' });
    expect(() => handlers.notice()).toThrow('there is no valid policy');
  });
});
