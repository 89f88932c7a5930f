import type { Skb } from '@softnet/contract';
import { CHECKSUM } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { appendFragment, copyIn, pull, put } from '@softnet/skb';
import { emitTcp, finishTcp, pseudoHeaderSum, setIpv4Dst, setIpv4HeaderBytes, setIpv4Src, sumBytes, TCP_FLAG, viewOf } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Segment } from '../machine/segment.ts';
import { bytesOf, SegmentStand } from '../testing/segment-stand.ts';
import { emitOptionsValue } from '../wire/options-value.ts';
import { SegmentReader } from './segment-reader.ts';

type Words = readonly [number, number, number, number];
const V4: readonly [Words, Words] = [
  [0, 0, 0xffff, 0x0a000001],
  [0, 0, 0xffff, 0x0a000002],
];
const V6: readonly [Words, Words] = [
  [0x20010db8, 0, 0, 1],
  [0x20010db8, 0, 0, 2],
];
const stand = new SegmentStand({ buffers: 16, pages: 16 });
const reader = new SegmentReader(stand);
const into = new Segment();

function segment(
  payload: Uint8Array,
  isV6: boolean,
  options: Parameters<typeof emitOptionsValue>[2] = {},
  flags: number = TCP_FLAG.ACK,
): Uint8Array {
  const scratch = new Uint8Array(60);
  const optionBytes = emitOptionsValue(viewOf(scratch), 0, options);
  const fields = {
    srcPort: 4711,
    dstPort: 80,
    seq: -2,
    ack: 0x7fffffff,
    flags,
    window: 500,
    checksum: 0,
    urgentPointer: 3,
    options: [],
    payload,
  };
  const plain = emitTcp(fields);
  const bytes = new Uint8Array(plain.length + optionBytes);
  bytes.set(plain.subarray(0, 20));
  bytes.set(scratch.subarray(20, 20 + optionBytes), 20);
  bytes.set(payload, 20 + optionBytes);
  bytes[12] = ((20 + optionBytes) >> 2) << 4;
  const [src, dst] = isV6 ? V6 : V4;
  finishTcp(viewOf(bytes), 0, bytes.length, pseudoHeaderSum(...src, ...dst, 6, bytes.length));
  return bytes;
}

/** Behind an IP header; so many bytes of it in the head, the rest on pages. */
function packet(bytes: Uint8Array, isV6: boolean, inHead = bytes.length): Skb {
  const skb = stand.memory.alloc(0, 40 + Math.min(inHead, 1500))!;
  const at = put(skb, isV6 ? 40 : 20);
  const { view } = skb.memory;
  skb.memory.bytes.fill(0, at, skb.tail);
  const [src, dst] = isV6 ? V6 : V4;
  if (isV6) {
    view.setUint8(at, 0x60);
    view.setUint8(at + 1, 0x10);
    for (let i = 0; i < 8; i++) view.setInt32(at + 8 + 4 * i, (i < 4 ? src : dst)[i & 3]!);
  } else {
    setIpv4HeaderBytes(view, at, 20);
    view.setUint8(at + 1, 1);
    setIpv4Src(view, at, src[3]);
    setIpv4Dst(view, at, dst[3]);
  }
  skb.network = at;
  skb.transport = skb.tail;
  copyIn(skb, bytes, 0, Math.min(inHead, bytes.length));
  for (let from = inHead; from < bytes.length; from += 1000) {
    const part = bytes.subarray(from, from + 1000);
    const fragment = stand.memory.page(part.length)!;
    fragment.memory.bytes.set(part, fragment.offset);
    appendFragment(skb, fragment);
  }
  pull(skb, isV6 ? 40 : 20);
  return skb;
}

/** Null: it was read, and freed; else why not. */
function faultOf(skb: Skb): string | null {
  const before = Object.values(stand.faults).map(({ count }) => count);
  if (reader.read(skb, into)) {
    stand.memory.release(into.skb!);
    return null;
  }
  return Object.values(stand.faults).find(({ count }, i) => count > before[i]!)?.name ?? 'without a reason';
}

describe.each([false, true])('IPv6: %s', (isV6) => {
  test('whatever is right is read, wherever it lies', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(1400), fc.boolean(), (payload, inHead, hasOptions) => {
        const bytes = segment(payload, isV6, hasOptions ? { timestamps: [1, 2], sack: [[3, 4]] } : {});
        const skb = packet(bytes, isV6, Math.min(inHead, bytes.length));
        expect(reader.read(skb, into)).toBe(true);
        const { seq, ack, window, flags, urgentPointer, lenBytes, segments, ecn, options } = into;
        expect([seq, ack, window, flags, urgentPointer]).toEqual([-2, 0x7fffffff, 500, TCP_FLAG.ACK, 0]);
        expect([lenBytes, segments, ecn]).toEqual([payload.length, 1, 1]);
        expect([options.hasTimestamps, options.tsVal, options.sackBlocks]).toEqual(hasOptions ? [true, 1, 1] : [false, 0, 0]);
        expect(Buffer.compare(bytesOf(skb), payload)).toBe(0);
        expect([skb.data - skb.transport, skb.cb0]).toEqual([hasOptions ? 44 : 20, 0]);
        stand.memory.release(skb);
        expect(stand.isIdle).toBe(true);
      }),
      { endOnFailure: true },
    );
  });

  test('one bit wrong, wherever', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(7), (payload, where, bit) => {
        const bytes = segment(payload, isV6, { timestamps: [1, 2] });
        bytes[where % bytes.length]! ^= 1 << bit;
        expect(faultOf(packet(bytes, isV6))).toMatch(/^tcp\.(checksum|truncated|data-offset)$/);
      }),
    );
  });

  test('garbage is refused or not, but never throws and loses nothing', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 90 }),
        fc.nat(90),
        fc.constantFrom(0, 1, 2, 3),
        fc.nat(15),
        (bytes, inHead, checksum, words) => {
          if (bytes.length > 12) bytes[12] = (words << 4) | (bytes[12]! & 15);
          const fault = faultOf(Object.assign(packet(bytes, isV6, Math.min(inHead, bytes.length)), { checksum }));
          if (bytes.length < 20) expect(fault).toBe('tcp.truncated');
          else if (words < 5) expect(fault).toBe('tcp.data-offset');
          else if (words * 4 > bytes.length) expect(fault).toBe('tcp.truncated');
          else if (checksum === CHECKSUM.UNNECESSARY) expect(fault).toBeNull();
          expect(stand.isIdle).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

test('what device or sender vouch for is not summed; a sum of the whole is used, and doubted when it does not fit', () => {
  const wrong = segment(new Uint8Array([1, 2, 3]), false);
  wrong[20]! ^= 1;
  expect(faultOf(packet(wrong, false))).toBe('tcp.checksum');
  for (const checksum of [CHECKSUM.UNNECESSARY, CHECKSUM.PARTIAL])
    expect(faultOf(Object.assign(packet(wrong, false), { checksum }))).toBeNull();
  const right = packet(segment(new Uint8Array(900).fill(3), false), false);
  right.checksum = CHECKSUM.COMPLETE;
  right.csum = sumBytes(right.memory.view, right.network, right.tail - right.network);
  // Only the device's sum says that this is right.
  right.memory.bytes[right.tail - 1]! ^= 1;
  const copy = stand.memory.clone(right)!;
  expect(faultOf(right)).toBeNull();
  expect(faultOf(Object.assign(copy, { csum: copy.csum ^ 0x55 }))).toBe('tcp.checksum');
});

test('an illegal option: what stood before it counts, as in Linux; an urgent pointer with URG only; what was merged is one that came, and says how many it was', () => {
  const bytes = segment(new Uint8Array(4), false, { mssBytes: 700, timestamps: [7, 8] }, TCP_FLAG.SYN | TCP_FLAG.URG);
  // The timestamps' length.
  bytes[27] = 0;
  const skb = Object.assign(packet(bytes, false), { checksum: CHECKSUM.UNNECESSARY, gsoSegs: 3, cb0: 9 });
  const before = stand.counters['segments-in'].value;
  expect(reader.read(skb, into)).toBe(true);
  expect([into.options.mssBytes, into.options.hasTimestamps, into.urgentPointer, into.segments, skb.cb0]).toEqual([700, false, 3, 3, 0]);
  expect(stand.counters['segments-in'].value - before).toBe(1);
  stand.memory.release(skb);
});

test('once warm, nothing is allocated for a segment', () => {
  const bytes = segment(new Uint8Array(500), false, { timestamps: [1, 2] });
  const skb = packet(bytes, false);
  const grown = heapPerCall(2, () => {
    reader.read(skb, into);
    skb.len += skb.data - skb.transport;
    skb.data = skb.transport;
  });
  expect(grown).toBeLessThan(2);
  stand.memory.release(skb);
  expect(stand.isIdle).toBe(true);
});
