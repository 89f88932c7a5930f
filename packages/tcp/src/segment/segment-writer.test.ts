import type { Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, CHECKSUM, DEVICE_FEATURE, IPV4_WORD2, SKB_FLAG, SKB_TYPE, SockOptions, TRANSMIT } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { finishChecksum, SkbReader } from '@softnet/skb';
import type { TcpSegment } from '@softnet/wire';
import { parseTcp, pseudoHeaderSum, TCP_FLAG } from '@softnet/wire';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { Disorder } from '../machine/disorder.ts';
import { Segment } from '../machine/segment.ts';
import { arrive, bytesOf, SegmentStand } from '../testing/segment-stand.ts';
import type { OptionsValue } from '../wire/options-value.ts';
import { parseOptionsValue } from '../wire/options-value.ts';
import { SynOptions } from '../wire/put-options.ts';
import { BareSegment } from './bare-segment.ts';
import { SegmentReader } from './segment-reader.ts';
import { SegmentWriter } from './segment-writer.ts';
import { SendQueues } from './send-queue.ts';

const { ACK, FIN, PSH, RST, SYN, URG } = TCP_FLAG;
const reader = new SkbReader();
const int32 = fc.integer({ min: -0x80000000, max: 0x7fffffff });

function setUp(family: number = ADDRESS_FAMILY.INET) {
  const stand = new SegmentStand({ buffers: 32, pages: 64 }, family);
  const queues = new SendQueues(stand);
  return { stand, queues, writer: new SegmentWriter(stand, queues), reader: new SegmentReader(stand) };
}

/** What was sent last, as bytes, its checksum finished and verified, and its options. */
function last(stand: SegmentStand): { skb: Skb; value: TcpSegment; options: OptionsValue } {
  const skb = stand.sent.at(-1)!;
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = stand.flow;
  const copy = stand.memory.clone(skb)!;
  expect(finishChecksum(copy, reader)).toBe(true);
  const bytes = bytesOf(copy);
  stand.memory.release(copy);
  const value = parseTcp(bytes, 0, bytes.length, pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, 6, bytes.length));
  if (typeof value === 'string') throw new Error(value);
  const isSyn = (value.flags & SYN) !== 0;
  return { skb, value, options: parseOptionsValue(new DataView(bytes.buffer), 0, isSyn)! };
}

/** Octets out of order that it reports by SACK. */
function report(stand: SegmentStand, conn: Connection, blocks: number): number[] {
  const disorder = new Disorder({ keep: () => {}, drop: () => {} });
  conn.disorder = disorder;
  for (let i = 0; i < blocks; i++) {
    const seq = (conn.rcvNxt + 1000 * (i + 1)) | 0;
    disorder.queue.insert(seq, (seq + 10) | 0, stand);
    disorder.report.arrived(seq, disorder.queue);
  }
  return Array.from(disorder.report.edges.subarray(0, 2 * disorder.report.count));
}

describe('what is written is read', () => {
  test.each([ADDRESS_FAMILY.INET, ADDRESS_FAMILY.INET6])('with data, acknowledgement, window, timestamps and SACK, family %i', (family) => {
    fc.assert(
      fc.property(
        fc.record({ seq: int32, ack: int32, window: fc.nat(0x3fffffff), shift: fc.nat(14), tsRecent: int32, tsOffset: int32 }),
        fc.oneof(fc.nat(300), fc.nat(1460)),
        fc.boolean(),
        fc.nat(4),
        fc.constantFrom(ACK, ACK | PSH, ACK | FIN, ACK | FIN | PSH),
        ({ seq, ack, window, shift, tsRecent, tsOffset }, lenBytes, hasTimestamps, blocks, flags) => {
          const { stand, queues, writer } = setUp(family);
          const conn = Object.assign(stand.connection(seq), { rcvNxt: ack, rcvWnd: window, rcvShift: shift, tsRecent, tsOffset });
          conn.flags = (hasTimestamps ? FLAG.TIMESTAMPS : 0) | FLAG.SACK;
          conn.segmentBytes = hasTimestamps ? 1448 : 1460;
          const payload = Uint8Array.from({ length: Math.min(lenBytes, conn.segmentBytes) }, (_, i) => i * 7);
          queues.append(conn, payload, 0, payload.length);
          const edges = blocks > 0 ? report(stand, conn, blocks) : [];
          expect(writer.transmit(conn, flags, seq, payload.length)).toBe(true);
          const { skb, value, options } = last(stand);
          expect(value).toMatchObject({ srcPort: 4711, dstPort: 80, seq, ack, flags, urgentPointer: 0 });
          expect(Buffer.compare(value.payload, payload)).toBe(0);
          expect(value.window).toBe(Math.min(window >>> shift, 0xffff));
          expect(options.timestamps).toEqual(hasTimestamps ? [(1000 + tsOffset) | 0, tsRecent] : undefined);
          // As many blocks as there is room for: where payload fills the segment, none.
          const room = payload.length === 0 ? 40 : Math.min(40, 1460 - payload.length);
          const fits = Math.max(0, Math.min(blocks, (room - (hasTimestamps ? 12 : 0) - 4) >> 3));
          expect((options.sack ?? []).flat()).toEqual(edges.slice(0, 2 * fits));
          expect(value.payload.length + bytesOf(skb).length - payload.length).toBeLessThanOrEqual(Math.max(1480, 60 + payload.length));
          expect([skb.checksum, skb.type, skb.gsoSize, skb.gsoSegs, skb.hash]).toEqual([CHECKSUM.PARTIAL, SKB_TYPE.OUTGOING, 0, 0, 99]);
          expect(conn.belowBytes).toBe(payload.length > 0 ? skb.truesize : 0);
          queues.clear(conn);
          expect([stand.isIdle, conn.belowBytes]).toEqual([true, 0]);
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
  });

  test('by our own reader, which finds the same', () => {
    const { stand, queues, writer, reader: segments } = setUp();
    const conn = Object.assign(stand.connection(-5), { rcvNxt: 77, rcvWnd: 5000, tsRecent: 9, flags: FLAG.TIMESTAMPS });
    queues.append(conn, new Uint8Array([1, 2, 3]), 0, 3);
    writer.transmit(conn, ACK | PSH, -5, 3);
    const into = new Segment();
    expect(segments.read(arrive(stand.sent.at(-1)!, stand.flow, 0xb3), into)).toBe(true);
    const { seq, ack, window, flags, lenBytes, segments: count, ecn, fault } = into;
    expect([seq, ack, window, flags, lenBytes, count, ecn, fault]).toEqual([-5, 77, 5000, ACK | PSH, 3, 1, 3, null]);
    expect(into.options).toMatchObject({ hasTimestamps: true, tsVal: 1000, tsEcr: 9, sackBlocks: 0 });
    expect(Array.from(bytesOf(into.skb!))).toEqual([1, 2, 3]);
    queues.clear(conn);
    expect(stand.isIdle).toBe(true);
  });
});

describe('a SYN', () => {
  test('offers what the settings say; so does the SYN-ACK of a simultaneous open, whatever was agreed; its window is not scaled', () => {
    const { stand, writer } = setUp();
    const conn = Object.assign(stand.connection(100), { toldMssBytes: 1400, rcvShift: 7, rcvWnd: 70_000, tsRecent: 5, rcvNxt: 9 });
    writer.transmit(conn, SYN, 100, 0);
    expect(last(stand).value).toMatchObject({ seq: 100, ack: 0, flags: SYN, window: 0xffff });
    expect(last(stand).options).toEqual({ mssBytes: 1400, windowScale: 7, sackPermitted: true, timestamps: [1000, 0] });
    writer.transmit(conn, SYN | ACK, 100, 0);
    expect(last(stand).value).toMatchObject({ ack: 9, flags: SYN | ACK });
    expect(last(stand).options).toEqual({ mssBytes: 1400, windowScale: 7, sackPermitted: true, timestamps: [1000, 5] });
    conn.flags = FLAG.TIMESTAMPS | FLAG.SACK | FLAG.WINDOW_SCALING;
    Object.assign(stand.settings, { timestamps: false, sack: false, windowScaling: false });
    writer.transmit(conn, SYN | ACK, 100, 0);
    expect(last(stand).options).toEqual({ mssBytes: 1400 });
    writer.transmit(conn, SYN, 100, 0);
    expect(last(stand).options).toEqual({ mssBytes: 1400 });
  });
});

describe('more than a segment', () => {
  test('goes as one packet that is cut late, by shared pages; no larger than a packet may be', () => {
    const { stand, queues, writer } = setUp();
    const conn = Object.assign(stand.connection(0), { segmentBytes: 1448, flags: FLAG.TIMESTAMPS });
    expect(writer.mostSegments(conn)).toBe(45);
    queues.append(conn, new Uint8Array(45 * 1448).fill(3), 0, 45 * 1448);
    const { pages } = stand.memory.counters;
    const before = pages.value;
    writer.transmit(conn, ACK, 0, 45 * 1448 - 7);
    const { skb } = last(stand);
    expect([skb.gsoSize, skb.gsoSegs, skb.gsoType]).toEqual([1448, 45, DEVICE_FEATURE.GSO_TCPV4]);
    expect(skb.len + 60).toBeLessThanOrEqual(65535);
    expect(pages.value).toBe(before);
    conn.segmentBytes = 100;
    expect(writer.mostSegments(conn)).toBe(64);
    conn.segmentBytes = 65_000;
    expect(writer.mostSegments(conn)).toBe(1);
  });

  test('is not sent in one where the way transforms it, or urgent data come', () => {
    const { stand, writer } = setUp(ADDRESS_FAMILY.INET6);
    const conn = stand.connection();
    expect(writer.mostSegments(conn)).toBeGreaterThan(1);
    conn.flags = FLAG.URGENT_SENT;
    expect(writer.mostSegments(conn)).toBe(1);
    conn.flags = 0;
    stand.dst.child = stand.dst;
    expect(writer.mostSegments(conn)).toBe(1);
  });
});

test('urgent data: the pointer is behind the octet, as far as it reaches, and is not said beyond it', () => {
  const { stand, queues, writer } = setUp();
  const conn = Object.assign(stand.connection(-10), { flags: FLAG.URGENT_SENT, sndNxt: 90, sndUp: 40 });
  queues.append(conn, new Uint8Array(200_000), 0, 200_000);
  const said = (seq: number) => {
    writer.transmit(conn, ACK, seq, 10);
    const { flags, urgentPointer } = last(stand).value;
    return [flags, urgentPointer];
  };
  expect([said(-10), said(39), said(40), said(60)]).toEqual([
    [ACK | URG, 50],
    [ACK | URG, 1],
    [ACK, 0],
    [ACK, 0],
  ]);
  conn.sndUp = 100_000;
  // As Linux: from far it is told that there is something, unless so much was sent that the field would lie.
  expect(said(90)).toEqual([ACK | URG, 0xffff]);
  conn.sndNxt = 70_000;
  expect(said(90)).toEqual([ACK, 0]);
  queues.clear(conn);
  expect(stand.isIdle).toBe(true);
});

test('a reset says what it is told, and is counted', () => {
  const { stand, writer } = setUp();
  const conn = Object.assign(stand.connection(), { rcvNxt: 5, flags: FLAG.TIMESTAMPS | FLAG.SACK });
  report(stand, conn, 2);
  writer.reset(conn, 0, 1234, 99);
  expect(last(stand).value).toMatchObject({ seq: 1234, ack: 0, flags: RST });
  expect(last(stand).options.sack).toBeUndefined();
  writer.reset(conn, ACK, 0, 99);
  expect(last(stand).value).toMatchObject({ seq: 0, ack: 99, flags: RST | ACK });
  expect([stand.counters['resets-out'].value, stand.counters['segments-out'].value]).toEqual([2, 2]);
});

test('a D-SACK is said once', () => {
  const { stand, writer } = setUp();
  const conn = Object.assign(stand.connection(), { rcvNxt: 5000, flags: FLAG.SACK });
  report(stand, conn, 0);
  conn.disorder!.report.duplicate(1000, 2000);
  writer.transmit(conn, ACK, 0, 0);
  expect(last(stand).options.sack).toEqual([[1000, 2000]]);
  writer.transmit(conn, ACK, 0, 0);
  expect(last(stand).options.sack).toBeUndefined();
});

describe('its way', () => {
  test('is kept while it is fresh, and looked up again when it is not', () => {
    const { stand, writer } = setUp();
    const conn = stand.connection();
    writer.transmit(conn, ACK, 0, 0);
    expect(stand.lookups).toBe(0);
    stand.generation.value++;
    writer.transmit(conn, ACK, 0, 0);
    writer.transmit(conn, ACK, 0, 0);
    expect(stand.lookups).toBe(1);
    conn.sock.dst = null;
    expect(writer.transmit(conn, ACK, 0, 0)).toBe(true);
    expect([stand.lookups, conn.sock.dst !== null]).toEqual([2, true]);
  });

  test('is none: nothing is sent, and nothing is lost; the same where memory is out, or the way drops', () => {
    const { stand, queues, writer } = setUp();
    const conn = stand.connection();
    queues.append(conn, new Uint8Array(3000), 0, 3000);
    stand.dst.error = 113;
    expect(writer.transmit(conn, ACK, 0, 1000)).toBe(false);
    expect(writer.bare(Object.assign(new BareSegment(), { layer: stand.layer }))).toBe(false);
    stand.dst.error = 0;
    stand.answer = TRANSMIT.DROPPED;
    expect(writer.transmit(conn, ACK, 0, 1000)).toBe(false);
    stand.answer = TRANSMIT.CONGESTED;
    expect(writer.transmit(conn, ACK, 0, 1000)).toBe(true);
    expect(writer.transmit(conn, ACK, 3000, 1)).toBe(false);
    while (writer.transmit(conn, ACK, 0, 0));
    expect(stand.sent).toHaveLength(32);
    queues.clear(conn);
    expect([stand.isIdle, conn.belowBytes]).toEqual([true, 0]);
  });

  test('marks, priority, confirmation of its neighbour', () => {
    const { stand, writer } = setUp();
    const conn = stand.connection();
    conn.sock.options = Object.assign(new SockOptions(), { mark: 7, priority: 3, uid: 1000 });
    conn.flags = FLAG.CONFIRM_NEIGHBOUR;
    for (const flags of [SKB_FLAG.CONFIRM_NEIGHBOUR, 0]) {
      writer.transmit(conn, ACK, 0, 0);
      const { skb } = last(stand);
      expect([skb.mark, skb.priority, skb.flags]).toEqual([7, 3, flags]);
      expect(stand.flow).toMatchObject({ mark: 7, uid: 1000, hash: 99 });
    }
  });
});

test('a bare segment says all that its record says, and nobody pays for it', () => {
  const { stand, writer } = setUp();
  const ends = { layer: stand.layer, local2: IPV4_WORD2, local3: 0x0a000009, remote2: IPV4_WORD2, remote3: 0x0a000008, localPort: 80 };
  const said = { flags: SYN | ACK, seq: -1, ack: 77, windowField: 4000, hash: 5, mark: 6, tos: 0x10, ifindex: 3, remotePort: 999 };
  const syn = Object.assign(new SynOptions(), {
    mssBytes: 536,
    windowScale: 2,
    sackPermitted: true,
    hasTimestamps: true,
    tsVal: 1,
    tsEcr: 2,
  });
  const bare = Object.assign(new BareSegment(), ends, said, { syn });
  expect(writer.bare(bare)).toBe(true);
  expect(last(stand).value).toMatchObject({ srcPort: 80, dstPort: 999, seq: -1, ack: 77, flags: SYN | ACK, window: 4000 });
  expect(last(stand).options).toEqual({ mssBytes: 536, windowScale: 2, sackPermitted: true, timestamps: [1, 2] });
  const { skb } = last(stand);
  expect([skb.sock, skb.mark, skb.hash, skb.checksum]).toEqual([null, 6, 5, CHECKSUM.PARTIAL]);
  expect(stand.flow).toMatchObject({ src3: 0x0a000009, dst3: 0x0a000008, oif: 3, tos: 0x10, protocol: 6, mark: 6 });
  writer.bare(Object.assign(bare, { flags: RST, syn: null, hasTimestamps: true, tsVal: 8, tsEcr: 9 }));
  expect(last(stand).value).toMatchObject({ flags: RST, ack: 0 });
  expect(last(stand).options).toEqual({ timestamps: [8, 9] });
  expect([stand.counters['segments-out'].value, stand.counters['resets-out'].value, stand.isIdle]).toEqual([2, 1, true]);
});

test('what is counted for TCP_INFO', () => {
  const { stand, queues, writer } = setUp();
  const conn = Object.assign(stand.connection(), { extra: { segmentsOut: 0, dataSegmentsOut: 0, bytesSent: 0 } });
  queues.append(conn, new Uint8Array(5000), 0, 5000);
  writer.transmit(conn, ACK, 0, 0);
  writer.transmit(conn, ACK, 0, 5000);
  expect(conn.extra).toEqual({ segmentsOut: 5, dataSegmentsOut: 4, bytesSent: 5000 });
});

test('once warm, nothing is allocated for a segment', () => {
  const { stand, queues, writer } = setUp();
  const conn = Object.assign(stand.connection(), { flags: FLAG.TIMESTAMPS, segmentBytes: 1448 });
  const bare = Object.assign(new BareSegment(), { layer: stand.layer, hasTimestamps: true });
  queues.append(conn, new Uint8Array(8000), 0, 8000);
  const [first] = [conn.sndUna];
  const bytes = heapPerCall(2, () => {
    writer.transmit(conn, ACK, first, 1448);
    writer.transmit(conn, ACK | PSH, first, 100);
    writer.transmit(conn, ACK, first, 5 * 1448);
    writer.transmit(conn, ACK, first, 0);
    writer.bare(bare);
    for (let i = 0; i < 5; i++) stand.memory.release(stand.sent.pop()!);
  });
  expect(bytes).toBeLessThan(2);
});
