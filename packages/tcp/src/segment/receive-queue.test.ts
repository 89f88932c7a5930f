import type { Skb } from '@softnet/contract';
import { MESSAGE_FLAG, Message, SOCK_FLAG, SockOptions } from '@softnet/contract';
import { heapPerCall } from '@softnet/contract/testing';
import { appendFragment, copyIn } from '@softnet/skb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { Reassembly } from '../machine/reassembly.ts';
import { bytesOf, SegmentStand } from '../testing/segment-stand.ts';
import { ReceiveQueues } from './receive-queue.ts';
import { chargeReceived } from './skb-charge.ts';

const octet = (at: number) => (at * 7 + (at >> 8)) & 0xff;
const octets = (from: number, lenBytes: number) => Uint8Array.from({ length: lenBytes }, (_, i) => octet(from + i));

function setUp(sizes = { buffers: 64, pages: 64 }) {
  const stand = new SegmentStand(sizes);
  return { stand, queues: new ReceiveQueues(stand), conn: stand.connection() };
}

/** A packet with the octets from `from` on, charged; so many of them in the head, the rest on a page. */
function packet(stand: SegmentStand, conn: Connection, from: number, lenBytes: number, inHead = lenBytes): Skb {
  const skb = stand.memory.alloc(80, 0)!;
  const bytes = octets(from, lenBytes);
  const first = Math.min(inHead, lenBytes, 1500);
  copyIn(skb, bytes, 0, first);
  if (first < lenBytes) {
    const page = stand.memory.page(lenBytes - first)!;
    page.memory.bytes.set(bytes.subarray(first), page.offset);
    appendFragment(skb, page);
  }
  stand.account.add(skb.truesize);
  chargeReceived(conn.sock, skb);
  return skb;
}

function read(queues: ReceiveQueues, conn: Connection, lenBytes: number, flags = 0): Uint8Array {
  const data = new Uint8Array(lenBytes);
  const count = queues.read(conn, Object.assign(new Message(), { data, flags }));
  return data.subarray(0, count);
}

const step = fc.oneof(
  fc.record({ do: fc.constant('deliver' as const), lenBytes: fc.oneof(fc.nat(100), fc.nat(3000)), inHead: fc.nat(1500), skip: fc.nat(50) }),
  fc.record({ do: fc.constantFrom('read' as const, 'peek' as const, 'discard' as const, 'scatter' as const), lenBytes: fc.nat(4000) }),
  fc.record({ do: fc.constantFrom('packet' as const, 'peek packet' as const), lenBytes: fc.constant(0) }),
);

test('beside an array of octets: what comes is read once, in order, in whatever pieces; and all that is held is paid for', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const { stand, queues, conn } = setUp({ buffers: 96, pages: 64 });
      let [from, to] = [0, 0];
      for (const each of steps) {
        if (each.do === 'deliver') {
          const { lenBytes, inHead, skip } = each;
          // As of a segment whose front came before, and whose end lies outside of the window.
          const skb = packet(stand, conn, to - skip, skip + lenBytes + 9, inHead);
          queues.deliver(conn, skb, skip, lenBytes);
          to += lenBytes;
        } else if (each.do === 'packet' || each.do === 'peek packet') {
          const message = Object.assign(new Message(), { flags: MESSAGE_FLAG.SKB | (each.do === 'packet' ? 0 : MESSAGE_FLAG.PEEK) });
          const count = queues.read(conn, message);
          if (from === to) expect([count, message.skb]).toEqual([0, null]);
          else {
            expect([message.flags, message.skb!.sock]).toEqual([MESSAGE_FLAG.SKB, null]);
            expect(Buffer.compare(bytesOf(message.skb!), octets(from, count))).toBe(0);
            stand.memory.release(message.skb!);
            if (each.do === 'packet') from += count;
          }
        } else {
          const count = Math.min(each.lenBytes, to - from);
          if (each.do === 'discard') {
            const data = new Uint8Array(each.lenBytes);
            expect(queues.read(conn, Object.assign(new Message(), { data, flags: MESSAGE_FLAG.TRUNC }))).toBe(count);
            expect(data.every((value) => value === 0)).toBe(true);
          } else if (each.do === 'scatter') {
            const places = [new Uint8Array(each.lenBytes >> 2), new Uint8Array(0), new Uint8Array(each.lenBytes - (each.lenBytes >> 2))];
            expect(queues.read(conn, Object.assign(new Message(), { data: places[0]!, more: places.slice(1) }))).toBe(count);
            expect(Buffer.compare(Buffer.concat(places).subarray(0, count), octets(from, count))).toBe(0);
          } else
            expect(Buffer.compare(read(queues, conn, each.lenBytes, each.do === 'peek' ? MESSAGE_FLAG.PEEK : 0), octets(from, count))).toBe(
              0,
            );
          if (each.do !== 'peek') from += count;
        }
        expect([queues.readableBytes(conn), conn.copiedSeq]).toEqual([to - from, from]);
        expect(conn.sock.receiveQueuedBytes).toBe(stand.account.bytes);
        expect(conn.receiveQueue === null).toBe(from === to);
      }
      const kept = new Uint8Array(to - from);
      expect([queues.copyOut(conn, kept), Buffer.compare(kept, octets(from, to - from))]).toEqual([to - from, 0]);
      expect(queues.clear(conn)).toBe(to - from);
      expect([conn.receiveQueue, conn.sock.receiveQueuedBytes, stand.isIdle]).toEqual([null, 0, true]);
    }),
    { numRuns: 50, endOnFailure: true },
  );
});

test('out of order: pieces of packets that overlap in every way are delivered as they fall into place', () => {
  const segments = fc.array(fc.record({ from: fc.nat(900), lenBytes: fc.integer({ min: 1, max: 300 }), inHead: fc.nat(300) }), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(segments, fc.integer({ min: 1, max: 2000 }), (all, roomBytes) => {
      const { stand, queues, conn } = setUp();
      const disorder = new Reassembly(queues, 64);
      for (const { from, lenBytes, inHead } of [
        ...all,
        ...all.toSorted((a, b) => a.from - b.from),
        { from: 0, lenBytes: 1200, inHead: 9 },
      ]) {
        const skb = packet(stand, conn, from, lenBytes, inHead);
        queues.keep(skb);
        disorder.insert(from, from + lenBytes, skb);
        queues.drop(skb);
        for (let piece = disorder.ready(conn.rcvNxt); piece !== null; piece = disorder.ready(conn.rcvNxt)) {
          conn.rcvNxt = piece.end;
          expect(queues.deliverPiece(conn, piece.payload!, piece.skipBytes, piece.end - piece.seq)).toBe(true);
          disorder.shift();
        }
        const before = conn.copiedSeq;
        const some = read(queues, conn, roomBytes % 97);
        expect(some).toEqual(octets(before, some.length));
        expect(conn.sock.receiveQueuedBytes).toBe(stand.account.bytes);
      }
      expect(queues.readableBytes(conn)).toBe(1200 - conn.copiedSeq);
      const before = conn.copiedSeq;
      expect(read(queues, conn, 2000)).toEqual(octets(before, 1200 - before));
      expect([disorder.head, conn.sock.receiveQueuedBytes, stand.isIdle]).toEqual([null, 0, true]);
    }),
    { numRuns: 60, endOnFailure: true },
  );
});

test('a piece for which there is no memory stays where it is', () => {
  const { stand, queues, conn } = setUp({ buffers: 2, pages: 1 });
  const skb = packet(stand, conn, 0, 2000, 0);
  queues.keep(skb);
  queues.keep(skb);
  const held: Skb[] = [];
  for (let clone = stand.memory.clone(skb); clone !== null; clone = stand.memory.clone(skb)) held.push(clone);
  expect([queues.deliverPiece(conn, skb, 0, 1900), conn.receiveQueue]).toEqual([false, null]);
  for (const each of held) stand.memory.release(each);
  expect(queues.deliverPiece(conn, skb, 0, 1900)).toBe(true);
  queues.drop(skb);
  queues.drop(skb);
  expect(read(queues, conn, 3000)).toEqual(octets(0, 1900));
  expect(stand.isIdle).toBe(true);
});

test('tiny segments share a buffer; who has a clone of one, and sees more of it, does not see it change', () => {
  const { stand, queues, conn } = setUp();
  for (let i = 0; i < 100; i++) queues.deliver(conn, packet(stand, conn, i * 10, 10), 0, 10);
  expect(stand.memory.usage.skbsOut).toBe(1);
  queues.clear(conn);
  // As a tap that sees padding behind what IP has.
  const padded = packet(stand, conn, 0, 60);
  const clone = stand.memory.clone(padded)!;
  queues.deliver(conn, padded, 0, 40);
  queues.deliver(conn, packet(stand, conn, 500, 20), 0, 20);
  expect([bytesOf(clone), stand.memory.usage.skbsOut]).toEqual([octets(0, 60), 2]);
  stand.memory.release(clone);
  expect(read(queues, conn, 100)).toEqual(Uint8Array.from([...octets(0, 40), ...octets(500, 20)]));
  expect(stand.isIdle).toBe(true);
});

describe('the urgent octet', () => {
  function urgentAt(at: number, lenBytes: number, isInline = false) {
    const set = setUp();
    const { conn, stand, queues } = set;
    queues.deliver(conn, packet(stand, conn, 0, lenBytes), 0, lenBytes);
    conn.flags |= FLAG.URGENT_RECEIVED;
    conn.rcvUp = at + 1;
    if (isInline) conn.sock.flags |= SOCK_FLAG.OOBINLINE;
    return set;
  }

  test('is not in the stream: a read ends before it, the next one begins behind it; a peek sees the same', () => {
    const { queues, conn, stand } = urgentAt(5, 20);
    expect(queues.readableBytes(conn)).toBe(5);
    expect([read(queues, conn, 50, MESSAGE_FLAG.PEEK), read(queues, conn, 50)]).toEqual([octets(0, 5), octets(0, 5)]);
    expect([conn.copiedSeq, queues.readableBytes(conn), conn.flags & FLAG.URGENT_RECEIVED]).toEqual([5, 14, FLAG.URGENT_RECEIVED]);
    expect([read(queues, conn, 4, MESSAGE_FLAG.PEEK), read(queues, conn, 4)]).toEqual([octets(6, 4), octets(6, 4)]);
    // As in Linux, it is gone for who has read beyond it.
    expect([conn.copiedSeq, conn.flags & FLAG.URGENT_RECEIVED]).toEqual([10, 0]);
    expect([read(queues, conn, 50), stand.isIdle]).toEqual([octets(10, 10), true]);
  });

  test('inline, it is read as others are, and a read ends before it all the same', () => {
    const { queues, conn, stand } = urgentAt(5, 20, true);
    expect([read(queues, conn, 50), read(queues, conn, 50)]).toEqual([octets(0, 5), octets(5, 15)]);
    expect([conn.flags & FLAG.URGENT_RECEIVED, stand.isIdle]).toEqual([0, true]);
  });

  test('alone, or not there yet', () => {
    const alone = urgentAt(0, 1);
    expect([alone.queues.readableBytes(alone.conn), read(alone.queues, alone.conn, 9).length]).toEqual([0, 0]);
    expect([alone.conn.copiedSeq, alone.stand.isIdle]).toEqual([1, true]);
    const later = urgentAt(20, 20);
    expect([read(later.queues, later.conn, 50), read(later.queues, later.conn, 50).length]).toEqual([octets(0, 20), 0]);
    expect([later.conn.copiedSeq, later.stand.isIdle]).toEqual([20, true]);
  });

  test('cuts a packet that is handed over', () => {
    const { queues, conn, stand } = urgentAt(5, 20);
    const take = () => {
      const message = Object.assign(new Message(), { flags: MESSAGE_FLAG.SKB });
      queues.read(conn, message);
      const bytes = bytesOf(message.skb!);
      stand.memory.release(message.skb!);
      return bytes;
    };
    expect([take(), take()]).toEqual([octets(0, 5), octets(6, 14)]);
    expect([conn.copiedSeq, stand.isIdle]).toEqual([20, true]);
  });
});

test('SO_PEEK_OFF goes on from peek to peek, and back by what is read', () => {
  const { stand, queues, conn } = setUp();
  const options = Object.assign(new SockOptions(), { peekOffsetBytes: 0 });
  conn.sock.options = options;
  for (const from of [0, 1900, 3800]) queues.deliver(conn, packet(stand, conn, from, 1900), 0, 1900);
  expect(read(queues, conn, 1000, MESSAGE_FLAG.PEEK)).toEqual(octets(0, 1000));
  expect(read(queues, conn, 2000, MESSAGE_FLAG.PEEK)).toEqual(octets(1000, 2000));
  expect([read(queues, conn, 500), options.peekOffsetBytes]).toEqual([octets(0, 500), 2500]);
  expect(read(queues, conn, 5000, MESSAGE_FLAG.PEEK)).toEqual(octets(3000, 2700));
  expect(read(queues, conn, 5000, MESSAGE_FLAG.PEEK)).toHaveLength(0);
  queues.clear(conn);
  expect([options.peekOffsetBytes, stand.isIdle]).toEqual([5200, true]);
});

test('what is thawed is read as if it had come', () => {
  const { stand, queues, conn } = setUp();
  expect([queues.restore(conn, octets(0, 9000)), queues.restore(conn, new Uint8Array(0))]).toEqual([true, true]);
  expect(conn.sock.receiveQueuedBytes).toBe(stand.account.bytes);
  expect(read(queues, conn, 10_000)).toEqual(octets(0, 9000));
  expect([queues.restore(conn, new Uint8Array(1 << 20)), stand.isIdle]).toEqual([false, true]);
});

test('over a loopback its sender pays up to here', () => {
  const { stand, queues, conn } = setUp();
  const sender = stand.connection();
  const skb = stand.memory.alloc(10, 10)!;
  copyIn(skb, octets(0, 5));
  Object.assign(skb, { sock: sender.sock, type: 4, dst: stand.dst });
  sender.belowBytes = skb.truesize;
  stand.account.add(skb.truesize);
  chargeReceived(conn.sock, skb);
  expect([sender.belowBytes, conn.sock.receiveQueuedBytes, skb.dst]).toEqual([0, skb.truesize, null]);
  queues.deliver(conn, skb, 0, 5);
  queues.clear(conn);
  expect(stand.isIdle).toBe(true);
});

test('once warm, nothing is allocated for a segment', () => {
  const { stand, queues, conn } = setUp();
  const message = Object.assign(new Message(), { data: new Uint8Array(4000) });
  const payload = octets(0, 1400);
  const bytes = heapPerCall(2, () => {
    for (let i = 0; i < 2; i++) {
      const skb = stand.memory.alloc(80, 0)!;
      copyIn(skb, payload);
      stand.account.add(skb.truesize);
      chargeReceived(conn.sock, skb);
      queues.deliver(conn, skb, 0, i === 0 ? 1400 : 100);
    }
    queues.read(conn, message);
  });
  expect(bytes).toBeLessThan(2);
});
