import type { Fragment, Skb, SkbPool } from '@softnet/contract';
import { appendFragment, FRAME_HEAD_BYTES, PAGE_BYTES, put, RECEIVE_HEADROOM_BYTES } from '@softnet/skb';
import type { Libc } from './libc.ts';
import { ScatterList } from './scatter-list.ts';

/**
 * Packet memory that readv(2) reads frames into. Head and pages for the longest frame are laid out once: what a frame did not take
 * serves the next one, so that a short one does not pay for 64 KiB. Between two turns it holds nothing.
 */
export class ReadRoom {
  readonly #libc: Libc;
  readonly #scatter: ScatterList;
  /** Laid out. */
  #head: Skb | null = null;
  readonly #pages: (Fragment | null)[];

  /** @param longestBytes of what is read at once, without a header before it. */
  constructor(libc: Libc, longestBytes: number) {
    this.#libc = libc;
    this.#scatter = new ScatterList((bytes) => libc.addressOf(bytes));
    const pages = Math.max(0, Math.ceil((longestBytes - FRAME_HEAD_BYTES) / PAGE_BYTES));
    this.#pages = new Array<Fragment | null>(pages).fill(null);
  }

  /**
   * Bytes that a frame may have in what is laid out: as many as are wanted, or fewer where pages are short. 0: memory is out.
   * @param headerBytes so many come before the frame, and go into its headroom: the same number each time.
   */
  layOut(pool: SkbPool, wantedBytes: number, headerBytes: number): number {
    const scatter = this.#scatter;
    if (this.#head === null) {
      const head = pool.alloc(RECEIVE_HEADROOM_BYTES, FRAME_HEAD_BYTES);
      if (head === null) return 0;
      scatter.set(0, head.memory, head.data - headerBytes, headerBytes + FRAME_HEAD_BYTES);
      this.#head = head;
    }
    let roomBytes = FRAME_HEAD_BYTES;
    let count = 0;
    for (; roomBytes < wantedBytes; roomBytes += PAGE_BYTES) {
      let page = this.#pages[count]!;
      if (page === null) {
        page = pool.page(PAGE_BYTES)!;
        if (page === null) break;
        scatter.set(count + 1, page.memory, page.offset, PAGE_BYTES);
        this.#pages[count] = page;
      }
      count++;
    }
    scatter.count = count + 1;
    return Math.min(roomBytes, wantedBytes);
  }

  /** Reads into what is laid out. Bytes, header included; or the number of the error, negative. */
  read(fd: number): number {
    return this.#scatter.readFrom(this.#libc, fd);
  }

  /** A packet of what is laid out, and of so many bytes. */
  take(lenBytes: number): Skb {
    const skb = this.#head!;
    this.#head = null;
    put(skb, Math.min(lenBytes, FRAME_HEAD_BYTES));
    skb.mac = skb.data;
    for (let at = 0, left = lenBytes - FRAME_HEAD_BYTES; left > 0; at++, left -= PAGE_BYTES) {
      const page = this.#pages[at]!;
      this.#pages[at] = null;
      if (left < PAGE_BYTES) page.lenBytes = left;
      appendFragment(skb, page);
    }
    return skb;
  }

  /** Reads one frame and keeps nothing of it. 0, or Linux's number. What was laid out is laid out anew. */
  discard(fd: number): number {
    this.#scatter.fillScratch();
    const errno = -this.#scatter.readFrom(this.#libc, fd);
    this.end();
    return Math.max(0, errno);
  }

  /** The end of a turn: gives back what is laid out. */
  end(): void {
    const head = this.#head;
    if (head !== null) head.memory.pool.release(head);
    this.#head = null;
    for (let i = 0; i < this.#pages.length; i++) {
      const page = this.#pages[i]!;
      if (page !== null) page.source.release(page);
      this.#pages[i] = null;
    }
  }
}
