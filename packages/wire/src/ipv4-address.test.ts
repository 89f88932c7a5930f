import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpv4, parseIpv4 } from './ipv4-address.ts';
import { int32 } from './testing/arbitraries.ts';

test.each([
  ['0.0.0.0', 0],
  ['127.0.0.1', 0x7f000001],
  ['192.0.2.1', 0xc0000201 | 0],
  ['255.255.255.255', -1],
])('%s', (text, address) => {
  expect(parseIpv4(text)).toBe(address);
  expect(formatIpv4(address)).toBe(text);
  expect(formatIpv4(address >>> 0)).toBe(text);
});

test.each([
  '',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '256.0.0.1',
  '1.2.3.256',
  '01.2.3.4',
  '1.2.3.00',
  '0x1.2.3.4',
  '1.2.3.4 ',
  '1..3.4',
  '1.2.3.-4',
  '1.2.3.4e0',
  '١.2.3.4',
])('is no IPv4 address: %j', (text) => {
  expect(parseIpv4(text)).toBeNull();
});

test('text and back', () => {
  fc.assert(
    fc.property(int32, (address) => {
      expect(parseIpv4(formatIpv4(address))).toBe(address);
    }),
  );
});

test('what is taken is canonical, and nothing throws', () => {
  const near = fc.stringMatching(/^[0-9]{0,4}(\.[0-9]{0,4}){0,4}$/);
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      const address = parseIpv4(text);
      if (address !== null) expect(formatIpv4(address)).toBe(text);
    }),
    { numRuns: 2000 },
  );
});
