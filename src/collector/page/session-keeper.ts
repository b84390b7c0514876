import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Viewer } from './document.ts';

/** Somebody who signed in. */
export interface Session extends Viewer {
  readonly tokenHash: string;
  readonly startedMs: number;
  readonly seenMs: number;
}

export interface SessionPorts {
  readonly monoMs: () => number;
  /** So many random bytes as text for a cookie. */
  readonly randomText: (bytes: number) => string;
}

/** A working day, and half an hour without a click; after either, one signs in again. */
const SESSION_MS = 8 * 3_600_000;
const IDLE_MS = 30 * 60_000;
/** As many as any programme has people who run it, each with some browsers. */
const MAX_SESSIONS = 100;
/** How long the form to sign in may lie open. */
const FORM_MS = 3_600_000;
/** More than a person mistypes in a quarter of an hour. Tokens cannot be guessed; this keeps the log and the processor free. */
const MAX_WRONG = 10;
const WRONG_MS = 15 * 60_000;
/** Addresses whose wrong tokens are counted; one that makes up more only makes the oldest be forgotten. */
const MAX_ADDRESSES = 1000;
const ID_BYTES = 32;

/** Who is signed in, in memory alone: a restart signs everybody out. */
export class SessionKeeper {
  readonly #ports: SessionPorts;
  readonly #secret: string;
  readonly #sessions = new Map<string, Session>();
  /** By address: when each wrong token came. */
  readonly #wrong = new Map<string, readonly number[]>();

  constructor(ports: SessionPorts) {
    this.#ports = ports;
    this.#secret = ports.randomText(ID_BYTES);
  }

  /** Begins a session; its id is for the cookie. */
  begin(name: string, tokenHash: string): string {
    const { monoMs, randomText } = this.#ports;
    const now = monoMs();
    this.#tidy(now);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size >= MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    const id = randomText(ID_BYTES);
    const session = { name, tokenHash, formToken: randomText(ID_BYTES), startedMs: now, seenMs: now };
    this.#sessions.set(id, session);
    return id;
  }

  /** The session of a cookie; `null` when there is none, or its time is over. */
  find(id: string): Session | null {
    const now = this.#ports.monoMs();
    this.#tidy(now);
    const found = this.#sessions.get(id);
    if (found === undefined) return null;
    this.#sessions.set(id, { ...found, seenMs: now });
    return found;
  }

  end(id: string): void {
    this.#sessions.delete(id);
  }

  /** What the form to sign in carries: made here, not long ago. */
  signInForm(): string {
    const until = String(Math.floor(this.#ports.monoMs() + FORM_MS));
    return `${until}.${this.#seal(until)}`;
  }

  isSignInForm(form: string): boolean {
    const [until = '', seal = ''] = form.split('.');
    return isSame(seal, this.#seal(until)) && Number(until) >= this.#ports.monoMs();
  }

  /** Whether that address may try a token now. */
  mayTry(address: string): boolean {
    return this.#wrongOf(address).length < MAX_WRONG;
  }

  /** A token of that address was wrong. */
  wrong(address: string): void {
    const times = [...this.#wrongOf(address), this.#ports.monoMs()];
    this.#wrong.delete(address);
    const [oldest] = this.#wrong.keys();
    if (this.#wrong.size >= MAX_ADDRESSES && oldest !== undefined) this.#wrong.delete(oldest);
    this.#wrong.set(address, times);
  }

  #wrongOf(address: string): readonly number[] {
    const since = this.#ports.monoMs() - WRONG_MS;
    return (this.#wrong.get(address) ?? []).filter((at) => at > since);
  }

  #tidy(now: number): void {
    for (const [id, { startedMs, seenMs }] of this.#sessions)
      if (now - startedMs >= SESSION_MS || now - seenMs >= IDLE_MS) this.#sessions.delete(id);
  }

  #seal(text: string): string {
    return createHmac('sha256', this.#secret).update(text).digest('base64url');
  }
}

/** Compares secrets without telling by the time how much of them was right. */
export function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
