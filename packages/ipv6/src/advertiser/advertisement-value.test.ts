import type { AddressWords, DeviceOps, LinkLayer, RouterAdvertisement } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_FLAG, InterfaceAddress, NetDevice } from '@softnet/contract';
import { parseIpv6 } from '@softnet/wire';
import { describe, expect, test } from 'vitest';
import { checkAdvertisement, farewellOf, intervalOf, messageOf } from './advertisement-value.ts';
import { differenceOf } from './router-difference.ts';

const device = Object.assign(new NetDevice({} as DeviceOps, { addressLen: 6, headerBytes: 14 } as LinkLayer), {
  name: 'eth0',
  mtuBytes: 1500,
});
const words = (text: string): AddressWords => parseIpv6(text)!;
const FOREVER = Number.POSITIVE_INFINITY;

function address(text: string, prefixLen: number, flags: number = ADDRESS_FLAG.PERMANENT): InterfaceAddress {
  return Object.assign(new InterfaceAddress(ADDRESS_FAMILY.INET6, device, words(text), prefixLen), { flags });
}

describe('messageOf', () => {
  test('has the defaults of RFC 4861 §6.2.1', () => {
    expect(messageOf({}, device, [])).toMatchObject({
      hopLimit: 64,
      managed: false,
      preference: 0,
      lifetimeS: 1800,
      reachableMs: 0,
      retransMs: 0,
      mtuBytes: 0,
    });
    expect([intervalOf({}), intervalOf({ maxIntervalMs: 4000 }), intervalOf({ minIntervalMs: 3000, maxIntervalMs: 4000 })]).toEqual([
      { minUs: 200_000_000, maxUs: 600_000_000 },
      { minUs: 3_000_000, maxUs: 4_000_000 },
      { minUs: 3_000_000, maxUs: 4_000_000 },
    ]);
    expect(farewellOf(messageOf({}, device, [])).lifetimeS).toBe(0);
  });

  test('says the prefixes of addresses that somebody gave, each once; hosts make addresses of 64 bits only', () => {
    const addresses = [
      address('fe80::1', 64, 0),
      address('2001:db8::1', 64),
      address('2001:db8::2', 64),
      address('2001:db8:1::1', 48),
      address('2001:db8:2::1', 128),
      address('2001:db8:3::1', 64, 0),
      address('2001:db8:4::1', 64, ADDRESS_FLAG.PERMANENT | ADDRESS_FLAG.DAD_FAILED),
    ];
    const usual = { onLink: true, validS: 2_592_000, preferredS: 604_800 };
    expect(messageOf({}, device, addresses).prefixes).toEqual([
      { ...usual, prefix: words('2001:db8::'), prefixLen: 64, autonomous: true },
      { ...usual, prefix: words('2001:db8:1::'), prefixLen: 48, autonomous: false },
    ]);
    expect(messageOf({ prefixes: [] }, device, addresses).prefixes).toEqual([]);
  });

  test('says what is for ever as such, and what it knows for three intervals (RFC 8106 §5.1)', () => {
    const said = messageOf(
      {
        maxIntervalMs: 10_000,
        prefixes: [{ prefix: words('fd00::'), prefixLen: 64, validMs: FOREVER, preferredMs: 3_600_000 }],
        routes: [{ prefix: words('fd01::1'), prefixLen: 32, lifetimeMs: FOREVER }],
        nameServers: [words('fd00::53')],
        searchDomains: ['example.org'],
      },
      device,
      [],
    );
    expect(said.prefixes[0]).toMatchObject({ validS: 0xffffffff, preferredS: 3600 });
    expect(said.routes).toEqual([{ prefix: words('fd01::'), prefixLen: 32, preference: 0, lifetimeS: 0xffffffff }]);
    expect([said.nameServers[0]!.lifetimeS, said.searchLists[0]!.lifetimeS]).toEqual([30, 30]);
  });
});

test.each<[RouterAdvertisement, RegExp]>([
  [{ maxIntervalMs: 3999 }, /maxIntervalMs/],
  [{ maxIntervalMs: 1_800_001 }, /maxIntervalMs/],
  [{ maxIntervalMs: Number.NaN }, /maxIntervalMs/],
  [{ minIntervalMs: 2999 }, /minIntervalMs/],
  [{ minIntervalMs: 450_001 }, /minIntervalMs/],
  [{ lifetimeMs: 599_999 }, /lifetimeMs/],
  [{ lifetimeMs: 9_000_001 }, /lifetimeMs/],
  [{ reachableMs: 3_600_001 }, /reachableMs/],
  [{ retransMs: -1 }, /retransMs/],
  [{ hopLimit: 256 }, /hopLimit/],
  [{ preference: 2 }, /preference/],
  [{ mtuBytes: 1279 }, /mtuBytes/],
  [{ mtuBytes: 1501 }, /mtuBytes/],
  [{ prefixes: [{ prefix: words('fe80::'), prefixLen: 64 }] }, /no prefix of hosts/],
  [{ prefixes: [{ prefix: words('ff02::'), prefixLen: 16 }] }, /no prefix of hosts/],
  [{ prefixes: [{ prefix: words('fd00::'), prefixLen: 129 }] }, /no prefix of hosts/],
  [{ prefixes: [{ prefix: words('fd00::'), prefixLen: 64, validMs: 1000, preferredMs: 2000 }] }, /preferred for longer/],
  [{ routes: [{ prefix: words('ff00::'), prefixLen: 8, lifetimeMs: 1 }] }, /no prefix of a route/],
  [{ routes: [{ prefix: words('fd00::'), prefixLen: 8, lifetimeMs: -1 }] }, /a lifetime/],
  [{ nameServers: [words('::1')] }, /no server of names/],
  [{ searchDomains: ['a b'] }, /no domain name/],
  [{ nameServers: Array.from({ length: 60 }, (_, i) => [0xfd000000 | 0, 0, 0, i + 1] as const) }, /options take \d+ bytes/],
])('%j is not to be said', (said, message) => {
  expect(() => checkAdvertisement(said, device)).toThrow(message);
});

test('a shorter life than is usual is preferred for no longer than it is', () => {
  const said = { prefixes: [{ prefix: words('fd00::'), prefixLen: 64, validMs: 60_000 }] };
  checkAdvertisement(said, device);
  expect(messageOf(said, device, []).prefixes[0]).toMatchObject({ validS: 60, preferredS: 60 });
});

test('routers are compared by what both say (RFC 4861 §6.2.7)', () => {
  const ours = messageOf({ mtuBytes: 1400, prefixes: [{ prefix: words('fd00::'), prefixLen: 64 }] }, device, []);
  const prefix = ours.prefixes[0]!;
  expect([
    differenceOf(ours, ours),
    differenceOf(ours, { ...ours, hopLimit: 0, mtuBytes: 0, reachableMs: 5, lifetimeS: 7, preference: 1, prefixes: [] }),
    differenceOf(ours, { ...ours, mtuBytes: 1300 }),
    differenceOf(ours, { ...ours, managed: true }),
    differenceOf(ours, { ...ours, otherConfig: true }),
    differenceOf(ours, { ...ours, prefixes: [{ ...prefix, prefix: words('fd01::') }] }),
    differenceOf(ours, { ...ours, prefixes: [{ ...prefix, validS: 9, preferredS: 8 }] }),
  ]).toEqual([
    ...[null, null, 'mtuBytes 1300, not 1400', 'managed true, not false', 'otherConfig true, not false', null],
    'that fd00::/64 is valid and preferred for 9 and 8 s, not 2592000 and 604800 s',
  ]);
});
