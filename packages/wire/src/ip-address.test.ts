import { ADDRESS_FAMILY } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IpAddress } from './ip-address.ts';
import { formatAddress, ipv4Words, parseAddress, putAddress, readAddress } from './ip-address.ts';
import { int32, ipv6Words } from './testing/arbitraries.ts';
import { viewOf } from './view-of.ts';

const { INET, INET6 } = ADDRESS_FAMILY;

test('IPv4 is 0, 0, 0xffff, a; both unspecified addresses are ::', () => {
  expect(parseAddress('192.0.2.1')).toEqual({ family: INET, words: [0, 0, 0xffff, 0xc0000201 | 0] });
  expect(parseAddress('::ffff:192.0.2.1')).toEqual({ family: INET6, words: [0, 0, 0xffff, 0xc0000201 | 0] });
  expect(parseAddress('2001:db8::1')).toEqual({ family: INET6, words: [0x20010db8, 0, 0, 1] });
  expect(parseAddress('0.0.0.0')).toEqual({ family: INET, words: [0, 0, 0, 0] });
  expect(parseAddress('::')).toEqual({ family: INET6, words: [0, 0, 0, 0] });
  expect(parseAddress('localhost')).toBeNull();
  expect([formatAddress(INET, 0, 0, 0, 0), formatAddress(INET6, 0, 0, 0, 0)]).toEqual(['0.0.0.0', '::']);
});

test('bytes, words and text are one', () => {
  const address: fc.Arbitrary<IpAddress> = fc.oneof(
    int32.map((word) => ({ family: INET, words: ipv4Words(word) })),
    ipv6Words.map((words) => ({ family: INET6, words })),
  );
  fc.assert(
    fc.property(address, ({ family, words }) => {
      const bytes = new Uint8Array(20);
      const view = viewOf(bytes);
      putAddress(view, 3, family, ...words);
      expect(readAddress(view, 3, family)).toEqual(words);
      expect(parseAddress(formatAddress(family, ...words))).toEqual({ family, words });
      expect(bytes.slice(0, 3)).toEqual(new Uint8Array(3));
      expect(bytes.slice(family === INET ? 7 : 19)).toEqual(new Uint8Array(family === INET ? 13 : 1));
    }),
  );
});
