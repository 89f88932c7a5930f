import fc from 'fast-check';
import { expect, test } from 'vitest';
import { echoRest } from './icmp.ts';
import { emitIcmpv6, finishIcmpv6, ICMPV6_TYPE, isIcmpv6Error, parseIcmpv6 } from './icmpv6.ts';
import { pseudoHeaderSum } from './pseudo-header.ts';
import { int32, payload, u8, u16 } from './testing/arbitraries.ts';
import { refusesEveryCut, toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const message = fc.record({ type: u8, code: u8, rest: int32, payload });
const pseudo = pseudoHeaderSum(0xfe800000 | 0, 0, 0, 1, 0xfe800000 | 0, 0, 0, 2, 58, 8);

test('an echo by hand, from fe80::1 to fe80::2', () => {
  const echo = { type: ICMPV6_TYPE.ECHO_REQUEST, code: 0, rest: echoRest(1, 1), payload: hex('') };
  // fe80 + 0001 + fe80 + 0002 + 003a + 0008, and 8000 + 0001 + 0001: 27d47, which is 7d49, inverted.
  const bytes = hex('8000 82b6 0001 0001');
  expect(emitIcmpv6(echo, pseudo)).toEqual(bytes);
  expect(parseIcmpv6(bytes, 0, 8, pseudo)).toEqual(echo);
  expect(parseIcmpv6(bytes, 0, 8, pseudo + 1)).toBe('icmpv6.checksum');
  refusesEveryCut((all, offset, length) => parseIcmpv6(all, offset, length, pseudo), bytes);
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(message, u16, (value, anySum) => {
      const bytes = emitIcmpv6(value, anySum);
      expect(parseIcmpv6(bytes, 0, bytes.length, anySum)).toEqual(value);
    }),
  );
});

test('garbage', () => {
  toleratesGarbage(
    (bytes, offset, length) => parseIcmpv6(bytes, offset, length, pseudo),
    message.map((value) => emitIcmpv6(value, pseudo)),
    (bytes) => {
      if (bytes.length >= 8) finishIcmpv6(viewOf(bytes), 0, bytes.length, pseudo);
    },
  );
});

test('which are errors (RFC 4443 §2.1)', () => {
  expect([0, 1, 4, 127, 128, 135, 255].map(isIcmpv6Error)).toEqual([true, true, true, true, false, false, false]);
});

test.each([{ type: 256 }, { code: -1 }, { rest: 2 ** 32 }])('EINVAL: %j', (bad) => {
  const good = { type: 128, code: 0, rest: 0, payload: hex('') };
  expect(() => emitIcmpv6({ ...good, ...bad }, pseudo)).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});
