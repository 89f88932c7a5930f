import { heapPerCall } from '@softnet/contract/testing';
import { PAGE_BYTES, PAGE_TRUESIZE } from '@softnet/skb';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOf, SegmentStand } from '../testing/segment-stand.ts';
import { SendQueues } from './send-queue.ts';

/** Octets that tell where they stand. */
function octets(from: number, lenBytes: number): Uint8Array {
  return Uint8Array.from({ length: lenBytes }, (_, i) => (from + i) * 31 + ((from + i) >> 8));
}

const starts = fc.constantFrom(0, 0x7fffff00, -300, 0x7fffffff);

describe('beside an array of octets', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('append' as const), lenBytes: fc.oneof(fc.nat(600), fc.nat(9000)) }),
    fc.record({ do: fc.constant('release' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
    fc.record({
      ...{ do: fc.constant('put' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) },
      lenBytes: fc.oneof(fc.nat(300), fc.nat(9000)),
    }),
  );

  test('what is put into segments is what was given, however pages are cut; pages are paid for while they are held', () => {
    fc.assert(
      fc.property(starts, fc.array(step, { maxLength: 40 }), (start, steps) => {
        const stand = new SegmentStand();
        const queues = new SendQueues(stand);
        const conn = stand.connection(start);
        let [una, end] = [0, 0];
        for (const each of steps) {
          if (each.do === 'append') {
            const given = octets(end - 3, each.lenBytes + 3);
            end += queues.append(conn, given, 3, each.lenBytes);
            expect(conn.writeSeq).toBe((start + end) | 0);
          } else if (each.do === 'release') {
            una += Math.floor(each.share * (end - una));
            queues.release(conn, (start + una) | 0);
          } else {
            const from = una + Math.floor(each.share * (end - una));
            const lenBytes = Math.min(each.lenBytes, end - from);
            const skb = stand.memory.alloc(60, 100)!;
            const bare = { truesize: skb.truesize };
            expect(queues.putInto(conn, skb, (start + from) | 0, lenBytes)).toBe(lenBytes > 0 || end > una);
            expect(Buffer.compare(bytesOf(skb), octets(from, skb.len))).toBe(0);
            let { truesize } = bare;
            for (let each = skb.fragments; each !== null; each = each.next) truesize += each.truesize;
            expect(skb.truesize).toBe(truesize);
            stand.memory.release(skb);
          }
          const pages = conn.sock.sendQueuedBytes / PAGE_TRUESIZE;
          expect(pages).toBeGreaterThanOrEqual(Math.ceil((end - una) / PAGE_BYTES));
          expect(pages).toBeLessThanOrEqual(Math.ceil((end - una) / PAGE_BYTES) + 1);
          expect(stand.account.bytes).toBe(conn.sock.sendQueuedBytes);
          expect(conn.sendQueue === null).toBe(end === una);
        }
        const rest = new Uint8Array(end - una);
        expect(queues.copyOut(conn, (start + una) | 0, rest)).toBe(rest.length);
        expect(Buffer.compare(rest, octets(una, rest.length))).toBe(0);
        queues.clear(conn);
        expect([conn.sendQueue, conn.sock.sendQueuedBytes, stand.isIdle]).toEqual([null, 0, true]);
      }),
      { numRuns: 50, endOnFailure: true },
    );
  });
});

test('takes as much as the buffer allows, and a page more; then room comes with acknowledgements', () => {
  const stand = new SegmentStand();
  const queues = new SendQueues(stand);
  const conn = Object.assign(stand.connection(), { sendBufferBytes: 2 * PAGE_TRUESIZE + 1 });
  const given = octets(0, 5 * PAGE_BYTES);
  expect(queues.append(conn, given, 0, given.length)).toBe(3 * PAGE_BYTES);
  expect(queues.append(conn, given, 0, 1)).toBe(0);
  queues.release(conn, PAGE_BYTES - 1);
  expect(queues.append(conn, given, 0, 1)).toBe(0);
  queues.release(conn, PAGE_BYTES);
  expect(queues.append(conn, given, 3 * PAGE_BYTES, 10)).toBe(10);
  queues.clear(conn);
  expect(stand.isIdle).toBe(true);
});

test('what was sent goes on to be shown when it is acknowledged; a FIN behind it is no octet', () => {
  const stand = new SegmentStand();
  const queues = new SendQueues(stand);
  const conn = stand.connection(7);
  queues.append(conn, octets(0, 3000), 0, 3000);
  const skb = stand.memory.alloc(60, 0)!;
  queues.putInto(conn, skb, 7, 3000);
  queues.release(conn, 3008);
  expect([conn.sendQueue, conn.sock.sendQueuedBytes, stand.account.bytes]).toEqual([null, 0, 0]);
  // Others have the page meanwhile, if it were free.
  queues.append(conn, new Uint8Array(3000), 0, 3000);
  expect(bytesOf(skb)).toEqual(octets(0, 3000));
  stand.memory.release(skb);
  queues.clear(conn);
  expect(stand.isIdle).toBe(true);
});

test('memory that runs out: fewer octets are taken, none are lost, and a packet is as it was', () => {
  const stand = new SegmentStand({ buffers: 24, pages: 3 });
  const queues = new SendQueues(stand);
  const conn = stand.connection();
  const given = octets(0, 20_000);
  expect(queues.append(conn, given, 0, given.length)).toBe(3 * PAGE_BYTES);
  expect(stand.account.bytes).toBe(3 * PAGE_TRUESIZE);
  queues.clear(conn);
  stand.account.isShort = true;
  expect([queues.append(conn, given, 0, 10), conn.sendQueue]).toEqual([0, null]);
  stand.account.isShort = false;
  queues.append(conn, given, 0, 2 * PAGE_BYTES);
  const from = (conn.writeSeq - 2 * PAGE_BYTES) | 0;
  // Records of fragments are bounded: at last one is missing, where the other was still to be had.
  const held = [stand.memory.alloc(100, 0)!, stand.memory.alloc(100, 0)!];
  expect(queues.putInto(conn, held[0]!, from, 300)).toBe(true);
  for (;;) {
    const skb = held.at(-1)!;
    const { truesize } = skb;
    if (!queues.putInto(conn, skb, from, PAGE_BYTES + 300)) {
      expect([skb.len, skb.fragments, skb.truesize]).toEqual([0, null, truesize]);
      break;
    }
    held.push(stand.memory.alloc(100, 0)!);
  }
  expect(held).toHaveLength(18);
  for (const skb of held) stand.memory.release(skb);
  queues.clear(conn);
  expect(stand.isIdle).toBe(true);
});

test('a segment of a long queue is found from where the last one was: new ones and those that are sent again by turns', () => {
  const stand = new SegmentStand({ buffers: 16, pages: 600 });
  const queues = new SendQueues(stand);
  const conn = Object.assign(stand.connection(), { sendBufferBytes: 1 << 30 });
  const given = octets(0, 500 * PAGE_BYTES);
  queues.append(conn, given, 0, given.length);
  for (let i = 0; i < 300; i++) {
    for (const from of [i * 1460, 1_000_000 + i * 1460]) {
      const skb = stand.memory.alloc(60, 0)!;
      queues.putInto(conn, skb, from, 1460);
      expect(Buffer.compare(bytesOf(skb), given.subarray(from, from + 1460))).toBe(0);
      stand.memory.release(skb);
    }
    queues.release(conn, i * 100);
  }
  // The page that was looked for last may be gone.
  for (const [released, from] of [
    [300 * 1460, 301 * 1460],
    [990_000, 990_000],
    [1_500_000, 1_500_001],
  ] as const) {
    queues.release(conn, released);
    const skb = stand.memory.alloc(60, 0)!;
    queues.putInto(conn, skb, from, 1460);
    expect(Buffer.compare(bytesOf(skb), given.subarray(from, from + 1460))).toBe(0);
    stand.memory.release(skb);
  }
  queues.clear(conn);
  expect(stand.isIdle).toBe(true);
});

test('once warm, nothing is allocated for what is sent and acknowledged; for what is given, a view of it for each page that takes a part', () => {
  const stand = new SegmentStand();
  const queues = new SendQueues(stand);
  const conn = stand.connection();
  const [small, large] = [octets(0, 256), octets(0, 4 * PAGE_BYTES)];
  const send = (given: Uint8Array, keepBytes: number) => {
    queues.append(conn, given, 0, given.length);
    for (let done = 0; done < given.length; done += 2048) {
      const skb = stand.memory.alloc(60, 256)!;
      queues.putInto(conn, skb, (conn.writeSeq - given.length + done) | 0, Math.min(2048, given.length - done));
      stand.memory.release(skb);
    }
    queues.release(conn, (conn.writeSeq - keepBytes) | 0);
  };
  expect(heapPerCall(2, () => send(small, 300))).toBeLessThan(2);
  queues.clear(conn);
  // A view is 96 bytes on Node 20, 104 on Node 24.
  expect(heapPerCall(4 * 105, () => send(large, 0), 2000)).toBeLessThan(4 * 105);
});
