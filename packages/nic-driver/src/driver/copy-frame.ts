import type { Skb, SkbPool } from '@softnet/contract';
import { appendFragment, FRAME_HEAD_BYTES, PAGE_BYTES, put, RECEIVE_HEADROOM_BYTES, SkbReader } from '@softnet/skb';

/** Copies frames into any pool's memory, whole, and allocates nothing: made once. What a device receives: see `ReceiveBuffers`. */
export class FrameCopier {
  readonly #reader = new SkbReader();

  /** The same bytes in memory of `pool`, `data` at the link header, as a driver receives them. Null: memory is out, counted there. */
  copy(pool: SkbPool, from: Skb): Skb | null {
    const headBytes = Math.min(from.len, FRAME_HEAD_BYTES);
    const skb = pool.alloc(RECEIVE_HEADROOM_BYTES, headBytes);
    if (skb === null) return null;
    skb.mac = skb.data;
    if (from.len === 0) return skb;
    this.#reader.open(from);
    this.#reader.copyTo(skb.memory.view, put(skb, headBytes), headBytes);
    for (let left = from.len - headBytes; left > 0; left -= PAGE_BYTES) {
      const page = pool.page(Math.min(left, PAGE_BYTES));
      if (page === null) {
        skb.memory.pool.release(skb);
        return null;
      }
      this.#reader.copyTo(page.memory.view, page.offset, page.lenBytes);
      appendFragment(skb, page);
    }
    return skb;
  }
}
