import fc from 'fast-check';
import { expect, test } from 'vitest';
import { echoRest } from './icmp.ts';
import { emitIcmpv4, finishIcmpv4, ICMPV4_TYPE, isIcmpv4Error, isIcmpv4Obsolete, parseIcmpv4, setIcmpv4Times } from './icmpv4.ts';
import { int32, payload, u8 } from './testing/arbitraries.ts';
import { refusesEveryCut, toleratesGarbage } from './testing/garbage.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

const message = fc.record({ type: u8, code: u8, rest: int32, payload });

test('an echo by hand: 0800 + 0001 + 0001 = 0802, inverted', () => {
  const echo = { type: ICMPV4_TYPE.ECHO, code: 0, rest: echoRest(1, 1), payload: hex('') };
  const bytes = hex('0800 f7fd 0001 0001');
  expect(emitIcmpv4(echo)).toEqual(bytes);
  expect(parseIcmpv4(bytes, 0, 8)).toEqual(echo);
  refusesEveryCut(parseIcmpv4, bytes);
  expect(parseIcmpv4(hex('0800 f7fd 0001 0002'), 0, 8)).toBe('icmpv4.checksum');
});

test('parse(emit(x)) is x', () => {
  fc.assert(
    fc.property(message, (value) => {
      const bytes = emitIcmpv4(value);
      expect(parseIcmpv4(bytes, 0, bytes.length)).toEqual(value);
    }),
  );
});

test('garbage', () => {
  toleratesGarbage(parseIcmpv4, message.map(emitIcmpv4), (bytes) => {
    if (bytes.length >= 8) finishIcmpv4(viewOf(bytes), 0, bytes.length);
  });
});

test('which are errors (RFC 1122 §3.2.2; source quench too)', () => {
  expect(Array.from({ length: 256 }, (_, type) => type).filter(isIcmpv4Error)).toEqual([3, 4, 5, 11, 12]);
});

test('which are obsolete (RFC 6633, RFC 6918 §3)', () => {
  const obsolete = [4, 6, 15, 16, 17, 18, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39];
  expect(Array.from({ length: 256 }, (_, type) => type).filter(isIcmpv4Obsolete)).toEqual(obsolete);
});

test('times of a timestamp message (RFC 792)', () => {
  const bytes = new Uint8Array(20);
  setIcmpv4Times(viewOf(bytes), 0, 0x80000001 | 0, 7);
  expect(bytes).toEqual(hex('000000000000000000000000 80000001 00000007'));
});

test.each([{ type: 256 }, { code: -1 }, { rest: 2 ** 32 }])('EINVAL: %j', (bad) => {
  const good = { type: 8, code: 0, rest: 0, payload: hex('') };
  expect(() => emitIcmpv4({ ...good, ...bad })).toThrow(expect.objectContaining({ name: 'NetError', code: 'EINVAL' }));
});
