// @ts-check
import path from 'node:path';
import { run } from './run.mjs';
import { writeTree } from './tree.mjs';

/**
 * The same files for machines without either package manager, to be unpacked at `/`; gives its path.
 *
 * @param {import('./main.mjs').Made} made
 */
export function buildTarball({ tree, version, madeAt, work, out, isFast }) {
  const folder = path.join(work, 'tar');
  writeTree(tree, folder, madeAt);
  const file = path.join(out, `telemetryd-${version}-linux-${process.arch}.tar.gz`);
  const order = [
    '--sort=name',
    '--format=gnu',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '--mode=u+rwX,go+rX,go-w',
  ];
  const seconds = Math.floor(madeAt.getTime() / 1000);
  const compress = `gzip -n -${isFast ? 1 : 9}`;
  run('tar', [...order, `--mtime=@${seconds}`, '-I', compress, '-cf', file, '-C', folder, '.'], madeAt);
  return file;
}
