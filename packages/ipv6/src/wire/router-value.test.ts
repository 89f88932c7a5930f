import type { AddressWords } from '@softnet/contract';
import { emitIcmpv6, formatIpv6, ICMPV6_TYPE, parseIpv6, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FOREVER_S, preferenceOf } from './router-option.ts';
import type { RouterMessage } from './router-value.ts';
import { emitRouter, parseRouter, readRouter } from './router-value.ts';
import { isDomainName } from './search-list.ts';

const PLAIN: RouterMessage = {
  ...{ hopLimit: 64, managed: false, otherConfig: false, preference: 0, lifetimeS: 1800, reachableMs: 0, retransMs: 0 },
  ...{ linkAddress: null, mtuBytes: 0, prefixes: [], routes: [], nameServers: [], searchLists: [] },
};

const words = fc
  .tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer())
  .map(([a, b, c, d]): AddressWords => [a | 0, b | 0, c | 0, d | 0]);
const seconds = fc.oneof(fc.nat(0xfffffff), fc.constant(FOREVER_S), fc.constant(0));
const label = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?$/);
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));

/** A route's prefix has no more words than its length says. */
const route = fc
  .record({ prefix: words, prefixLen: fc.nat(128), preference: fc.constantFrom(-1, 0, 1), lifetimeS: seconds })
  .map((option) => {
    const [a, b, c, d] = option.prefix;
    const prefix: AddressWords = option.prefixLen === 0 ? [0, 0, 0, 0] : option.prefixLen <= 64 ? [a, b, 0, 0] : [a, b, c, d];
    return { ...option, prefix };
  });

const message: fc.Arbitrary<RouterMessage> = fc
  .record({
    ...{ hopLimit: fc.nat(255), managed: fc.boolean(), otherConfig: fc.boolean(), lifetimeS: fc.nat(65_535) },
    ...{ preference: fc.constantFrom(-1, 0, 1), reachableMs: fc.nat(), retransMs: fc.nat(), mtuBytes: fc.nat(65_535) },
    linkAddress: fc.option(fc.uint8Array({ minLength: 6, maxLength: 6 })),
    prefixes: fc.array(
      fc.record({
        ...{ prefix: words, prefixLen: fc.nat(128), onLink: fc.boolean(), autonomous: fc.boolean() },
        ...{ validS: seconds, preferredS: seconds },
      }),
      { maxLength: 4 },
    ),
    routes: fc.array(route, { maxLength: 4 }),
    nameServers: fc.array(fc.record({ lifetimeS: seconds, addresses: fc.array(words, { minLength: 1, maxLength: 3 }) }), { maxLength: 2 }),
    searchLists: fc.array(fc.record({ lifetimeS: seconds, names: fc.array(domain, { minLength: 1, maxLength: 3 }) }), { maxLength: 2 }),
  })
  // RFC 4191 §2.2: who is no default router says no preference.
  .map((value) => (value.lifetimeS === 0 ? { ...value, preference: 0 } : value));

describe('a router advertisement', () => {
  it('is the same, emitted and parsed', () => {
    fc.assert(
      fc.property(message, (value) => {
        expect(parseRouter(emitRouter(value), 6)).toEqual(value);
      }),
    );
  });

  it('stands on the wire as RFC 4861 §4.2 and §4.6.2 have it', () => {
    const prefix = parseIpv6('2001:db8:1::')!;
    const bytes = emitIcmpv6(
      emitRouter({
        ...{ ...PLAIN, managed: true, preference: 1, reachableMs: 30_000, retransMs: 1000, mtuBytes: 1400 },
        prefixes: [{ prefix, prefixLen: 64, onLink: true, autonomous: true, validS: 2_592_000, preferredS: 604_800 }],
      }),
      0,
    );
    const hex = Buffer.from(bytes).toString('hex');
    expect(hex.slice(8)).toBe(
      ['40880708', '00007530', '000003e8', '050100000000', '0578', '0304', '40c0', '00278d00', '00093a80', '00000000'].join('') +
        '20010db8000100000000000000000000',
    );
  });

  it.each([
    ['prefix information of 24 bytes', [3, 3, ...zeros(22)]],
    ['prefix information with 129 bits', [3, 4, 129, ...zeros(29)]],
    ['route information with the reserved preference', [24, 2, 64, 0x10, ...zeros(12)]],
    ['route information of 65 bits in 16 bytes', [24, 2, 65, 0, ...zeros(12)]],
    ['route information of 32 bytes', [24, 4, 64, 0, ...zeros(28)]],
    ['name servers without any', [25, 1, ...zeros(6)]],
    ['name servers and a half', [25, 4, ...zeros(30)]],
    ['a search list whose label reaches over the end', [31, 2, 0, 0, 0, 0, 0, 9, 20, 97, 0, 0, 0, 0, 0, 0]],
    ['a search list with a compressed name', [31, 2, 0, 0, 0, 0, 0, 9, 0xc0, 12, 0, 0, 0, 0, 0, 0]],
    ['a search list with a name of spaces', [31, 2, 0, 0, 0, 0, 0, 9, 2, 32, 32, 0, 0, 0, 0, 0]],
    ['an MTU of 16 bytes', [5, 2, ...zeros(14)]],
    ['a link address of 14 bytes', [1, 2, ...zeros(14)]],
    ['an option of another type', [77, 1, ...zeros(6)]],
  ])('passes over %s, and takes the rest', (_name, option) => {
    const rest = Uint8Array.from([...zeros(8), ...option, 5, 1, 0, 0, 0, 0, 5, 0]);
    const read = parseRouter({ type: ICMPV6_TYPE.ROUTER_ADVERTISEMENT, code: 0, rest: 0, payload: rest }, 6);
    expect(read).toMatchObject({ mtuBytes: 1280, prefixes: [], routes: [], nameServers: [], searchLists: [], linkAddress: null });
  });

  it.each([
    ['length 0', [3, 0, ...zeros(6)]],
    ['a length over the end', [3, 4, ...zeros(6)]],
  ])('is none with an option of %s (RFC 4861 §4.6)', (_name, option) => {
    const payload = Uint8Array.from([...zeros(8), ...option]);
    expect(parseRouter({ type: ICMPV6_TYPE.ROUTER_ADVERTISEMENT, code: 0, rest: 0, payload }, 6)).toBeNull();
  });

  it('reads nothing outside, whatever comes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 8, maxLength: 200 }), fc.integer(), (payload, rest) => {
        const read = readRouter(viewOf(payload), 0, payload.length, rest, 6);
        if (read === null) return;
        expect(read.prefixes.every(({ prefixLen }) => prefixLen <= 128)).toBe(true);
        expect(read.searchLists.every(({ names }) => names.every(isDomainName))).toBe(true);
      }),
    );
  });

  it('has three preferences, and a reserved one (RFC 4191 §2.1)', () => {
    expect([0, 8, 16, 24].map(preferenceOf)).toEqual([0, 1, null, -1]);
  });
});

it('a domain name has labels of 63 at most, and 253 in all', () => {
  expect(['example.org', 'a', 'x_1.y-2', `${'a'.repeat(63)}.b`].every(isDomainName)).toBe(true);
  const bad = ['', '.', 'a..b', '-a', 'a-', 'a b', `${'a'.repeat(64)}`, Array(128).fill('a').join('.'), 'ü.de'];
  expect(bad.filter(isDomainName)).toEqual([]);
  expect(formatIpv6(...parseIpv6('::1')!)).toBe('::1');
});

function zeros(count: number): number[] {
  return new Array<number>(count).fill(0);
}
