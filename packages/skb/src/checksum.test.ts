import { CHECKSUM } from '@softnet/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSums, finishChecksum, sumRun } from './checksum.ts';
import { put } from './edit.ts';
import { copyIn } from './gather.ts';
import { makePool } from './make-pool.ts';
import { SkbReader } from './reader.ts';

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const sumAll = (bytes: Uint8Array): number => sumRun(viewOf(bytes), 0, bytes.length);

describe('sums', () => {
  it('is that of RFC 1071 §3', () => {
    expect(sumAll(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xddf2);
  });

  it('verifies an IPv4 header from the wire', () => {
    const header = Uint8Array.from(Buffer.from('45000073000040004011b861c0a80001c0a800c7', 'hex'));
    expect(sumAll(header)).toBe(0xffff);
  });

  it('does not overflow at its greatest length', () => {
    expect(sumAll(new Uint8Array(262_144).fill(0xff))).toBe(0xffff);
    expect(sumAll(new Uint8Array(65_535).fill(0xff))).toBe(addSums(0xffff, 0xff00));
  });

  it('of two halves is that of the whole, when the first is even', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(100), (bytes, n) => {
        const at = Math.min(n * 2, bytes.length & ~1);
        const view = viewOf(bytes);
        const sum = addSums(sumRun(view, 0, at), sumRun(view, at, bytes.length));
        expect(sum % 0xffff).toBe(sumAll(bytes) % 0xffff);
      }),
    );
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
