import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeDaemon } from './fake-daemon.ts';
import type { Fault } from './faulty-collector.ts';
import { NAMESPACES_MISSING, NetworkNamespace } from './network-namespace.ts';
import { makeCertificate } from './self-signed.ts';
import { bundleUploader, Outbox, runUploader } from './uploader-process.ts';

const [HERE, THERE] = ['10.77.0.1', '10.77.0.2'] as const;
const SERVER = join(import.meta.dirname, 'wire-server-child.ts');
/** The largest packet of Ethernet, with its own header. */
const MAX_PACKET_BYTES = 1514;

if (NAMESPACES_MISSING !== undefined) console.warn(`skipped, bytes on the wire: ${NAMESPACES_MISSING}`);

describe.skipIf(NAMESPACES_MISSING !== undefined)(
  'what is charged is 95 to 115 of 100 bytes that the kernel counted for',
  () => {
    const scratch = mkdtempSync(join(tmpdir(), 'wire-'));
    const [here, there] =
      NAMESPACES_MISSING === undefined ? [new NetworkNamespace(), new NetworkNamespace()] : [];
    let program = '';

    beforeAll(async () => {
      await Promise.all([here?.start(), there?.start()]);
      if (here !== undefined && there !== undefined) here.connect(there, HERE, THERE);
      program = await bundleUploader(scratch);
    });
    afterAll(async () => {
      await Promise.all([here?.stop(), there?.stop()]);
      rmSync(scratch, { recursive: true, force: true });
    });

    interface Batch {
      readonly sizes: readonly number[];
      readonly faults?: readonly Fault[];
      readonly rate?: number;
      /** The gate closes so long after the round began. */
      readonly abortAfterMs?: number;
    }

    /** Rounds until all is sent, or the one that is aborted; the charged bytes as a share of the kernel's. */
    async function share(over: 'http' | 'tls', batch: Batch): Promise<number> {
      if (here === undefined || there === undefined) throw new Error('no namespaces');
      // http is for this machine only, so its wire is the namespace's own loopback.
      const [device, host, at] = over === 'http' ? ['lo', '127.0.0.1', here] : ['wire', THERE, there];
      const certificate = over === 'tls' ? makeCertificate(scratch, `IP:${THERE}`) : undefined;
      const words = [host, JSON.stringify(batch.faults ?? ['good'])];
      if (certificate !== undefined) words.push(JSON.stringify(certificate));
      const [nsenter = '', ...inside] = at.within;
      const server = spawn(nsenter, [...inside, process.execPath, SERVER, ...words], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const [port] = (await once(server.stdout, 'data')) as [Buffer];
      const scheme = over === 'tls' ? 'https' : 'http';
      const url = `${scheme}://${host}:${port.toString().trim()}`;
      const before = here.traffic(device);
      let chargedBytes = 0;
      for (let waiting = [...batch.sizes]; waiting.length > 0; ) {
        const box = new Outbox();
        for (const size of waiting) box.add(randomBytes(size));
        const daemon = new FakeDaemon(
          box.folder,
          box.round(url, { rateBytesPerSecond: batch.rate ?? 10_000_000 }),
        );
        await daemon.start();
        const { ended } = runUploader(
          program,
          [daemon.socketPath],
          certificate === undefined ? {} : { NODE_EXTRA_CA_CERTS: certificate.certFile },
          here.within,
        );
        if (batch.abortAfterMs !== undefined) {
          await sleep(batch.abortAfterMs);
          daemon.abort('on-battery');
        }
        await ended;
        await daemon.stop();
        box.remove();
        chargedBytes += daemon.results.reduce((sum, result) => sum + result.chargedBytes, 0);
        const stored = daemon.results.filter(({ outcome }) => outcome === 'stored').length;
        waiting = batch.abortAfterMs === undefined ? waiting.slice(stored) : [];
      }
      server.stdin.end();
      await once(server, 'exit');
      const after = here.traffic(device);
      const bytes = after.bytes - before.bytes;
      expect(bytes / (after.packets - before.packets)).toBeLessThan(MAX_PACKET_BYTES);
      return chargedBytes / bytes;
    }

    const BATCHES: readonly (readonly [string, 'http' | 'tls', Batch])[] = [
      ['an hour’s files over http', 'http', { sizes: [25_000, 31_000, 18_000, 27_000] }],
      ['an hour’s files over TLS', 'tls', { sizes: [25_000, 31_000, 18_000, 27_000] }],
      ['the least worthwhile batch over TLS', 'tls', { sizes: [66_000] }],
      ['a backlog over TLS', 'tls', { sizes: Array<number>(10).fill(200_000) }],
      ['many small files over TLS', 'tls', { sizes: Array<number>(40).fill(3000) }],
      ['a low rate over TLS, so in small pieces', 'tls', { sizes: [30_000], rate: 16_000 }],
      [
        'failures before success over TLS',
        'tls',
        { sizes: [150_000, 150_000], faults: [{ status: 503 }, 'cut-reply', 'wrong-digest', 'good'] },
      ],
      ['a transfer cut by the gate', 'tls', { sizes: [400_000], rate: 100_000, abortAfterMs: 1500 }],
    ];
    it.each(BATCHES)('%s', async (_name, over, batch) => {
      const charged = await share(over, batch);
      expect(charged).toBeGreaterThan(0.95);
      expect(charged).toBeLessThan(1.15);
    });
  },
);
