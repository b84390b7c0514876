import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Network, NetworkKind, PowerState } from '../../src/core/conditions.ts';
import {
  type BlockerCode,
  type GateFacts,
  gateBlockers,
  isLoopbackUrl,
  trackBlockers,
} from '../../src/core/gate.ts';
import type { UploadNetwork } from '../../src/core/policy.ts';

const NOW = new Date('2026-03-02T10:00:00').getTime(); // a Monday
const WIFI: Network = { kind: 'wifi', metered: 'unknown', ssid: null, isCaptivePortal: false };

/** A collector on this machine, on AC and Wi-Fi, with the conditions of the default policy made binding. */
const OPEN: GateFacts = {
  upload: {
    url: 'http://127.0.0.1:7717',
    power: 'ac',
    networks: ['wifi'],
    isNetworksExplicit: true,
    metered: false,
    ssids: [],
    holdBackMs: 600_000,
    dailyBudgetBytes: 1000,
    monthlyBudgetBytes: 5000,
    rateBytesPerSecond: 1,
    schedule: '*/15 * * * *',
    hours: '',
  },
  power: { state: 'ac', isSaver: false },
  network: WIFI,
  consent: 'granted',
  spentTodayBytes: 0,
  spentMonthBytes: 0,
  backoffUntilWallMs: null,
  isUnauthorised: false,
  wallMs: NOW,
  missing: [],
  isEnrolled: false,
  heldBackUntilWallMs: null,
};

type Change = Partial<Omit<GateFacts, 'upload'>> & { readonly upload?: Partial<GateFacts['upload']> };

function codes(change: Change): BlockerCode[] {
  const facts: GateFacts = { ...OPEN, ...change, upload: { ...OPEN.upload, ...change.upload } };
  return gateBlockers(facts).map((blocker) => blocker.code);
}

const on = (network: Partial<Network>): Network => ({ ...WIFI, ...network });

const CASES: readonly (readonly [string, Change, readonly BlockerCode[]])[] = [
  ['nothing', {}, []],
  ['a battery', { power: { state: 'battery', isSaver: false } }, ['on-battery']],
  ['power that cannot be told', { power: { state: 'unknown', isSaver: false } }, ['power-unknown']],
  ['a battery saver on AC', { power: { state: 'ac', isSaver: true } }, ['battery-saver']],
  [
    'a battery, where the policy does not mind',
    { power: { state: 'battery', isSaver: true }, upload: { power: 'any' } },
    [],
  ],
  ['no network', { network: on({ kind: 'none' }) }, ['no-network']],
  ['a network without a way out', { network: on({ kind: 'local' }) }, ['no-network']],
  ['a network of unknown kind', { network: on({ kind: 'unknown' }) }, ['network-unknown']],
  ['Ethernet', { network: on({ kind: 'ethernet' }) }, ['not-wifi']],
  ['a mobile network', { network: on({ kind: 'cellular' }) }, ['not-wifi']],
  [
    'Ethernet that the policy allows',
    { network: on({ kind: 'ethernet' }), upload: { networks: ['wifi', 'ethernet'] } },
    [],
  ],
  ['a metered network', { network: on({ metered: 'yes' }) }, ['metered']],
  [
    'a metered network that the policy allows',
    { network: on({ metered: 'yes' }), upload: { metered: true } },
    [],
  ],
  ['a Wi-Fi whose name cannot be told', { upload: { ssids: ['office'] } }, ['ssid-not-allowed']],
  [
    'a Wi-Fi of another name',
    { network: on({ ssid: 'cafe' }), upload: { ssids: ['office'] } },
    ['ssid-not-allowed'],
  ],
  ['the Wi-Fi that the policy names', { network: on({ ssid: 'office' }), upload: { ssids: ['office'] } }, []],
  ['a sign-in page', { network: on({ isCaptivePortal: true }) }, ['captive-portal']],
  ['the day’s budget', { spentTodayBytes: 1000 }, ['daily-budget']],
  ['the month’s budget', { spentMonthBytes: 5000 }, ['monthly-budget']],
  ['a byte less than both', { spentTodayBytes: 999, spentMonthBytes: 4999 }, []],
  ['hours that do not contain now', { upload: { hours: 'Mon-Fri 18:00-20:00' } }, ['outside-hours']],
  ['hours that do', { upload: { hours: 'Mon 09:00-11:00' } }, []],
  ['hold-back', { heldBackUntilWallMs: NOW + 1 }, ['hold-back']],
  ['hold-back that is over', { heldBackUntilWallMs: NOW }, []],
  ['nothing but what an exemption holds', { isWithheld: true }, ['exemption-pending']],
  ['revoked consent', { consent: 'revoked' }, ['consent-revoked']],
  ['stale consent', { consent: 'stale' }, ['consent-stale']],
  ['refused credentials', { isUnauthorised: true }, ['unauthorised']],
  ['a collector that keeps files too long', { isKeptTooLong: true }, ['retention-mismatch']],
  ['a backoff', { backoffUntilWallMs: NOW + 1 }, ['collector-backoff']],
  ['a backoff that is over', { backoffUntilWallMs: NOW, isTooLarge: true }, []],
  [
    'a file too large for the collector',
    { backoffUntilWallMs: NOW + 1, isTooLarge: true },
    ['too-large', 'collector-backoff'],
  ],
  [
    'the lack of a destination, before all else',
    { upload: { url: '' }, consent: 'revoked' },
    ['no-destination'],
  ],
  [
    'nothing of a destination elsewhere, where the device is enrolled',
    { upload: { url: 'https://collector.example.com' }, isEnrolled: true },
    [],
  ],
  [
    'a destination elsewhere, until the device is enrolled',
    { upload: { url: 'https://c.example' } },
    ['not-enrolled'],
  ],
  [
    'a destination elsewhere and a policy that does not say how long it is kept there',
    { upload: { url: 'https://c.example' }, missing: ['notice.server_retention'] },
    ['notice-incomplete', 'not-enrolled'],
  ],
  ['a collector on this machine, whatever the policy leaves out', { missing: ['notice.contact'] }, []],
];

describe('the gate', () => {
  it.each(CASES)('is closed by exactly the right blockers for %s', (_name, change, expected) => {
    expect(codes(change)).toEqual(expected);
  });

  it('names everything that is wrong, not the first thing', () => {
    expect(
      codes({
        power: { state: 'battery', isSaver: true },
        network: on({ kind: 'cellular', metered: 'yes' }),
        consent: 'stale',
        spentTodayBytes: 1e9,
        spentMonthBytes: 1e9,
        backoffUntilWallMs: NOW + 1,
      }),
    ).toEqual([
      'consent-stale',
      'on-battery',
      'battery-saver',
      'not-wifi',
      'metered',
      'daily-budget',
      'monthly-budget',
      'collector-backoff',
    ]);
  });

  it('asks no network of a destination on this machine, unless the policy names networks', () => {
    const network = on({ kind: 'none', metered: 'yes', isCaptivePortal: true });
    expect(codes({ network, upload: { isNetworksExplicit: false } })).toEqual([]);
    expect(codes({ network })).toEqual(['no-network']);
    const remote = codes({ network, upload: { isNetworksExplicit: false, url: 'https://c.example' } });
    expect(remote).toEqual(['not-enrolled', 'no-network']);
  });

  it('is never open on anything but certain AC and an allowed network', () => {
    const powers = fc.constantFrom<PowerState>('ac', 'battery', 'unknown');
    const kinds = fc.constantFrom<NetworkKind>('wifi', 'ethernet', 'cellular', 'local', 'none', 'unknown');
    const allowed = fc.subarray<UploadNetwork>(['wifi', 'ethernet', 'cellular']);
    fc.assert(
      fc.property(powers, kinds, allowed, fc.boolean(), (state, kind, networks, isSaver) => {
        const isOpen =
          codes({ power: { state, isSaver }, network: on({ kind }), upload: { networks } }).length === 0;
        expect(isOpen).toBe(
          state === 'ac' && !isSaver && (networks as readonly NetworkKind[]).includes(kind),
        );
      }),
    );
  });

  it('has a sentence for every blocker', () => {
    for (const [, change] of CASES) {
      const facts: GateFacts = { ...OPEN, ...change, upload: { ...OPEN.upload, ...change.upload } };
      for (const { text } of gateBlockers(facts)) expect(text).toMatch(/^[A-Z].*\.$/);
    }
  });
});

describe('blockers over time', () => {
  it('keep when they began as long as they stand, and begin anew after a break', () => {
    const battery = { code: 'on-battery', text: 'a' } as const;
    const metered = { code: 'metered', text: 'b' } as const;
    const first = trackBlockers([], [battery], 1);
    const second = trackBlockers(first, [battery, metered], 2);
    expect(second.map(({ code, sinceWallMs }) => [code, sinceWallMs])).toEqual([
      ['on-battery', 1],
      ['metered', 2],
    ]);
    expect(trackBlockers(trackBlockers(second, [metered], 3), [battery, metered], 4)).toEqual([
      { ...battery, sinceWallMs: 4 },
      { ...metered, sinceWallMs: 2 },
    ]);
  });
});

describe('a destination on this machine', () => {
  it.each(['http://localhost:1', 'http://127.0.0.1', 'https://127.9.9.9/x', 'http://[::1]:7717'])(
    'is %s',
    (url) => {
      expect(isLoopbackUrl(url)).toBe(true);
    },
  );

  it.each([
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://10.0.0.1',
    'http://[::2]',
    'x',
    '',
  ])('is not %s', (url) => {
    expect(isLoopbackUrl(url)).toBe(false);
  });
});
