import { chmodSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Check } from '../../src/cli/doctor/check.ts';
import type { StatusReport } from '../../src/core/status.ts';
import { makeKeyPair } from '../../src/signing/ed25519.ts';
import { ENROLMENT_FILE, enrolmentJson } from '../../src/signing/enrolment.ts';
import { CAPTURING } from '../control/reports.ts';
import { startServer, temporaryFolder } from '../control/sockets.ts';
import type { Certificate } from '../upload/self-signed.ts';
import { NOW, run } from './run.ts';

/** What `systemctl show` prints of a unit, as recorded on systemd 257. */
export interface RecordedUnit {
  readonly id: string;
  readonly load: 'loaded' | 'not-found';
  readonly active: string;
  readonly result: string;
  readonly file: string;
}

/** A machine to be diagnosed: a state folder, its policy, and programs that stand first on the path. */
export class Machine {
  readonly root = temporaryFolder();
  readonly stateDir = join(this.root, 'state');
  readonly programs = join(this.root, 'bin');
  readonly env: Record<string, string> = {
    PATH: `${this.programs}:${process.env['PATH'] ?? ''}`,
    TELEMETRYD_POLICY: join(this.root, 'policy.toml'),
    DISPLAY: '',
  };

  constructor() {
    for (const folder of [this.stateDir, this.programs]) mkdirSync(folder, { mode: 0o700 });
    this.policy('');
    this.systemctl([]);
  }

  /** Starts a real control server that gives this report. */
  async daemon(report: (base: StatusReport) => StatusReport = (base) => base): Promise<void> {
    const base = { ...CAPTURING, daemon: { ...CAPTURING.daemon, stateDir: this.stateDir } };
    const status = report({ ...base, policy: { ...base.policy, id: await this.#policyId() } });
    await startServer({ status: () => status }, join(this.stateDir, 'run', 'control.sock'));
  }

  policy(text: string): void {
    writeFileSync(join(this.root, 'policy.toml'), text, { mode: 0o600 });
  }

  /** A program `systemctl` that prints these units for the person's manager, and knows no other manager. */
  systemctl(units: readonly RecordedUnit[]): void {
    const blocks = units.map(
      ({ id, load, active, result, file }) =>
        `Result=${result}\nId=${id}\nLoadState=${load}\nActiveState=${active}\nUnitFileState=${file}\n`,
    );
    const path = join(this.programs, 'systemctl');
    const text = `#!/bin/sh\n[ "$1" = --user ] || exit 1\ncat <<'END'\n${blocks.join('\n')}END\n`;
    writeFileSync(path, text);
    chmodSync(path, 0o755);
  }

  /** Makes this device known to a collector whose certificate this authority vouches for. */
  enrol(url: string, ca: string | null = null): void {
    const enrolment = {
      url,
      device: '019abcde-0000-4000-8000-000000000001',
      keys: makeKeyPair(),
      collectorKey: makeKeyPair().publicKey,
      ca,
      enrolledAt: '2026-11-24T13:00:00.000Z',
    };
    writeFileSync(join(this.stateDir, ENROLMENT_FILE), JSON.stringify(enrolmentJson(enrolment)), {
      mode: 0o600,
    });
  }

  async doctor(...words: string[]): Promise<Diagnosis> {
    const { code, out } = await run(['doctor', '--json', ...words], {
      stateDir: this.stateDir,
      env: this.env,
    });
    const { checks, worst } = JSON.parse(out) as { checks: Check[]; worst: string };
    return { code, worst, checks };
  }

  /** What one check says. */
  async check(name: Check['name'], ...words: string[]): Promise<Check> {
    const found = (await this.doctor(...words)).checks.find((check) => check.name === name);
    if (found === undefined) throw new Error(`no check ${name}`);
    return found;
  }

  /** Makes what lies in the state folder as old as the tests' clock says it is. */
  settleTimes(): void {
    const seconds = NOW.wallMs / 1000;
    for (const name of readdirSync(this.stateDir)) utimesSync(join(this.stateDir, name), seconds, seconds);
  }

  async page(): Promise<{ readonly code: number; readonly out: string }> {
    return await run(['doctor'], { stateDir: this.stateDir, env: this.env });
  }

  async #policyId(): Promise<string> {
    const { out } = await run(['policy', 'check', this.env['TELEMETRYD_POLICY'] ?? '', '--json'], {
      stateDir: this.stateDir,
    });
    return (JSON.parse(out) as { id: string }).id;
  }
}

/** What a diagnosis came to. */
export interface Diagnosis {
  readonly code: number;
  readonly worst: string;
  readonly checks: readonly Check[];
}

/** What answers `GET /healthz`. */
export interface Health {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A real TLS server; `asked` counts the requests that came through. */
export async function tlsServer(
  { key, cert }: Certificate,
  { status, body, headers = {} }: Health,
): Promise<{ readonly url: string; readonly asked: () => number }> {
  let requests = 0;
  const server = createServer({ key, cert }, (_request, response) => {
    requests++;
    response.writeHead(status, headers).end(body);
  });
  // A client that does not trust us leaves in the middle of the handshake.
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { url: `https://localhost:${port}`, asked: () => requests };
}
