import { SocketAddress } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIpv6, parseIpv6 } from './ipv6-address.ts';
import { int32, ipv6Words } from './testing/arbitraries.ts';

const canonical = (text: string) => {
  const words = parseIpv6(text);
  return words === null ? null : formatIpv6(...words);
};

test.each([
  // RFC 5952 §1, §2, §4: forms of one address, and the one to write.
  ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8::0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:0db8::1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:0:1::1', '2001:db8::1:0:0:1'],
  ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
  ['2001:0db8::0001', '2001:db8::1'],
  ['2001:db8:0:0:0:0:2:1', '2001:db8::2:1'],
  ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA', '2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa'],
  // §5.
  ['::ffff:c000:201', '::ffff:192.0.2.1'],
  ['0:0:0:0:0:ffff:192.0.2.1', '::ffff:192.0.2.1'],
  // RFC 4291 §2.2.
  ['FF01:0:0:0:0:0:0:101', 'ff01::101'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['0:0:0:0:0:0:0:0', '::'],
  ['0:0:0:0:0:0:13.1.68.3', '::d01:4403'],
  ['fe80::', 'fe80::'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
  ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
])('%s is written %s', (text, wanted) => {
  expect(canonical(text)).toBe(wanted);
});

test.each([
  '',
  ':',
  ':::',
  '1',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1:2:3:4:5:6:7:8::',
  '::1:2:3:4:5:6:7:8',
  '1::2::3',
  '1:::2',
  ':1:2:3:4:5:6:7:8',
  '1:2:3:4:5:6:7:',
  '12345::',
  'g::',
  '::1.2.3',
  '::1.2.3.256',
  '1.2.3.4::',
  '1.2.3.4',
  '::1.2.3.4:5',
  'fe80::1%eth0',
  '::1/128',
  ' ::1',
  '[::1]',
])('is no IPv6 address: %j', (text) => {
  expect(parseIpv6(text)).toBeNull();
});

const sparse = fc.tuple(...Array.from({ length: 4 }, () => fc.oneof(fc.constantFrom(0, 1, 0x10000, 0xffff), int32)));

test('text and back, as many zero groups as there may be', () => {
  fc.assert(
    fc.property(fc.oneof(ipv6Words, sparse), (words) => {
      const [word0 = 0, word1 = 0, word2 = 0, word3 = 0] = words;
      const text = formatIpv6(word0, word1, word2, word3);
      expect(parseIpv6(text)).toEqual([word0, word1, word2, word3]);
      expect(canonical(text)).toBe(text);
      expect(text).not.toMatch(/(^|:)0[0-9a-f]|[A-F]/);
    }),
    { numRuns: 2000 },
  );
});

/** Node's inet_pton, which knows the same forms. */
function takenByNode(text: string): boolean {
  try {
    new SocketAddress({ address: text, family: 'ipv6' });
    return true;
  } catch {
    return false;
  }
}

test('takes what inet_pton takes, and nothing throws', () => {
  const near = fc
    .array(fc.constantFrom('0', '1', 'ab', 'FFFF', '12345', ':', ':', ':', '::', '.', '1.2.3.4', 'g'), { maxLength: 18 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (text) => {
      expect(parseIpv6(text) !== null).toBe(takenByNode(text));
    }),
    { numRuns: 5000 },
  );
});
