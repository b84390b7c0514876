import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { areInstalled, end, freePort, run } from './server-program.ts';

/** For the variables that the AWS tools read. */
export const S3_CREDENTIALS = { AWS_ACCESS_KEY_ID: 'collector', AWS_SECRET_ACCESS_KEY: 'only for this test' };

/** A Ceph cluster of one monitor and one store in memory, with its S3 gateway, on loopback. */
export interface RadosGateway {
  readonly endpoint: string;
  /** An empty bucket; its address. */
  newBucket(versioning?: 'Enabled'): Promise<string>;
  /** Keys of everything in the bucket of an address. */
  keysIn(url: string): Promise<string[]>;
  /** Freezes the gateway, as a machine that hangs. */
  freeze(): void;
  thaw(): void;
  /** Ends the gateway at once, as a crash does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Whether Debian's packages are there. */
export function hasRadosGateway(): boolean {
  return areInstalled('radosgw', 'radosgw-admin', 'ceph', 'ceph-mon', 'ceph-osd', 'monmaptool');
}

/** Makes a cluster and starts it. Its programs are killed by their pid. */
export async function startRadosGateway(): Promise<RadosGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'radosgw-test-'));
  const [monitorPort, port] = [await freePort(), await freePort()];
  const config = join(folder, 'ceph.conf');
  const cluster = randomUUID();
  await writeFile(config, configuration(folder, cluster, monitorPort, port));
  await writeFile(join(folder, 'keyring'), keyring(), { mode: 0o600 });
  for (const name of ['mon', 'osd']) await mkdir(join(folder, name));
  const map = join(folder, 'monmap');
  run(['monmaptool', '--create', '--fsid', cluster, '--addv', 'a', `[v2:127.0.0.1:${monitorPort}]`, map]);
  run(['ceph-mon', '-c', config, '-i', 'a', '--mkfs', '--monmap', map, '--keyring', join(folder, 'keyring')]);

  const programs: ChildProcess[] = [];
  const background = (program: string, ...args: string[]): ChildProcess => {
    const child = spawn(program, ['-c', config, '-f', ...args], { stdio: 'ignore', cwd: folder });
    programs.push(child);
    return child;
  };
  background('ceph-mon', '-i', 'a');
  const store = randomUUID();
  run(['ceph', '-c', config, 'osd', 'new', store]);
  run(['ceph-osd', '-c', config, '-i', '0', '--mkfs', '--osd-uuid', store]);
  background('ceph-osd', '-i', '0');
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = S3_CREDENTIALS;
  const keys = ['--access-key', accessKeyId, '--secret-key', secretAccessKey];
  run(['radosgw-admin', '-c', config, 'user', 'create', '--uid=test', '--display-name=test', ...keys]);

  const endpoint = `http://127.0.0.1:${port}`;
  let gateway: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    gateway = background('radosgw', '-n', 'client.rgw');
    await answers(endpoint, gateway);
  };
  await start();
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  let buckets = 0;
  return {
    endpoint,
    newBucket: async (versioning) => {
      buckets += 1;
      const Bucket = `bucket${buckets}`;
      await client.send(new CreateBucketCommand({ Bucket }));
      if (versioning !== undefined)
        await client.send(
          new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: versioning } }),
        );
      return `s3://${Bucket}/fleet?endpoint=${endpoint}`;
    },
    keysIn: async (url) => {
      const { Contents = [] } = await client.send(
        new ListObjectsV2Command({ Bucket: new URL(url).hostname }),
      );
      return Contents.map(({ Key = '' }) => Key);
    },
    freeze: () => void gateway?.kill('SIGSTOP'),
    thaw: () => void gateway?.kill('SIGCONT'),
    kill: () => end(gateway, 'SIGKILL'),
    start,
    remove: async () => {
      client.destroy();
      for (const program of programs.toReversed()) await end(program, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One copy of everything, small pools, and no waiting for others to agree. */
function configuration(folder: string, cluster: string, monitorPort: number, port: number): string {
  return `[global]
fsid = ${cluster}
mon initial members = a
mon host = [v2:127.0.0.1:${monitorPort}]
ms bind msgr1 = false
public addr = 127.0.0.1
cluster addr = 127.0.0.1
run dir = ${folder}
crash dir = ${folder}
admin socket =
log file =
keyring = ${folder}/keyring
mon data = ${folder}/mon
osd data = ${folder}/osd
osd objectstore = memstore
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.02
paxos min wait = 0.01
rgw rados pool pg num min = 1
rgw frontends = beast endpoint=127.0.0.1:${port}
`;
}

/** `ceph-authtool` makes the same: type 1, no time, and 16 random bytes. */
function keyring(): string {
  const entry = (name: string, more: string): string => {
    const head = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0]);
    const key = Buffer.concat([head, randomBytes(16)]).toString('base64');
    return `[${name}]\n\tkey = ${key}\n\tcaps mon = "allow *"\n${more}`;
  };
  const stores = '\tcaps osd = "allow *"\n';
  return (
    ['client.admin', 'client.rgw', 'osd.0'].map((name) => entry(name, stores)).join('') + entry('mon.', '')
  );
}

async function answers(endpoint: string, gateway: ChildProcess): Promise<void> {
  for (;;) {
    if (gateway.exitCode !== null) throw new Error('radosgw ended');
    const reply = await fetch(endpoint).catch(() => null);
    if (reply !== null) return;
    await delay(50);
  }
}
