import fc from 'fast-check';
import { expect, test } from 'vitest';
import { initialSequence } from './initial-sequence.ts';
import * as cookies from './syn-cookie.ts';

const { COOKIE_MSS_IPV4, COOKIE_MSS_IPV6 } = cookies;
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
/** Stands in for SipHash. */
const hashOf =
  (secret: number): cookies.CookieHash =>
  (key, count) => {
    let x = Math.imul(secret ^ Math.imul(key + 1, 0x9e3779b1) ^ Math.imul(count, 0x85ebca6b), 0xc2b2ae35);
    x ^= x >>> 15;
    return Math.imul(x, 0x27d4eb2f) ^ (x >>> 13);
  };

test('RFC 6528 §3: ISN = M + F, wrapping', () => {
  expect([initialSequence(5, 10), initialSequence(2 ** 31 - 1, 1)]).toEqual([15, -(2 ** 31)]);
});

test('RFC 4987 appendix A: a cookie says its MSS, to its peer, for two ticks; over every wrap', () => {
  fc.assert(
    fc.property(int32, int32, fc.nat(2 ** 26), fc.nat(3), (secret, isn, tick, index) => {
      const hash = hashOf(secret);
      const cookie = cookies.makeCookie(hash, isn, tick, index);
      expect([0, 1, 2, 3, 255].map((later) => cookies.readCookie(hash, cookie, isn, tick + later, 4))).toEqual([index, index, -1, -1, -1]);
    }),
  );
});

test('guesses are right once in four million, not more often: of 100,000 hardly any', () => {
  const hash = hashOf(7);
  let right = 0;
  for (let guess = 0; guess < 100_000; guess++) if (cookies.readCookie(hash, Math.imul(guess, 0x9e3779b1), 1, 9, 4) >= 0) right++;
  expect(right).toBeLessThan(5);
});

test('the largest MSS that is not above the peer’s; below all the least', () => {
  expect([100, 536, 1299, 1300, 1459, 1460, 9000].map((mss) => cookies.cookieMssIndex(COOKIE_MSS_IPV4, mss))).toEqual([
    0, 0, 0, 1, 2, 3, 3,
  ]);
  expect([1219, 1440, 8940].map((mss) => COOKIE_MSS_IPV6[cookies.cookieMssIndex(COOKIE_MSS_IPV6, mss)])).toEqual([1220, 1440, 8940]);
});

test('options ride in the timestamp, which is never of the future', () => {
  const options = fc.record({ windowScale: fc.integer({ min: -1, max: 14 }), sackPermitted: fc.boolean(), ecn: fc.boolean() });
  fc.assert(
    fc.property(int32, options, (nowMs, said) => {
      const stamp = cookies.cookieTimestamp(nowMs, said);
      const got = new cookies.CookieOptions();
      cookies.readCookieTimestamp(stamp, got);
      expect({ ...got }).toEqual(said);
      const age = (nowMs - stamp) | 0;
      expect(age).toBeGreaterThanOrEqual(0);
      expect(age).toBeLessThan(128);
    }),
  );
});
