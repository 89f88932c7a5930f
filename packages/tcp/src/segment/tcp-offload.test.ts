import type { Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, DropReason, dequeue, GRO, SkbQueue } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { Segmenter } from '@softnet/inet';
import { appendFragment, copyIn, finishChecksum, pull, SkbReader } from '@softnet/skb';
import {
  emitTcp,
  finishTcp,
  ipv4PseudoHeaderSum,
  ipv6PseudoHeaderSum,
  setIpv4Dst,
  setIpv4HeaderBytes,
  setIpv4Src,
  TCP_FLAG,
  timestampsOption,
  viewOf,
} from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, SegmentStand } from '../testing/segment-stand.ts';
import { SegmentCheck } from './segment-check.ts';
import { TcpOffload } from './tcp-offload.ts';

const { ACK, CWR, ECE, FIN, PSH, RST, SYN, URG } = TCP_FLAG;
const reader = new SkbReader();
const stand = new SegmentStand({ buffers: 256, pages: 64 });
const reasons = { malformed: new DropReason(1, 'malformed', ''), memory: new DropReason(2, 'memory', '') };
const offload = new TcpOffload(new SegmentCheck(), new Segmenter(stand.pool, reasons));

interface Sent {
  readonly seq: number;
  readonly lenBytes: number;
  readonly flags?: number;
  readonly ack?: number;
  readonly window?: number;
  readonly srcPort?: number;
  readonly urgentPointer?: number;
  readonly tsVal?: number;
  readonly isV6?: boolean;
}

/** IP header, TCP header, payload. */
function frame({
  seq,
  lenBytes,
  flags = ACK,
  ack = 5,
  window = 700,
  srcPort = 4711,
  urgentPointer = 0,
  tsVal,
  isV6 = false,
}: Sent): Uint8Array {
  const options =
    tsVal === undefined ? [] : [{ kind: 1, data: new Uint8Array(0) }, { kind: 1, data: new Uint8Array(0) }, timestampsOption(tsVal, 3)];
  const payload = Uint8Array.from({ length: lenBytes }, (_, i) => (seq + i) * 3);
  const tcp = emitTcp({ srcPort, dstPort: 80, seq, ack, flags, window, checksum: 0, urgentPointer, options, payload });
  const ipBytes = isV6 ? 40 : 20;
  const bytes = new Uint8Array(ipBytes + tcp.length);
  const view = viewOf(bytes);
  if (isV6) {
    bytes.fill(0x22, 8, 40);
    bytes[0] = 0x60;
  } else {
    setIpv4HeaderBytes(view, 0, 20);
    setIpv4Src(view, 0, 0x0a000001);
    setIpv4Dst(view, 0, 0x0a000002);
  }
  bytes.set(tcp, ipBytes);
  finishTcp(view, ipBytes, tcp.length, (isV6 ? ipv6PseudoHeaderSum : ipv4PseudoHeaderSum)(view, 0, 6, tcp.length));
  return bytes;
}

function packet(bytes: Uint8Array, inHead = bytes.length): Skb {
  const skb = stand.memory.alloc(64, 0)!;
  copyIn(skb, bytes, 0, Math.min(inHead, bytes.length));
  if (inHead < bytes.length) {
    const page = stand.memory.page(bytes.length - inHead)!;
    page.memory.bytes.set(bytes.subarray(inHead), page.offset);
    appendFragment(skb, page);
  }
  skb.network = skb.data;
  return skb;
}

/** What an engine does: held packets go up as they are completed. */
function merge(packets: readonly Skb[], offset: number): Skb[] {
  const up: Skb[] = [];
  let held: Skb | null = null;
  const handUp = () => {
    if (held !== null && held.gsoSegs > 1) offload.finish(held, offset);
    if (held !== null) up.push(held);
    held = null;
  };
  for (const skb of packets) {
    if (!offload.begin(skb, offset)) {
      handUp();
      up.push(skb);
      continue;
    }
    const verdict: number = held === null ? GRO.DIFFERENT : offload.merge(held, skb, offset);
    if (verdict === GRO.MERGED) continue;
    if (verdict === GRO.MERGED_LAST) handUp();
    else {
      handUp();
      held = skb;
    }
  }
  handUp();
  return up;
}

/** As the frames that it stands for, checksums finished; freed. The IP header is the layer's to mend. */
function cut(skb: Skb, offset: number): Uint8Array[] {
  const out = new SkbQueue();
  if (skb.gsoSize === 0) return [take(skb)];
  skb.transport = skb.data + offset;
  expect(offload.segment(skb, 0, out)).toBe(true);
  const parts: Uint8Array[] = [];
  for (let part = dequeue(out); part !== null; part = dequeue(out)) {
    expect([part.transport - part.data, part.gsoSize, part.gsoSegs]).toEqual([offset, 0, 0]);
    expect(finishChecksum(part, reader)).toBe(true);
    parts.push(take(part));
  }
  return parts;
}

function take(skb: Skb): Uint8Array {
  const bytes = bytesOf(skb);
  skb.memory.pool.release(skb);
  return bytes;
}

describe.each([false, true])('IPv6: %s', (isV6) => {
  const offset = isV6 ? 40 : 20;
  const change = fc.constantFrom(
    ...[
      {},
      {},
      {},
      {},
      {},
      {},
      { flags: ACK | PSH },
      { flags: ACK | PSH | FIN },
      { flags: ACK | ECE },
      { flags: ACK | CWR },
      { ack: 6 },
      { window: 9 },
    ],
    ...[
      { srcPort: 9 },
      { tsVal: 8 },
      { urgentPointer: 7 },
      { flags: ACK | URG },
      { flags: ACK | SYN },
      { flags: RST },
      { skip: 1 },
      { skip: -1 },
      { lenBytes: 0 },
    ],
    ...[{ lenBytes: 50 }, { lenBytes: 1200 }],
  );
  const stream = fc.array(change, { minLength: 1, maxLength: 30 });

  test('what was merged is cut into the same frames, bit for bit, wherever payload lay', () => {
    fc.assert(
      fc.property(
        stream,
        fc.constantFrom(0, -5000, 0x7ffffff0),
        fc.constantFrom(undefined, 7),
        fc.nat(1400),
        (changes, start, tsVal, inHead) => {
          let seq: number = start;
          const frames = changes.map((each) => {
            const sent = { ...{ lenBytes: 1000, tsVal, isV6 }, ...each, seq: (seq + ((each as { skip?: number }).skip ?? 0)) | 0 };
            seq = (sent.seq + sent.lenBytes) | 0;
            return frame(sent as Sent);
          });
          const up = merge(
            frames.map((bytes) => packet(bytes, Math.max(inHead, offset + 8))),
            offset,
          );
          for (const skb of up) {
            expect(skb.gsoSegs).not.toBe(1);
            if (skb.gsoSegs > 1) expect(skb.gsoType).toBe(isV6 ? DEVICE_FEATURE.GSO_TCPV6 : DEVICE_FEATURE.GSO_TCPV4);
          }
          const parts = up.flatMap((skb) => cut(skb, offset));
          expect(parts).toHaveLength(frames.length);
          parts.forEach((part, i) => {
            expect(Buffer.compare(part, frames[i]!)).toBe(0);
          });
          expect(stand.isIdle).toBe(true);
        },
      ),
      { numRuns: 50, endOnFailure: true },
    );
  });
});

test('a stream is one packet: as many as fit, and a shorter or pushed one ends it', () => {
  const merged = (all: readonly Sent[]) =>
    merge(
      all.map((sent) => packet(frame(sent))),
      20,
    ).map((skb) => [skb.gsoSegs, skb.gsoSize, take(skb).length][0]);
  const run = (count: number, lenBytes = 1000) => Array.from({ length: count }, (_, i): Sent => ({ seq: i * lenBytes, lenBytes }));
  expect(merged(run(20))).toEqual([20]);
  expect(merged(run(70))).toEqual([64, 6]);
  expect(merged(run(100, 1400))).toEqual([46, 46, 8]);
  expect(merged([...run(3), { seq: 3000, lenBytes: 10 }, { seq: 3010, lenBytes: 10 }])).toEqual([4, 0]);
  expect(
    merged([
      { seq: 0, lenBytes: 9, flags: ACK | PSH },
      { seq: 9, lenBytes: 9 },
      { seq: 18, lenBytes: 9, flags: ACK | PSH | FIN },
    ]),
  ).toEqual([0, 2]);
  expect(
    merged([
      { seq: 0, lenBytes: 9 },
      { seq: 9, lenBytes: 10 },
    ]),
  ).toEqual([0, 0]);
  expect(stand.isIdle).toBe(true);
});

test('what ends a run is handed up at once, with what it ends', () => {
  const verdictOf = (sent: Partial<Sent>): number => {
    const [held, skb] = [packet(frame({ seq: 0, lenBytes: 10 })), packet(frame({ seq: 10, lenBytes: 10, ...sent }))];
    offload.begin(held, 20);
    offload.begin(skb, 20);
    const verdict = offload.merge(held, skb, 20);
    for (const each of verdict === GRO.MERGED || verdict === GRO.MERGED_LAST ? [held] : [held, skb]) stand.memory.release(each);
    return verdict;
  };
  expect([verdictOf({}), verdictOf({ flags: ACK | PSH }), verdictOf({ lenBytes: 9 })]).toEqual([
    GRO.MERGED,
    GRO.MERGED_LAST,
    GRO.MERGED_LAST,
  ]);
  expect([verdictOf({ lenBytes: 11 }), verdictOf({ ack: 9 }), verdictOf({ srcPort: 9 })]).toEqual([GRO.FLUSH, GRO.FLUSH, GRO.DIFFERENT]);
  expect(stand.isIdle).toBe(true);
});

test('who is damaged, or cannot be written again, is not held', () => {
  const begins = (bytes: Uint8Array, said: (skb: Skb) => Partial<Skb> = () => ({})): boolean => {
    const skb = packet(bytes);
    const may = offload.begin(Object.assign(skb, said(skb)), 20);
    stand.memory.release(skb);
    return may;
  };
  const whole = frame({ seq: 1, lenBytes: 100 });
  const mended = (value: number, from: number, to: number) => whole.slice().fill(value, from, to);
  const vouched = () => ({ checksum: CHECKSUM.UNNECESSARY });
  expect(begins(whole)).toBe(true);
  expect(begins(mended(9, 119, 120))).toBe(false);
  expect(begins(mended(9, 119, 120), vouched)).toBe(true);
  // The other form of a checksum of zero; header lengths that lie; reserved bits.
  for (const wrong of [mended(0xff, 36, 38), mended(0x40, 32, 33), mended(0xf0, 32, 33).subarray(0, 79), mended(0x52, 32, 33)]) {
    expect(begins(wrong, vouched)).toBe(false);
  }
  // PARTIAL: its field is where it should be.
  const partial =
    (distance: number) =>
    ({ data, head }: Skb) => ({ checksum: CHECKSUM.PARTIAL, csum: ((data + distance - head) << 16) | 16 });
  expect([begins(whole, partial(20)), begins(whole, partial(22))]).toEqual([true, false]);
  expect(stand.isIdle).toBe(true);
});

test('CWR goes into the first segment, PSH and FIN into the last (RFC 3168 §6.1.2)', () => {
  const skb = packet(frame({ seq: 0, lenBytes: 25, flags: ACK | CWR | PSH | FIN }));
  const parts = cut(Object.assign(skb, { gsoSize: 10, gsoSegs: 3 }), 20);
  expect(parts.map((bytes) => [bytes[33], bytes.length - 40, viewOf(bytes).getInt32(24)])).toEqual([
    [ACK | CWR, 10, 0],
    [ACK, 10, 10],
    [ACK | PSH | FIN, 5, 20],
  ]);
});

test('garbage is dropped, counted, or cut into something: never thrown, and nothing is lost', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 200 }),
      fc.nat(200),
      fc.integer({ min: -1, max: 100 }),
      fc.integer({ min: -5, max: 40 }),
      (bytes, inHead, gsoSize, at) => {
        const before = reasons.malformed.count;
        const skb = packet(bytes, Math.min(inHead, bytes.length));
        offload.begin(skb, 20);
        Object.assign(skb, { gsoSize, transport: skb.data + at });
        const out = new SkbQueue();
        const done = offload.segment(skb, 0, out);
        for (let part = dequeue(out); part !== null; part = dequeue(out)) stand.memory.release(part);
        expect(done || reasons.malformed.count === before + 1).toBe(true);
        expect(stand.isIdle).toBe(true);
      },
    ),
    { numRuns: 300, endOnFailure: true },
  );
});

test('once warm, nothing is allocated to merge and to cut', () => {
  const frames = Array.from({ length: 10 }, (_, i) => frame({ seq: i * 1000, lenBytes: 1000, tsVal: 4 }));
  const out = new SkbQueue();
  const bytes = heapPerCall(
    4,
    () => {
      let held: Skb | null = null;
      for (let i = 0; i < frames.length; i++) {
        const skb = stand.memory.alloc(64, 0)!;
        copyIn(skb, frames[i]!);
        skb.network = skb.data;
        offload.begin(skb, 20);
        if (held === null) held = skb;
        else offload.merge(held, skb, 20);
      }
      offload.finish(held!, 20);
      held!.transport = held!.data + 20;
      offload.segment(held!, 0, out);
      for (let part = dequeue(out); part !== null; part = dequeue(out)) {
        pull(part, 20);
        stand.memory.release(part);
      }
    },
    1000,
  );
  expect(bytes).toBeLessThan(4);
});
