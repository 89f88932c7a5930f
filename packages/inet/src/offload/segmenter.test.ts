import type { Port, Skb, SkbPool } from '@softnet/contract';
import { DropReason, dequeue, SKB_FLAG, SkbQueue, SockCommon } from '@softnet/contract';
import { appendFragment, copyIn, makePool, PAGE_BYTES, SkbReader } from '@softnet/skb';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { finishJoin, joinPayload } from './join.ts';
import { Segmenter } from './segmenter.ts';

const SIZES = { buffers: 96, pages: 48 };
const HEADER_BYTES = 28;
const reader = new SkbReader();

function setUp(sizes = SIZES) {
  const pool = makePool(sizes);
  const reasons = { malformed: new DropReason(1, 'malformed', ''), memory: new DropReason(2, 'memory', '') };
  const port = { current: pool, owner: 0, present: true } as unknown as Port<SkbPool>;
  return { pool, reasons, segmenter: new Segmenter(port, reasons), out: new SkbQueue() };
}

/** Header, then payload: so much of it in the head, the rest on pages. */
function packet(pool: SkbPool, payload: Uint8Array, inHead: number): Skb {
  const skb = pool.alloc(40, Math.min(HEADER_BYTES + inHead, PAGE_BYTES - 40))!;
  copyIn(
    skb,
    Uint8Array.from({ length: HEADER_BYTES }, (_, i) => 200 + i),
  );
  skb.network = skb.data;
  skb.transport = skb.data + 20;
  const first = Math.min(inHead, payload.length, PAGE_BYTES - 40 - HEADER_BYTES);
  copyIn(skb, payload, 0, first);
  for (let at = first; at < payload.length; at += PAGE_BYTES) {
    const page = pool.page(Math.min(PAGE_BYTES, payload.length - at))!;
    page.memory.bytes.set(payload.subarray(at, at + page.lenBytes), page.offset);
    appendFragment(skb, page);
  }
  return skb;
}

function bytesOf(skb: Skb, from = 0): Uint8Array {
  const bytes = new Uint8Array(skb.len - from);
  if (bytes.length > 0 && reader.open(skb, from)) reader.copyOut(bytes);
  return bytes;
}

function drain(out: SkbQueue): Skb[] {
  const all: Skb[] = [];
  for (let skb = dequeue(out); skb !== null; skb = dequeue(out)) all.push(skb);
  return all;
}

function payer(): { sock: SockCommon; released: ReturnType<typeof vi.fn> } {
  const released = vi.fn((_sock: SockCommon, skb: Skb) => skb.truesize);
  return { sock: new SockCommon({ name: 'test', type: 0, input: () => {}, error: () => {}, released, calls: null }), released };
}

const payloads = fc.uint8Array({ minLength: 1, maxLength: 9000, size: 'max' });

test('wherever the payload lies: so many bytes each, headers before them, one socket that pays, no byte copied twice', () => {
  fc.assert(
    fc.property(payloads, fc.nat(5000), fc.integer({ min: 300, max: 9000 }), fc.boolean(), (payload, inHead, gsoSize, isShared) => {
      const { pool, segmenter, out } = setUp();
      const { sock, released } = payer();
      const skb = Object.assign(packet(pool, payload, inHead), { gsoSize, gsoSegs: 3, gsoType: 1, mark: 7, hash: 9 });
      skb.sock = sock;
      const { truesize } = skb;
      const clone = isShared ? pool.clone(skb)! : null;
      expect(segmenter.cut(skb, HEADER_BYTES, out)).toBe(true);
      const parts = drain(out);
      expect(parts).toHaveLength(Math.ceil(payload.length / gsoSize));
      expect(Buffer.compare(Buffer.concat(parts.map((part) => bytesOf(part, HEADER_BYTES))), payload)).toBe(0);
      for (const part of parts) {
        expect(part).toMatchObject({ network: part.data, transport: part.data + 20, gsoSize: 0, gsoSegs: 0, gsoType: 0, mark: 7, hash: 9 });
        expect(bytesOf(part).slice(0, HEADER_BYTES)).toEqual(Uint8Array.from({ length: HEADER_BYTES }, (_, i) => 200 + i));
      }
      for (const part of parts.reverse()) {
        expect(part.sock === sock).toBe(part === parts[0]);
        pool.release(part);
      }
      expect(released.mock.results.map(({ value }) => value)).toEqual([truesize]);
      if (clone !== null) {
        expect(Buffer.compare(bytesOf(clone, HEADER_BYTES), payload)).toBe(0);
        pool.release(clone);
      }
      expect(pool.idle).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test('what was joined is cut into the packets that came, in the buffers that they came in', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 10, 500), { minLength: 2, maxLength: 12 }),
      fc.integer({ min: 1, max: 900 }),
      (heads, lenBytes) => {
        const { pool, segmenter, out } = setUp();
        const sent = heads.map((_, i) => new Uint8Array(lenBytes).fill(i + 1));
        const [held, ...others] = sent.map((payload, i) => packet(pool, payload, heads[i]!));
        for (const each of others) expect(joinPayload(held!, each, HEADER_BYTES)).toBe(true);
        finishJoin(held!);
        expect([held!.gsoSegs, held!.len]).toEqual([heads.length, HEADER_BYTES + heads.length * lenBytes]);
        held!.gsoSize = lenBytes;
        expect(segmenter.cut(held!, HEADER_BYTES, out)).toBe(true);
        const parts = drain(out);
        expect(parts.map((part) => [...bytesOf(part, HEADER_BYTES)])).toEqual(sent.map((payload) => [...payload]));
        parts.forEach((part, i) => {
          if (heads[i]! >= lenBytes) expect(part.fragments).toBeNull();
          pool.release(part);
        });
        expect(pool.idle).toBe(true);
      },
    ),
  );
});

test('garbage: sizes and headers that lie are dropped, counted once, and nothing is lost', () => {
  const numbers = fc.oneof(fc.integer({ min: -3, max: 70_000 }), fc.integer());
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(3000), numbers, numbers, (payload, inHead, gsoSize, headerBytes) => {
      const { pool, reasons, segmenter, out } = setUp();
      const { sock, released } = payer();
      const skb = Object.assign(packet(pool, payload, inHead), { gsoSize, gsoSegs: 77, sock });
      const done = segmenter.cut(skb, headerBytes, out);
      for (const part of drain(out)) pool.release(part);
      expect(reasons.malformed.count + Math.min(1, reasons.memory.count)).toBe(done ? 0 : 1);
      expect(released).toHaveBeenCalledOnce();
      expect(pool.idle).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('memory that runs out in the midst of it: nothing is left of the packet', () => {
  for (let buffers = 1; buffers < 12; buffers++) {
    const { pool, reasons, segmenter, out } = setUp({ buffers, pages: 3 });
    const { sock, released } = payer();
    const skb = Object.assign(packet(pool, new Uint8Array(8000), 0), { gsoSize: 1000, sock });
    expect(segmenter.cut(skb, HEADER_BYTES, out)).toBe(buffers >= 8);
    expect(reasons.memory.count > 0).toBe(buffers < 8);
    for (const part of drain(out)) pool.release(part);
    expect(released).toHaveBeenCalledOnce();
    expect(pool.idle).toBe(true);
  }
});

test('a segment does not say any more that identifications are all the same', () => {
  const { pool, segmenter, out } = setUp();
  const flags = SKB_FLAG.FIXED_ID | SKB_FLAG.IGNORE_DF;
  segmenter.cut(Object.assign(packet(pool, new Uint8Array(3000), 0), { gsoSize: 1000, flags }), HEADER_BYTES, out);
  const parts = drain(out);
  expect(parts.map((part) => part.flags)).toEqual(new Array(3).fill(SKB_FLAG.IGNORE_DF));
  for (const part of parts) pool.release(part);
});

test('fragments without a byte are not left over', () => {
  const { pool, segmenter, out } = setUp();
  const skb = packet(pool, new Uint8Array(2000), 0);
  appendFragment(skb, pool.page(0)!);
  segmenter.cut(Object.assign(skb, { gsoSize: 1000 }), HEADER_BYTES, out);
  for (const part of drain(out)) pool.release(part);
  expect(pool.idle).toBe(true);
});
