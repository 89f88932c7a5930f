import { formatIpv6, formatMac, parseIpv6, parseMac } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  commonPrefixLen,
  needsInterface,
  prefixOf,
  SOLICITED_NODE,
  scopeOf,
  solicitedNodeWord3,
  writeMulticastMac,
} from './address-kind.ts';
import { identifierOf } from './interface-identifier.ts';

test.each([
  // RFC 4291 appendix A: 34-56-78-9A-BC-DE.
  ['34:56:78:9a:bc:de', '::3656:78ff:fe9a:bcde'],
  ['02:00:00:00:00:01', '::ff:fe00:1'],
  ['00:00:00:00:00:00', null],
  ['01:00:5e:00:00:01', null],
])('the identifier of %s is %s', (mac, wanted) => {
  const words = identifierOf(parseMac(mac)!);
  expect(words === null ? null : formatIpv6(0, 0, ...words)).toBe(wanted);
});

test('other link addresses make none', () => {
  expect([identifierOf(new Uint8Array(0)), identifierOf(new Uint8Array(8).fill(2))]).toEqual([null, null]);
});

test.each([
  ['ff01::1', 1, true],
  ['ff02::1', 2, true],
  ['ff0e::1', 14, true],
  ['fe80::1', 2, true],
  ['febf::1', 2, true],
  ['::1', 2, false],
  ['fec0::1', 5, false],
  ['fd00::1', 14, false],
  ['2001:db8::1', 14, false],
])('%s has scope %i; needs its interface: %s', (text, scope, needs) => {
  const words = parseIpv6(text)!;
  expect([scopeOf(...words), needsInterface(words[0])]).toEqual([scope, needs]);
});

test('the solicited-node group of 4037::01:800:200e:8c6c (RFC 4291 §2.7.1), and its Ethernet address (RFC 2464 §7)', () => {
  const word3 = solicitedNodeWord3(parseIpv6('4037::01:800:200e:8c6c')![3]);
  expect(formatIpv6(...SOLICITED_NODE, word3)).toBe('ff02::1:ff0e:8c6c');
  const mac = new Uint8Array(6);
  writeMulticastMac(mac, word3);
  expect(formatMac(mac)).toBe('33:33:ff:0e:8c:6c');
});

const word = fc.oneof(fc.constantFrom(0, -1, 1, -0x80000000), fc.integer({ min: -0x80000000, max: 0x7fffffff }));
const words = fc.tuple(word, word, word, word);
const bits = (address: readonly number[]): string => address.map((each) => (each >>> 0).toString(2).padStart(32, '0')).join('');

test('prefixes are those of the bits', () => {
  fc.assert(
    fc.property(words, words, fc.integer({ min: 0, max: 128 }), (a, b, len) => {
      const [left, right] = [bits(a), bits(b)];
      let common = 0;
      while (common < 128 && left[common] === right[common]) common++;
      expect(commonPrefixLen(a, ...b)).toBe(common);
      expect(bits(prefixOf(a, len))).toBe(left.slice(0, len).padEnd(128, '0'));
    }),
  );
});
