import type { ClientRequest, IncomingMessage } from 'node:http';
import type { CollectorReply } from './reply-policy.ts';

/** One request with a body: to put a file, or to post what a person asks. May be sent twice; see `CollectorLink.send`. */
export interface LinkRequest {
  readonly method: 'PUT' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** More headers, made anew for each attempt: a signature must never be sent twice. */
  readonly sign?: () => Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  /** The body; asked for anew when the request must be repeated. It ends early once `over` is aborted. */
  readonly body: (over: AbortSignal) => AsyncIterable<Buffer>;
}

/** Without a reply that counts: why, in a word or an error code. */
export interface LinkFailure {
  readonly failure: string;
}

/** A failure as the link sees it. */
export interface StaleFailure extends LinkFailure {
  /** A connection that had been idle was closed before any reply came. */
  readonly isStale: boolean;
}

/** What a connection says that was closed by the other side while it was idle. */
const STALE_ERRORS: readonly string[] = ['ECONNRESET', 'EPIPE', 'the connection was closed'];

/** One request with its reply; settles once, on the first thing that decides it. `drop` ends the connection. */
export class Exchange {
  readonly answer: Promise<CollectorReply | StaleFailure>;
  readonly #request: ClientRequest;
  readonly #maxReplyBytes: number;
  readonly #drop: () => void;
  readonly #settle: (answer: CollectorReply | StaleFailure) => void;
  readonly #over = new AbortController();
  readonly #replyBody: Buffer[] = [];
  #reply: CollectorReply | null = null;
  #isSent = false;
  #isDone = false;

  constructor(request: ClientRequest, maxReplyBytes: number, drop: () => void) {
    const { promise, resolve } = Promise.withResolvers<CollectorReply | StaleFailure>();
    this.answer = promise;
    this.#settle = resolve;
    this.#request = request;
    this.#maxReplyBytes = maxReplyBytes;
    this.#drop = drop;
  }

  /** Sends the body until it is through or the exchange is over; never rejects for what the other side does. */
  async send(put: LinkRequest): Promise<void> {
    this.#request.on('response', (response) => this.#onResponse(response));
    this.#request.on('timeout', () => this.#give('no byte for too long'));
    this.#request.on('error', (error: NodeJS.ErrnoException) => this.#give(error.code ?? error.message));
    this.#request.on('close', () => this.#give('the connection was closed'));
    const sentBytes = await this.#sendBody(put).catch(() => 0);
    if (this.#over.signal.aborted) return;
    if (sentBytes < put.sizeBytes) {
      this.fail('the file could not be read to its end while it was sent');
      return;
    }
    this.#isSent = true;
    this.#request.end();
  }

  async #sendBody(put: LinkRequest): Promise<number> {
    let sentBytes = 0;
    for await (const piece of put.body(this.#over.signal)) {
      if (this.#over.signal.aborted) break;
      await this.#write(piece);
      sentBytes += piece.length;
    }
    return sentBytes;
  }

  /** Ends the exchange without a reply, unless it is over. */
  fail(failure: string): void {
    const isStale = this.#request.reusedSocket && this.#reply === null && STALE_ERRORS.includes(failure);
    this.#finish({ failure, isStale }, true);
  }

  /** Ends the exchange: a reply whose headers came counts, whatever became of its body. */
  #give(failure: string): void {
    if (this.#reply === null) this.fail(failure);
    else this.#giveReply(this.#reply, true);
  }

  #giveReply(reply: CollectorReply, isBroken: boolean): void {
    this.#finish({ ...reply, body: Buffer.concat(this.#replyBody).toString('utf8') }, isBroken);
  }

  #onResponse(response: IncomingMessage): void {
    const { 'content-digest': digest, 'retry-after': retryAfter, date, signature } = response.headers;
    const reply: CollectorReply = {
      status: response.statusCode ?? 0,
      contentDigest: Array.isArray(digest) ? digest.join(', ') : digest,
      retryAfter,
      date,
      signatureInput: one(response.headers['signature-input']),
      signature: one(signature),
    };
    this.#reply = reply;
    let bytes = 0;
    response.on('data', (data: Buffer) => {
      bytes += data.length;
      if (bytes > this.#maxReplyBytes) this.#giveReply(reply, true);
      else this.#replyBody.push(data);
    });
    // A reply that comes before the end of the body ends the connection: the rest of the body would have to follow.
    response.on('end', () => this.#giveReply(reply, !this.#isSent));
    response.on('error', () => this.#giveReply(reply, true));
    // There is no point in sending more; what the reply says is decided.
    if (!this.#isSent) this.#over.abort();
  }

  #finish(answer: CollectorReply | StaleFailure, isBroken: boolean): void {
    if (this.#isDone) return;
    this.#isDone = true;
    this.#settle(answer);
    this.#over.abort();
    if (!isBroken) return;
    this.#drop();
    this.#request.destroy();
  }

  /** Resolves when the kernel has taken the piece, or when it no longer matters. */
  #write(piece: Buffer): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#over;
      const done = (): void => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      signal.addEventListener('abort', done);
      this.#request.write(piece, done);
    });
  }
}

/** Several fields of one name are none of ours. */
function one(field: string | string[] | undefined): string | undefined {
  return typeof field === 'string' ? field : undefined;
}
