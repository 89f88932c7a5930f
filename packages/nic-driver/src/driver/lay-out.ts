import type { Skb, SkbPool } from '@softnet/contract';
import { appendFragment, FRAME_HEAD_BYTES, PAGE_BYTES, put, RECEIVE_HEADROOM_BYTES } from '@softnet/skb';

/**
 * A packet of `lenBytes` whose bytes are yet to be written: what fits in the head, the rest on pages. For who receives into
 * packet memory, and cuts it (`trim`) when it knows how long the frame is. Null: memory is out, counted by the pool.
 */
export function layOutFrame(pool: SkbPool, lenBytes: number): Skb | null {
  const inHead = Math.min(lenBytes, FRAME_HEAD_BYTES);
  const skb = pool.alloc(RECEIVE_HEADROOM_BYTES, inHead);
  if (skb === null) return null;
  skb.mac = skb.data;
  put(skb, inHead);
  for (let left = lenBytes - inHead; left > 0; left -= PAGE_BYTES) {
    const fragment = pool.page(Math.min(left, PAGE_BYTES));
    if (fragment === null) {
      skb.memory.pool.release(skb);
      return null;
    }
    appendFragment(skb, fragment);
  }
  return skb;
}
