import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addSums, checksumOf, INTACT, sumAtOdd, sumBytes, sumWord, updateChecksum16, updateChecksum32 } from './internet-checksum.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

/** RFC 1071 §1 in its own words: 16-bit words, one's complement, over a number without bounds. */
function slowSum(bytes: Uint8Array): number {
  let total = 0n;
  for (let at = 0; at < bytes.length; at += 2) total += (BigInt(bytes[at]!) << 8n) | BigInt(bytes[at + 1] ?? 0);
  while (total > 0xffffn) total = (total & 0xffffn) + (total >> 16n);
  return Number(total);
}

const sum = (bytes: Uint8Array) => sumBytes(viewOf(bytes), 0, bytes.length);

test('RFC 1071 §3: the example, in both groupings', () => {
  const bytes = hex('0001 f203 f4f5 f6f7');
  expect(sum(bytes)).toBe(0xddf2);
  expect(checksumOf(sum(bytes))).toBe(0x220d);
  expect(sumAtOdd(0xf2dd)).toBe(0xddf2);
});

test('RFC 1624 §4: the example that equation 2 of RFC 1141 gets wrong', () => {
  expect(updateChecksum16(0xdd2f, 0x5555, 0x3285)).toBe(0x0000);
});

test('every length from 0 to 200 at every alignment, among bytes that do not count', () => {
  for (const fill of [0x00, 0xff, 0x5a]) {
    for (let offset = 0; offset < 5; offset++) {
      for (let length = 0; length <= 200; length++) {
        const all = new Uint8Array(offset + length + 40).fill(0xee);
        for (let index = 0; index < length; index++) all[offset + index] = fill === 0x5a ? index * 37 + 11 : fill;
        expect(sumBytes(viewOf(all), offset, length)).toBe(slowSum(all.slice(offset, offset + length)));
      }
    }
  }
});

test('is what the slow model says', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), fc.nat(9), (bytes, offset) => {
      const all = new Uint8Array(offset + bytes.length);
      all.set(bytes, offset);
      expect(sumBytes(viewOf(all), offset, bytes.length)).toBe(slowSum(bytes));
    }),
    { numRuns: 1000 },
  );
});

test('nothing is lost in large blocks of ones: 64 KiB and 8 MiB', () => {
  for (const lenBytes of [65535, 65536, 8 << 20]) {
    const bytes = new Uint8Array(lenBytes).fill(0xff);
    bytes[lenBytes - 1] = 0x01;
    expect(sum(bytes)).toBe(slowSum(bytes));
  }
});

test('a carry out of the carry', () => {
  expect(addSums(addSums(0xffff, 0xffff), 1)).toBe(1);
  expect(updateChecksum16(0x0000, 0x0000, 0x0001)).toBe(0xfffe);
  const bytes = new Uint8Array(8 << 20).fill(0xff);
  bytes.set(hex('1f00'), bytes.length - 4);
  expect(sum(bytes)).toBe(slowSum(bytes));
});

test('does not read outside: at the end of its memory, and with a view that begins within one', () => {
  const memory = new Uint8Array(100).fill(0xff);
  const view = new DataView(memory.buffer, 3, 61);
  expect(sumBytes(view, 1, 60)).toBe(0xffff);
  expect(() => sumBytes(view, 1, 61)).toThrow(RangeError);
});

test('sums of parts add up to the sum of the whole, odd places swapped (RFC 1071 §2)', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, where) => {
      const cut = where % (bytes.length + 1);
      const tail = sum(bytes.slice(cut));
      expect(addSums(sum(bytes.slice(0, cut)), cut % 2 === 0 ? tail : sumAtOdd(tail))).toBe(sum(bytes));
    }),
  );
});

test('data with their checksum are intact, and no single changed byte goes unseen', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 100 }), fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, where, change) => {
      const view = viewOf(bytes);
      view.setUint16(2, 0);
      view.setUint16(2, checksumOf(sum(bytes)));
      expect(sum(bytes)).toBe(INTACT);
      bytes[where % bytes.length]! ^= change;
      expect(sum(bytes)).not.toBe(INTACT);
    }),
  );
});

test('an update is what computing anew gives, 16 and 32 bits', () => {
  const u16 = fc.oneof(fc.constantFrom(0, 0xffff), fc.nat(0xffff));
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 40 }), fc.nat(), u16, u16, (bytes, where, high, low) => {
      bytes[0] = 0x45;
      const view = viewOf(bytes);
      const at = 4 + 2 * (where % ((bytes.length - 6) >>> 1));
      const before = checksumOf(sum(bytes));
      const from = view.getInt32(at);
      view.setUint16(at, high);
      const between = checksumOf(sum(bytes));
      expect(updateChecksum16(before, from >>> 16, high)).toBe(between);
      view.setUint16(at + 2, low);
      const after = checksumOf(sum(bytes));
      expect(updateChecksum32(before, from, view.getInt32(at))).toBe(after);
      expect(updateChecksum32(before, from >>> 0, view.getUint32(at))).toBe(after);
    }),
  );
});

test('words: int32 and unsigned are the same', () => {
  expect(sumWord(-1)).toBe(0xffff);
  expect(sumWord(0xffffffff)).toBe(0xffff);
  expect(sumWord(0x80000001)).toBe(0x8001);
  expect(sumWord(0x80000001 | 0)).toBe(0x8001);
});
