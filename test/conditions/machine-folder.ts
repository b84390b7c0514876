import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Files of a machine: path to text; `null` makes a folder, `-> target` a symbolic link. */
export type MachineFiles = Readonly<Record<string, string | null>>;

/** Makes a folder that stands for a machine; `remove` deletes it. */
export function makeMachine(files: MachineFiles): { root: string; remove: () => void } {
  const root = mkdtempSync(join(tmpdir(), 'machine-'));
  addFiles(root, files);
  return { root, remove: () => rmSync(root, { recursive: true, force: true }) };
}

export function addFiles(root: string, files: MachineFiles): void {
  for (const [path, text] of Object.entries(files)) {
    const full = join(root, path);
    mkdirSync(text === null ? full : dirname(full), { recursive: true });
    if (text?.startsWith('-> ') === true) symlinkSync(text.slice(3), full);
    else if (text !== null) writeFileSync(full, `${text}\n`);
  }
}

/** The files of one power supply. */
export function supply(name: string, attributes: Readonly<Record<string, string>>): MachineFiles {
  return under(`class/power_supply/${name}`, attributes);
}

/** The files of one network interface. */
export function device(name: string, attributes: MachineFiles): MachineFiles {
  return under(`class/net/${name}`, {
    type: '1',
    operstate: 'up',
    uevent: `INTERFACE=${name}`,
    ...attributes,
  });
}

function under(folder: string, files: MachineFiles): MachineFiles {
  return Object.fromEntries(Object.entries(files).map(([file, text]) => [`${folder}/${file}`, text]));
}
