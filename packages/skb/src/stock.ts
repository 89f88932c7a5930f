import type { FreeList } from './free-list.ts';
import type { Slabs } from './slabs.ts';

/** The buffers of one pool that are idle, and the way back for those that are not. */
export class Stock {
  readonly slabs: Slabs;
  buffers: FreeList;
  pages: FreeList;
  /** Its pool makes nothing any more. */
  closed = false;

  constructor(slabs: Slabs, buffers: FreeList = slabs.buffers, pages: FreeList = slabs.pages) {
    this.slabs = slabs;
    this.buffers = buffers;
    this.pages = pages;
  }

  /** One fewer shows the buffer or page that begins at `base`; the last one gives it back. Returns how many are left. */
  giveUp(base: number): number {
    const left = this.slabs.unshare(base);
    if (left === 0) (base < this.slabs.pagesFrom ? this.buffers : this.pages).put(base);
    return left;
  }

  /** What is idle goes to `heir` now; what is out, when it comes back. */
  bequeath(heir: Stock): void {
    this.closed = true;
    heir.buffers.fillFrom(this.buffers, this.buffers.count);
    heir.pages.fillFrom(this.pages, this.pages.count);
    this.buffers = heir.buffers;
    this.pages = heir.pages;
  }
}
