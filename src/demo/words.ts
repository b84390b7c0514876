import { counted, roughBytes } from '../core/amounts.ts';
import type { Totals } from './totals-node.ts';

/** What the texts of `npm start` speak of. */
export interface Setting {
  readonly stateDir: string;
  readonly policyFile: string;
  readonly logFile: string;
  readonly collectorUrl: string;
  /** The folder of the programs, as one would type it. */
  readonly bin: string;
  /** The variables that a command in another terminal needs to find this daemon. */
  readonly place: Readonly<Record<string, string>>;
  /** Whether the session is Wayland's, where input is read from the devices. */
  readonly isWayland: boolean;
  /** The variables of the display we started; `null` when the machine has its own. */
  readonly ownDisplay: Readonly<Record<'DISPLAY' | 'XAUTHORITY', string>> | null;
}

/** What a person should know before anything else: what is recorded, what is not, where, and how to stop it. */
export function introduction(setting: Setting): string[] {
  const { ownDisplay, place } = setting;
  const control = `${shellWord(setting.bin)}/telemetryctl`;
  return [
    'Recorded: mouse moves, clicks, wheel, shortcuts and navigation keys, with times.',
    'Not recorded: what you type (only that a text key was pressed), windows, screen, sound.',
    `Files: ${setting.stateDir} (the daemon's log: ${setting.logFile})`,
    `Sent to: ${setting.collectorUrl}, a collector on this machine, and nowhere else.`,
    `Policy: ${setting.policyFile}: a file every 20 s, sent within seconds`,
    ...(Object.keys(place).length === 0 ? [] : [`In another terminal, first: export ${assignments(place)}`]),
    `Look:   ${control} status    or: ${control} why`,
    `Pause:  ${control} pause 5m  end: ${control} resume`,
    'Stop:   Ctrl-C here',
    ...(setting.isWayland
      ? ['This is a Wayland session: input is read from the devices, which needs the group "input".']
      : []),
    ...(ownDisplay === null
      ? []
      : ['There is no display, so a hidden one runs. Send it input:', `  ${inputCommand(ownDisplay)}`]),
  ];
}

function inputCommand(display: Readonly<Record<string, string>>): string {
  return `${assignments(display)} xdotool mousemove 9 9 click 1 key ctrl+c`;
}

/** What to type to start recording, for whoever was not asked or said no. */
export function howToConsent(setting: Setting): string[] {
  const control = `${assignments(setting.place)} ${shellWord(setting.bin)}/telemetryctl`.trimStart();
  return [
    `Nothing is recorded until you agree. What to: ${control} notice`,
    `To agree: ${control} consent grant --yes`,
  ];
}

/** What is left when all has stopped, by what the ledger says. */
export function farewell(setting: Setting, totals: Totals): string[] {
  const { events, sentFiles, sentBytes } = totals;
  const sent = `in all ${counted(sentFiles, 'file')} (${roughBytes(sentBytes)}) sent`;
  return [`Stopped. ${counted(events, 'event')} recorded; ${sent}.`, `Data: ${setting.stateDir}`];
}

/** `NAME=value` for a shell, quoted where needed. */
export function assignments(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `${name}=${shellWord(value)}`)
    .join(' ');
}

/** A word that a shell takes as it stands. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
