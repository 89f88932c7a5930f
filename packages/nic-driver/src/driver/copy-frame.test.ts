import type { Skb } from '@softnet/contract';
import { appendFragment, copyIn, makePool, pull, put, RECEIVE_HEADROOM_BYTES, SkbReader } from '@softnet/skb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameCopier } from './copy-frame.ts';

const bytesOf = (skb: Skb): Uint8Array => {
  const bytes = new Uint8Array(skb.len);
  const reader = new SkbReader();
  if (reader.open(skb)) reader.copyOut(bytes);
  return bytes;
};
const pattern = (lenBytes: number): Uint8Array => Uint8Array.from({ length: lenBytes }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

test('a frame of any length and any fragments is the same in another memory, with room before it', () => {
  const [from, to] = [makePool({ buffers: 4, pages: 200 }), makePool({ buffers: 2, pages: 40 })];
  const copier = new FrameCopier();
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 1900 }),
      fc.nat(60),
      fc.array(fc.integer({ min: 0, max: 4096 }), { maxLength: 12 }),
      (head, cut, pages) => {
        const all = pattern(head + pages.reduce((sum, each) => sum + each, 0));
        const skb = from.alloc(10, head)!;
        copyIn(skb, all, 0, head);
        let at = head;
        for (const lenBytes of pages) {
          const page = from.page(lenBytes)!;
          page.memory.bytes.set(all.subarray(at, at + lenBytes), page.offset);
          page.lenBytes = lenBytes;
          appendFragment(skb, page);
          at += lenBytes;
        }
        const cutBytes = Math.min(cut, head);
        pull(skb, cutBytes);
        const copy = copier.copy(to, skb)!;
        expect(Buffer.compare(bytesOf(copy), all.subarray(cutBytes))).toBe(0);
        expect(Buffer.compare(bytesOf(skb), all.subarray(cutBytes))).toBe(0);
        expect(copy.data - copy.head).toBe(RECEIVE_HEADROOM_BYTES);
        expect(copy.mac).toBe(copy.data);
        from.release(skb);
        to.release(copy);
        expect([from.idle, to.idle]).toEqual([true, true]);
      },
    ),
  );
});

test('null where memory is out, and nothing is lost', () => {
  const [from, to] = [makePool({ buffers: 2, pages: 8 }), makePool({ buffers: 1, pages: 1 })];
  const skb = from.alloc(0, 100)!;
  copyIn(skb, pattern(9000));
  expect(new FrameCopier().copy(to, skb)).toBe(null);
  const only = to.alloc(0, 10)!;
  put(only, 10);
  expect(new FrameCopier().copy(to, skb)).toBe(null);
  to.release(only);
  from.release(skb);
  expect([from.idle, to.idle]).toEqual([true, true]);
});
