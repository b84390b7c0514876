import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { FolderWatch } from '../../src/conditions/folder-watch.ts';

it('leaves out what it may not look at or watch, and watches the rest', async () => {
  const root = mkdtempSync(join(tmpdir(), 'watched-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const [open, closed, hidden] = ['open', 'closed', 'closed/hidden'].map((name) => join(root, name));
  for (const folder of [open, closed, hidden]) mkdirSync(folder ?? root);
  // Root may look into anything but a link to itself.
  symlinkSync(join(root, 'loop'), join(root, 'loop'));
  chmodSync(closed ?? root, 0);
  onTestFinished(() => chmodSync(closed ?? root, 0o700));
  const changed = vi.fn();
  const watch = new FolderWatch(changed);
  onTestFinished(() => watch.close());
  watch.update([open ?? '', closed ?? '', hidden ?? '', join(root, 'loop'), join(root, 'nothing')]);
  writeFileSync(join(open ?? '', 'file'), '');
  await vi.waitFor(() => expect(changed).toHaveBeenCalled(), { timeout: 10_000 });
});
