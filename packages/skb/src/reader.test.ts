import type { Skb } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sumOf } from './checksum.ts';
import { appendFragment, put, trim } from './edit.ts';
import { makePool } from './make-pool.ts';
import { Pattern } from './pattern.ts';
import { SkbReader } from './reader.ts';

const pools = [makePool({ buffers: 4, pages: 40 }), makePool({ buffers: 4, pages: 40 })] as const;

/** A packet whose first `cuts[0]` bytes are in the head and the rest in fragments of these lengths, at odd places, of two pools. */
function packetOf(bytes: Uint8Array, cuts: readonly number[]): Skb {
  const skb = pools[0].alloc(cuts.length % 7, 2000)!;
  let at = Math.min(cuts[0] ?? bytes.length, bytes.length, 2000);
  skb.memory.bytes.set(bytes.subarray(0, at), put(skb, at));
  for (let i = 1; at < bytes.length; i++) {
    const lenBytes = Math.min(cuts[i] ?? 4000, bytes.length - at);
    const fragment = pools[i % 2]!.page(4096)!;
    fragment.offset += i % 5;
    fragment.lenBytes = lenBytes;
    fragment.memory.bytes.set(bytes.subarray(at, at + lenBytes), fragment.offset);
    appendFragment(skb, fragment);
    at += lenBytes;
  }
  return skb;
}

const cuts = fc.array(fc.oneof(fc.nat(3), fc.nat(200)), { maxLength: 20 });
const anyPacket = fc.tuple(fc.uint8Array({ maxLength: 600 }), cuts);

/** Runs `look` with a packet, however it is cut, and frees it. */
function forAnyPacket(look: (skb: Skb, bytes: Uint8Array, n: number, m: number) => void): void {
  fc.assert(
    fc.property(anyPacket, fc.nat(700), fc.nat(700), ([bytes, at], n, m) => {
      const skb = packetOf(bytes, at);
      try {
        look(skb, bytes, n, m);
      } finally {
        skb.memory.pool.release(skb);
      }
      expect(pools.every(({ idle }) => idle)).toBe(true);
    }),
    { numRuns: 500 },
  );
}

/** RFC 1071 as it reads: 16-bit words, the last one padded. */
function plainSum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return sum;
}

/** Ones' complement has two zeros. */
const sameSum = (sum: number): number => (sum === 0xffff ? 0 : sum);

/** How often an array of bytes is copied, or a view of one is made, meanwhile. */
function countCopies<T>(act: () => T): { calls: number; result: T } {
  const arrays = Object.getPrototypeOf(Uint8Array.prototype) as Record<string, (...args: unknown[]) => unknown>;
  const before = { set: arrays.set!, slice: arrays.slice!, subarray: arrays.subarray!, copyWithin: arrays.copyWithin! };
  let calls = 0;
  for (const [name, method] of Object.entries(before)) {
    arrays[name] = function (this: unknown, ...args) {
      calls++;
      return method.apply(this, args);
    };
  }
  try {
    const result = act();
    return { calls, result };
  } finally {
    Object.assign(arrays, before);
  }
}

describe('SkbReader, however the packet is cut', () => {
  const reader = new SkbReader();

  it('gives every byte once, in runs, singly and by copy', () => {
    forAnyPacket((skb, bytes) => {
      const inRuns: number[] = [];
      for (let more = reader.open(skb); more; more = reader.nextRun()) {
        expect(reader.end).toBeGreaterThan(reader.offset);
        inRuns.push(...reader.bytes.subarray(reader.offset, reader.end));
      }
      expect(inRuns).toEqual([...bytes]);
      expect(reader.remaining).toBe(0);
      const singly: number[] = [];
      reader.open(skb);
      for (let byte = reader.peek(); byte >= 0; byte = reader.peek()) {
        expect(reader.u8()).toBe(byte);
        singly.push(byte);
      }
      expect(singly).toEqual([...bytes]);
      const copy = new Uint8Array(bytes.length + 2);
      reader.open(skb);
      expect(reader.copyOut(copy, 1)).toBe(true);
      expect([...copy]).toEqual([0, ...bytes, 0]);
    });
  });

  it('reads a range and nothing else, and refuses one that is not there', () => {
    forAnyPacket((skb, bytes, n, m) => {
      const fits = m > 0 && n + m <= bytes.length;
      expect(reader.open(skb, n, m)).toBe(fits);
      expect(reader.remaining).toBe(fits ? m : 0);
      const read: number[] = [];
      for (let byte = reader.u8(); byte >= 0; byte = reader.u8()) read.push(byte);
      expect(read).toEqual(fits ? [...bytes.subarray(n, n + m)] : []);
    });
  });

  it('skips, and reads words across the seams', () => {
    forAnyPacket((skb, bytes, n) => {
      if (!reader.open(skb)) return;
      expect(reader.skip(n)).toBe(n <= bytes.length);
      const at = n <= bytes.length ? n : 0;
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      expect(reader.u16()).toBe(at + 2 <= bytes.length ? view.getUint16(at) : -1);
      if (at + 6 <= bytes.length) expect(reader.u32()).toBe(view.getInt32(at + 2));
      expect(reader.skip(-1)).toBe(false);
      expect(reader.copyOut(new Uint8Array(1), 0, 2)).toBe(false);
    });
  });

  it('sums as RFC 1071 says, with seams at odd places', () => {
    forAnyPacket((skb, bytes, n) => {
      const opened = reader.open(skb, n % 5);
      expect(sameSum(sumOf(reader))).toBe(opened ? sameSum(plainSum(bytes.subarray(n % 5))) : 0);
    });
  });

  it('finds a pattern where Buffer finds it', () => {
    const few = fc.uint8Array({ min: 0, max: 1, maxLength: 80 });
    fc.assert(
      fc.property(few, cuts, fc.uint8Array({ min: 0, max: 1, minLength: 1, maxLength: 6 }), (bytes, at, wanted) => {
        const skb = packetOf(bytes, at);
        const places: number[] = [];
        let from = 0;
        reader.open(skb);
        for (let found = reader.find(new Pattern(wanted)); found >= 0; found = reader.find(new Pattern(wanted))) {
          places.push(from + found);
          from += found + wanted.length;
        }
        const expected: number[] = [];
        for (let i = Buffer.from(bytes).indexOf(wanted); i >= 0; i = Buffer.from(bytes).indexOf(wanted, i + wanted.length))
          expected.push(i);
        expect(places).toEqual(expected);
        skb.memory.pool.release(skb);
      }),
      { numRuns: 500 },
    );
  });

  it('copies nothing: row S3', () => {
    const bytes = Uint8Array.from({ length: 9000 }, (_, i) => i * 7);
    const skb = packetOf(bytes, [100, 1, 3000, 333]);
    const wanted = new Pattern(Uint8Array.of(251, 252));
    const { calls, result: sum } = countCopies(() => {
      reader.open(skb);
      reader.find(wanted);
      reader.open(skb, 50, 8000);
      const summed = sumOf(reader);
      reader.open(skb);
      reader.skip(99);
      reader.u32();
      while (reader.nextRun());
      return summed;
    });
    expect(calls).toBe(0);
    expect(countCopies(() => reader.open(skb) && reader.copyOut(new Uint8Array(9000))).calls).toBeGreaterThan(0);
    expect(sum).toBe(plainSum(bytes.subarray(50, 8050)));
    expect(skb.memory.pool).toMatchObject({ counters: { copiedBytes: { value: 0 } } });
    trim(skb, 0);
    skb.memory.pool.release(skb);
  });
});
