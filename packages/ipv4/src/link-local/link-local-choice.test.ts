import { formatIpv4 } from '@softnet/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linkLocalChoice } from './link-local-choice.ts';

test('stays in 169.254.1.0 to 169.254.254.255 (RFC 3927 §2.1), and is the same for the same host and attempt', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), fc.nat(1000), (mac, attempt) => {
      const word = linkLocalChoice(mac, attempt);
      expect([word >>> 16, word | 0]).toEqual([0xa9fe, word]);
      expect((word >>> 8) & 0xff).toBeGreaterThanOrEqual(1);
      expect((word >>> 8) & 0xff).toBeLessThanOrEqual(254);
      expect(linkLocalChoice(mac, attempt)).toBe(word);
    }),
  );
});

test('is spread evenly over neighbouring link addresses and attempts', () => {
  const seen = new Set<number>();
  const buckets = new Int32Array(254);
  const hosts = 20_000;
  for (let i = 0; i < hosts; i++) {
    const word = linkLocalChoice(Uint8Array.of(2, 0, 0, 0, i >>> 8, i), i % 3);
    seen.add(word);
    buckets[((word >>> 8) & 0xff) - 1]!++;
  }
  // Of 65,024 places 20,000 throws hit about 17,220 (n(1 - e^(-m/n))).
  expect(seen.size).toBeGreaterThan(16_900);
  const mean = hosts / 254;
  const chiSquare = buckets.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
  expect(chiSquare).toBeLessThan(253 + 5 * Math.sqrt(2 * 253));
});

test('another attempt is another address', () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
  const tried = new Set(Array.from({ length: 50 }, (_, attempt) => formatIpv4(linkLocalChoice(mac, attempt))));
  expect(tried.size).toBeGreaterThan(48);
});
