import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseLength, countWrong, MOST_BYTES, readSequence, writePayload } from './payload.ts';

const anySequence = fc.integer({ min: 0, max: 0xffff_ffff });

describe('a payload', () => {
  test('says its number, and each byte can be checked', () => {
    fc.assert(
      fc.property(anySequence, fc.integer({ min: 4, max: 3000 }), fc.nat(16), (sequence, lenBytes, from) => {
        const bytes = new Uint8Array(from + lenBytes);
        writePayload(bytes, from, from + lenBytes, sequence);
        expect(readSequence(bytes, from, from + lenBytes)).toBe(sequence);
        expect(countWrong(bytes, from, from + lenBytes, sequence)).toBe(0);
      }),
    );
  });

  test('a changed byte is wrong', () => {
    fc.assert(
      fc.property(
        anySequence,
        fc.integer({ min: 5, max: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (sequence, lenBytes, at, change) => {
          const bytes = new Uint8Array(lenBytes);
          writePayload(bytes, 0, lenBytes, sequence);
          bytes[4 + (at % (lenBytes - 4))]! ^= change;
          expect(countWrong(bytes, 0, lenBytes, sequence)).toBe(1);
        },
      ),
    );
  });

  test('one that is too short has no number', () => {
    expect(readSequence(Uint8Array.of(1, 2, 3), 0, 3)).toBe(-1);
  });

  test('lengths are of all sizes', () => {
    let at = 0;
    const random = { below: (bound: number) => (at++ * 7919) % bound, u32: () => 0, fraction: () => 0, fill: () => undefined };
    const lengths = Array.from({ length: 400 }, () => chooseLength(random));
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(4);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(MOST_BYTES);
    expect(lengths.some((each) => each > 3000)).toBe(true);
  });
});
