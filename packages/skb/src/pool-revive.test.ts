import { DropReason, SockCommon } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { put } from './edit.ts';
import { copyIn } from './gather.ts';
import { makePool } from './make-pool.ts';
import { BUFFER_BYTES, PAGE_BYTES } from './slabs.ts';

const SIZES = { buffers: 4, pages: 4 };

test('what was dissolved is a packet again, over the same bytes, with the same room', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.uint8Array({ minLength: 1, maxLength: 3000 }), fc.nat(200), (headroomBytes, bytes, wantedBytes) => {
      const pool = makePool(SIZES);
      const skb = pool.alloc(headroomBytes, bytes.length)!;
      copyIn(skb, bytes);
      const { head, data, end } = skb;
      const fragment = pool.dissolve(skb)!;
      const revived = pool.revive(fragment, wantedBytes);
      if (wantedBytes > headroomBytes) {
        expect(revived).toBeNull();
        expect([fragment.offset, fragment.lenBytes]).toEqual([data, bytes.length]);
        fragment.source.release(fragment);
      } else {
        expect(revived).toMatchObject({ head, data, tail: data + bytes.length, end, len: bytes.length, fragments: null, sock: null });
        expect(pool.memory.bytes.slice(data, revived!.tail)).toEqual(bytes);
        put(revived!, Math.min(1, end - revived!.tail));
        pool.release(revived!);
      }
      expect(pool.idle).toBe(true);
    }),
  );
});

test('not of a buffer that others show, nor of one of another source', () => {
  const pool = makePool(SIZES);
  const skb = pool.alloc(64, 100)!;
  put(skb, 100);
  const fragment = pool.dissolve(skb)!;
  const other = fragment.source.share(fragment)!;
  expect(pool.revive(fragment, 0)).toBeNull();
  other.source.release(other);
  const source = fragment.source;
  fragment.source = { share: () => null, release: () => {} };
  expect(pool.revive(fragment, 0)).toBeNull();
  fragment.source = source;
  const revived = pool.revive(fragment, 64)!;
  // It was charged to nobody, and its size is what it takes.
  const released = vi.fn();
  revived.sock = new SockCommon({ name: 'test', type: 0, input: () => {}, error: () => {}, released, calls: null });
  pool.drop(revived, new DropReason(1, 'test', 'a test'));
  expect(released).toHaveBeenCalledOnce();
  expect(pool.idle).toBe(true);
});

test('a page has the room before what it shows', () => {
  const pool = makePool(SIZES);
  const page = pool.page(PAGE_BYTES)!;
  page.offset += 40;
  page.lenBytes -= 40;
  const revived = pool.revive(page, 40)!;
  expect([revived.data - revived.head, revived.end - revived.head, revived.truesize > PAGE_BYTES]).toEqual([40, PAGE_BYTES, true]);
  expect(revived.end - revived.head).not.toBe(BUFFER_BYTES);
  pool.release(revived);
  expect(pool.idle).toBe(true);
});
