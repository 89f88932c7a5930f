import type { Skb, SockCommon } from '@softnet/contract';
import { CHECKSUM, dequeue, enqueue, SKB_TYPE, SkbQueue } from '@softnet/contract';
import type { PacketPool } from '@softnet/skb';
import { copyIn, headroom, makePool, put, SkbReader } from '@softnet/skb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Cutter } from './cut.ts';

const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 13 + (i >> 7)) & 0xff);

function packet(pool: PacketPool, headerBytes: number, payload: Uint8Array, inHead: number): Skb {
  const skb = pool.alloc(32, headerBytes + inHead)!;
  const at = put(skb, headerBytes);
  for (let i = 0; i < headerBytes; i++) skb.memory.bytes[at + i] = 0xa0 + i;
  const first = Math.min(inHead, payload.length);
  skb.memory.bytes.set(payload.subarray(0, first), put(skb, first));
  skb.end = skb.tail;
  expect(copyIn(skb, payload, first)).toBe(true);
  skb.network = skb.data;
  return skb;
}

function contents(skb: Skb): Uint8Array {
  const bytes = new Uint8Array(skb.len);
  const reader = new SkbReader();
  if (reader.open(skb)) reader.copyOut(bytes);
  return bytes;
}

test('the pieces are the payload, wherever it lies, and each has the header and room', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 12_000 }),
      fc.integer({ min: 0, max: 1500 }),
      fc.integer({ min: 1, max: 180 }).map((units) => units * 8),
      fc.integer({ min: 20, max: 60 }),
      (length, inHead, pieceBytes, headerBytes) => {
        const pool = makePool({ buffers: 4096, pages: 16 });
        const cutter = new Cutter(new SkbReader());
        const payload = bytesOf(length);
        const skb = packet(pool, headerBytes, payload, inHead);
        skb.mark = 5;
        expect(cutter.begin(skb, headerBytes, pieceBytes, 100)).toBe(true);
        const queue = new SkbQueue();
        let offset = 0;
        for (let piece = cutter.next(pool); piece !== null; piece = cutter.next(pool)) {
          expect(cutter.offsetBytes).toBe(offset);
          expect(piece.len).toBe(Math.min(pieceBytes, length - offset));
          expect(headroom(piece)).toBe(100);
          offset += piece.len;
          expect(cutter.more).toBe(offset < length);
          expect(cutter.pushHeader(piece)).toBe(piece.network);
          enqueue(queue, piece);
        }
        expect(cutter.end()).toBe(true);
        const parts: number[] = [];
        for (let piece = dequeue(queue); piece !== null; piece = dequeue(queue)) {
          const bytes = contents(piece);
          expect([...bytes.subarray(0, headerBytes)]).toEqual(Array.from({ length: headerBytes }, (_, i) => 0xa0 + i));
          expect([piece.mark, piece.type]).toEqual([5, SKB_TYPE.OUTGOING]);
          parts.push(...bytes.subarray(headerBytes));
          pool.release(piece);
        }
        expect(Uint8Array.from(parts)).toEqual(payload);
        expect([pool.skbsOut, pool.usage.pagesIdle]).toEqual([0, 16]);
      },
    ),
    { numRuns: 60 },
  );
});

test('the sender gets its memory back when the last piece is freed', () => {
  const pool = makePool({ buffers: 16, pages: 8 });
  const cutter = new Cutter(new SkbReader());
  const skb = packet(pool, 20, bytesOf(3000), 100);
  let released = 0;
  skb.sock = { ops: { released: () => released++ }, holdKind: null } as unknown as SockCommon;
  cutter.begin(skb, 20, 1480, 100);
  const pieces = [cutter.next(pool)!, cutter.next(pool)!, cutter.next(pool)!];
  expect(cutter.next(pool)).toBeNull();
  expect(cutter.end()).toBe(true);
  pool.release(pieces[2]!);
  pool.release(pieces[0]!);
  expect(released).toBe(0);
  pool.release(pieces[1]!);
  expect([released, pool.skbsOut]).toEqual([1, 0]);
});

test('memory is out: says so, and gives all back', () => {
  const pool = makePool({ buffers: 3, pages: 8 });
  const cutter = new Cutter(new SkbReader());
  cutter.begin(packet(pool, 20, bytesOf(8000), 100), 20, 1480, 100);
  const pieces: Skb[] = [];
  for (let piece = cutter.next(pool); piece !== null; piece = cutter.next(pool)) pieces.push(piece);
  expect(pieces.length).toBe(2);
  expect(cutter.end()).toBe(false);
  for (const piece of pieces) pool.release(piece);
  expect([pool.skbsOut, pool.usage.pagesIdle]).toEqual([0, 8]);
});

test('a checksum that is partial is finished before the cut', () => {
  const pool = makePool({ buffers: 16, pages: 8 });
  const cutter = new Cutter(new SkbReader());
  const skb = packet(pool, 20, new Uint8Array(64), 64);
  skb.memory.bytes[skb.data + 20] = 0x12;
  skb.checksum = CHECKSUM.PARTIAL;
  skb.csum = ((skb.data + 20 - skb.head) << 16) | 6;
  cutter.begin(skb, 20, 32, 100);
  const piece = cutter.next(pool)!;
  expect([...contents(piece).subarray(0, 8)]).toEqual([0x12, 0, 0, 0, 0, 0, 0xed, 0xff]);
  expect(piece.checksum).toBe(CHECKSUM.NONE);
  cutter.end();
  pool.release(piece);
  expect(pool.skbsOut).toBe(0);
});
