import type { Skb } from '@softnet/contract';
import { CHECKSUM, PacketMemory } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSums, plainSum } from './bulk/plain-sums.ts';
import { copyAndSum, finishChecksum, sumOf } from './checksum.ts';
import { appendFragment, put } from './edit.ts';
import { copyIn } from './gather.ts';
import { makePool } from './make-pool.ts';
import type { PacketPool } from './pool.ts';
import { SkbReader } from './reader.ts';

const sumAll = (bytes: Uint8Array): number => plainSum(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length);

describe('a sum', () => {
  it('is that of RFC 1071 §3', () => {
    expect(sumAll(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xddf2);
  });

  it('verifies an IPv4 header from the wire', () => {
    const header = Uint8Array.from(Buffer.from('45000073000040004011b861c0a80001c0a800c7', 'hex'));
    expect(sumAll(header)).toBe(0xffff);
  });

  it('of two halves is that of the whole, when the first is even', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(100), (bytes, n) => {
        const at = Math.min(n * 2, bytes.length & ~1);
        expect(addSums(sumAll(bytes.subarray(0, at)), sumAll(bytes.subarray(at)))).toBe(sumAll(bytes));
      }),
    );
  });
});

const small = { buffers: 8, pages: 16 };
const pools: readonly (readonly [string, PacketPool])[] = [
  ['by vectors', makePool(small)],
  ['by vectors, in shared memory', makePool(small, 'shared', { shared: true })],
  ['plain', makePool(small, 'plain', { vectors: false })],
];

/** A packet whose head and fragments are of these lengths. */
function packet(pool: PacketPool, lengths: readonly number[], byteAt: (i: number) => number): Skb {
  const skb = pool.alloc(3, 1000)!;
  put(skb, lengths[0]!);
  let done = 0;
  for (const [i, lenBytes] of lengths.entries()) {
    let at = skb.data;
    if (i > 0) {
      const page = pool.page(lenBytes)!;
      page.lenBytes = lenBytes;
      at = page.offset;
      appendFragment(skb, page);
    }
    for (let k = 0; k < lenBytes; k++) skb.memory.bytes[at + k] = byteAt(done++);
  }
  return skb;
}

describe.each(pools)('what a reader has left, %s', (_name, pool) => {
  const reader = new SkbReader();
  const runs = fc.array(fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 1000 })), { minLength: 1, maxLength: 5 });
  const anyByte = fc.constantFrom(
    (i: number) => i * 31 + (i >> 7),
    () => 0xff,
  );

  it('is summed, and copied and summed, as if it lay in a row', () => {
    fc.assert(
      fc.property(runs, anyByte, fc.nat(80), fc.nat(3), (lengths, byteAt, skipped, to) => {
        const total = lengths.reduce((a, b) => a + b);
        const from = Math.min(skipped, total - 1);
        const row = Uint8Array.from({ length: total - from }, (_, i) => byteAt(from + i));
        const skb = packet(pool, lengths, byteAt);
        expect([reader.open(skb, from), sumOf(reader), reader.remaining]).toEqual([true, sumAll(row), 0]);

        for (const target of pools.map(([, other]) => other)) {
          const page = target.page(4096)!;
          const { memory, offset } = page;
          memory.bytes.fill(0x5a, offset, offset + 4096);
          const count = Math.min(row.length, 4000);
          reader.open(skb, from);
          expect([copyAndSum(reader, memory, offset + to, count), reader.remaining]).toEqual([
            sumAll(row.subarray(0, count)),
            row.length - count,
          ]);
          const wanted = new Uint8Array(4096).fill(0x5a);
          wanted.set(row.subarray(0, count), to);
          expect(Buffer.compare(memory.bytes.subarray(offset, offset + 4096), wanted)).toBe(0);
          page.source.release(page);
        }
        pool.release(skb);
        expect(pool.idle).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('is left to vector instructions where there are some, and bytes enough in a row', () => {
    const skb = packet(pool, [63, 64], (i) => i);
    const asked: string[] = [];
    const ask = (what: string) => () => asked.push(what);
    reader.open(skb);
    expect(reader.bulk).toBe(pool.memory.bulk);
    const bulk = { sum: ask('sum'), copyAndSum: ask('copyAndSum'), toeplitz: ask('toeplitz') };
    const memory = new PacketMemory(pool.memory.bytes, pool, bulk);
    for (const lenBytes of [63, 64]) {
      reader.open(skb, lenBytes === 63 ? 0 : 63, lenBytes);
      reader.bulk = bulk;
      sumOf(reader);
    }
    for (const lenBytes of [31, 32]) {
      reader.open(skb, 0, lenBytes);
      reader.bulk = bulk;
      copyAndSum(reader, memory, 4096);
    }
    expect(asked).toEqual(['sum', 'copyAndSum']);
    pool.release(skb);
  });

  it('is not copied when there is less of it', () => {
    const skb = packet(pool, [10, 20], (i) => i);
    reader.open(skb);
    expect(copyAndSum(reader, pool.memory, 0, 31)).toBe(-1);
    expect(reader.remaining).toBe(30);
    expect(copyAndSum(reader, pool.memory, 0, 0)).toBe(0);
    pool.release(skb);
  });
});

describe('finishChecksum', () => {
  const reader = new SkbReader();
  const pool = makePool();

  /** 20 bytes of some header, 8 of UDP's, and a payload on pages; the field holds the pseudo-header's sum. */
  function datagram(lenBytes: number) {
    const skb = pool.alloc(30, 28)!;
    put(skb, 28);
    skb.memory.bytes.fill(7, skb.data, skb.tail);
    copyIn(skb, new Uint8Array(lenBytes).fill(0xa5));
    skb.transport = skb.data + 20;
    skb.memory.view.setUint16(skb.transport + 6, 0x1234);
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((skb.transport - skb.head) << 16) | 6;
    return skb;
  }

  it('makes the whole sum to all ones with the pseudo-header, also in a clone, whose original stays as it was', () => {
    const skb = datagram(5001);
    const clone = pool.clone(skb)!;
    expect(pool.makeRoom(clone, 300, 0)).toBe(true);
    expect(finishChecksum(clone, reader)).toBe(true);
    expect(clone).toMatchObject({ checksum: CHECKSUM.NONE, csum: 0 });
    expect(skb.memory.view.getUint16(skb.transport + 6)).toBe(0x1234);
    expect(finishChecksum(skb, reader)).toBe(true);
    const written = skb.memory.view.getUint16(skb.transport + 6);
    expect(clone.memory.view.getUint16(clone.transport + 6)).toBe(written);
    expect(written).not.toBe(0x1234);
    // What was in the field is the sum of the pseudo-header, so with it all is 0xffff.
    const payload = new Uint8Array(5001).fill(0xa5);
    const header = Uint8Array.from([7, 7, 7, 7, 7, 7, written >> 8, written & 0xff]);
    expect(addSums(addSums(sumAll(header), sumAll(payload)), 0x1234)).toBe(0xffff);
    for (const each of [skb, clone]) pool.release(each);
    expect(pool.idle).toBe(true);
  });

  it('writes 0xffff for 0 (RFC 768)', () => {
    const skb = pool.alloc(0, 4)!;
    put(skb, 4);
    skb.memory.view.setUint32(skb.data, 0xffff0000);
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = 2;
    expect(finishChecksum(skb, reader)).toBe(true);
    expect(skb.memory.view.getUint16(skb.data + 2)).toBe(0xffff);
    pool.release(skb);
  });

  it('refuses a field outside of the packet, and writes nothing there', () => {
    const skb = datagram(0);
    skb.csum = ((skb.transport - skb.head) << 16) | 7;
    expect(finishChecksum(skb, reader)).toBe(false);
    skb.csum = 0;
    expect(finishChecksum(skb, reader)).toBe(false);
    pool.release(skb);
  });
});
