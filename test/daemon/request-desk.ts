import type { RequestReply } from '../../src/control/protocol.ts';
import type { NetworkKind } from '../../src/core/conditions.ts';
import type { PersonRequest, RequestKind } from '../../src/core/person-request.ts';
import type { Pinned } from '../../src/daemon/enrolment-keeper.ts';
import {
  PersonRequests,
  type RequestHandler,
  type RequestOutcome,
} from '../../src/daemon/person-requests.ts';
import type { TrustedReply } from '../../src/daemon/reply-trust.ts';
import { keepingLog } from '../control/reports.ts';
import type { HandClock, HandTimers } from './hand-clock.ts';
import { HandUploader } from './upload-desk.ts';

/** The lane of a person's requests over real files, with uploaders that do what a test tells them. */
export function requestsOver(place: { clock: HandClock; timers: HandTimers; stateDir: string }) {
  const uploaders: HandUploader[] = [];
  const charged: number[] = [];
  const answers: { request: PersonRequest; reply: TrustedReply }[] = [];
  const world: {
    network: NetworkKind;
    outcome: RequestOutcome;
    mayGo: boolean;
    pinned?: Pinned;
    handlers?: Partial<Record<RequestKind, RequestHandler>>;
  } = { network: 'cellular', outcome: { kind: 'settled' }, mayGo: true };
  const handler: RequestHandler = {
    answered: (request, reply) => {
      answers.push({ request, reply });
      return world.outcome;
    },
  };
  let made = 0;
  const requests = new PersonRequests({
    ...place,
    log: keepingLog().log,
    random: () => 0.5,
    randomBytes: (size) => new Uint8Array(size).fill(++made),
    device: '5a0f8d4e-6a3c-4e0e-9a0b-3d1f2c4b5a69',
    handlers: {
      deletion: handler,
      withdrawal: handler,
      // Looked at when an answer comes, so that a test may name it later.
      exemption: {
        answered: (request, reply) => (world.handlers?.exemption ?? handler).answered(request, reply),
      },
    },
    enrolledAt: () => world.pinned ?? null,
    mayGo: () => world.mayGo,
    network: () => world.network,
    startUploader: () => {
      const uploader = new HandUploader();
      uploaders.push(uploader);
      return uploader;
    },
    charge: (bytes) => charged.push(bytes),
    changed: () => undefined,
  });
  return { requests, uploaders, charged, answers, world };
}

/** What a collector says that has taken note of a request. */
export function replyTo(request: PersonRequest, more: Partial<RequestReply> = {}): RequestReply {
  const body = JSON.stringify({ request: request.id, state: 'done' });
  return { id: request.id, status: 200, body, detail: '', chargedBytes: 700, retryAfterMs: null, ...more };
}
