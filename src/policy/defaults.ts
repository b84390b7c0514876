import type { Policy } from '../core/policy.ts';
import { POLICY_ENTRIES } from '../core/policy-lattice.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const KB = 1000;
const MB = 1000 * KB;

/** What holds where no file says anything. Reasons: {@link DEFAULT_REASONS}. */
export const DEFAULT_POLICY: Policy = {
  capture: {
    keys: 'shortcuts',
    mouseHz: 125,
    backend: 'auto',
    hours: '',
    focusUnknown: 'no-keys',
    fullApps: [],
  },
  notice: { controller: '', contact: '', purpose: '', basis: '', readers: '', serverRetentionMs: null },
  encrypt: { recipients: [] },
  exclude: {
    apps: [
      ...['1Password', 'KeePassXC', 'Bitwarden', 'KeePass2', 'KeePass', 'Enpass', 'Dashlane', 'NordPass'],
      ...[
        'Proton Pass',
        'LastPass',
        'Seahorse',
        'org.gnome.World.Secrets',
        'KWalletManager5',
        'KWalletManager',
      ],
      ...['pinentry-gtk-2', 'pinentry-gtk', 'pinentry-qt', 'pinentry-qt5', 'pinentry-gnome3', 'gcr-prompter'],
      ...['ssh-askpass', 'ksshaskpass', 'polkit-gnome-authentication-agent-1', 'lxpolkit'],
      'polkit-kde-authentication-agent-1',
    ],
    titles: [
      ...['Private Browsing', 'Incognito', 'InPrivate', 'Private Window', '(Private)', 'Privater Modus'],
      ...['Navigation privée', 'Navegación privada', 'Navigazione anonima', 'Navegação privativa'],
    ],
  },
  pause: { maxMs: 30 * MINUTE_MS },
  segment: { rollMs: 15 * MINUTE_MS, flushMs: 5 * SECOND_MS },
  spool: { limitBytes: 512 * MB, retentionMs: 7 * DAY_MS, keepSentMs: 7 * DAY_MS },
  upload: {
    url: '',
    power: 'ac',
    networks: ['wifi'],
    isNetworksExplicit: false,
    metered: false,
    ssids: [],
    holdBackMs: 10 * MINUTE_MS,
    dailyBudgetBytes: 20 * MB,
    monthlyBudgetBytes: 300 * MB,
    rateBytesPerSecond: 256 * KB,
    schedule: '*/15 * * * *',
    hours: '',
  },
  exemptions: { whilePending: 'withhold' },
  limits: { cpuFraction: 0.01, memoryBytes: 160 * MB },
};

/** Why each default is what it is, by the path of its field in file spelling. */
export const DEFAULT_REASONS: Readonly<Record<string, string>> = {
  'capture.keys': 'Shortcuts and navigation show how work is done; what is typed stays unknown.',
  'capture.mouse_hz': 'The rate of an ordinary USB mouse; a faster one adds bytes and no meaning.',
  'capture.backend': 'The machine is asked which way works; a name is for tests and odd cases.',
  'capture.hours': 'At any hour; a policy for a workplace may name its working hours.',
  'capture.focus_unknown': 'Where an editor cannot be told from a password manager, no key is recorded.',
  'capture.full_apps': 'No application has every key recorded until one is named.',
  'notice.controller': 'Nobody can be assumed responsible; uploads off this machine need a name here.',
  'notice.contact': 'There is nobody to ask until someone is named; uploads off this machine need it.',
  'notice.purpose': 'A purpose cannot be guessed; uploads off this machine need one.',
  'notice.basis': 'A legal basis cannot be guessed; uploads off this machine need one.',
  'notice.readers': 'Readers cannot be guessed; uploads off this machine need them named.',
  'notice.server_retention':
    'How long a collector keeps data is its operator’s to state; uploads off this machine need it.',
  'encrypt.recipients': 'Nobody beside the person until someone is named.',
  'exclude.apps': 'Password managers and prompts, the most common ones; a file’s own list replaces this one.',
  'exclude.titles':
    'Private windows of the common browsers, in some languages; a file’s own list replaces this one.',
  'pause.max': 'Half an hour covers a call or a break; less would make a pause of no use.',
  'segment.roll':
    'A purge or a loss touches a quarter of an hour at most, and longer files gain little in size.',
  'segment.flush': 'A crash loses five seconds; writing more often wakes the disk for nothing.',
  'spool.limit': 'Far more than a week of heavy use at some 2 bytes an event, and small beside any disk.',
  'spool.retention': 'A week survives a holiday week off the network; what is older is deleted unsent.',
  'spool.keep_sent': 'A week in which the person can still read what has left.',
  'upload.url': 'Nothing ever leaves the machine until a collector is named.',
  'upload.power': 'Sending is never worth someone’s battery.',
  'upload.networks': 'Wi-Fi is seldom paid by the byte; add "ethernet" to allow a dock.',
  'upload.metered': 'Nobody should pay for this by the byte.',
  'upload.ssids': 'Any Wi-Fi; names are for those who want the office’s only.',
  'upload.hold_back': 'What was just recorded can always still be purged before it leaves.',
  'upload.daily_budget': 'Several times a heavy day’s data; a fault cannot cost more than this.',
  'upload.monthly_budget': 'Fifteen full days; a fault cannot cost more than this in a month.',
  'upload.rate': 'A video call beside it does not notice.',
  'upload.schedule':
    'Four tries an hour, spread over the devices, find most open gates without waking often.',
  'upload.hours': 'At any hour: power and network already say when sending is harmless.',
  'exemptions.while_pending':
    'The person’s request stops the data from leaving at once, and a denial loses nothing.',
  'limits.cpu': 'A hundredth of one core is not felt.',
  'limits.memory': 'Three small Node processes with room to spare.',
};

/** One row of the defaults, for `policy show` and the documentation. */
export interface DefaultRow {
  /** `upload.daily_budget` */
  readonly path: string;
  readonly label: string;
  /** As a policy file has it; `(not set)` where only leaving it out says so. */
  readonly value: string;
  readonly reason: string;
}

/** Every default with its reason, in the order of the policy file. */
export function defaultRows(): DefaultRow[] {
  return POLICY_ENTRIES.flatMap(({ path, label, toml }) =>
    path === null ? [] : [{ path, label, value: toml(DEFAULT_POLICY), reason: DEFAULT_REASONS[path] ?? '' }],
  );
}
