import type { Fragment, FragmentSource, PacketMemory } from '@softnet/contract';
import type { PoolAccount } from './account.ts';
import { refuse } from './account.ts';
import type { PoolCounters } from './counters.ts';
import { fault } from './ledger.ts';
import { FRAGMENT_BYTES, FragmentRecords, PAGE_TRUESIZE } from './records.ts';
import { BUFFER_BYTES, PAGE_BYTES } from './slabs.ts';
import type { Stock } from './stock.ts';

/** The pages of a pool, as the fragments know it. */
export class PageSource implements FragmentSource {
  readonly #stock: Stock;
  readonly #account: PoolAccount;
  readonly #counters: PoolCounters;
  readonly #records: FragmentRecords;

  constructor(memory: PacketMemory, stock: Stock, account: PoolAccount, counters: PoolCounters) {
    this.#stock = stock;
    this.#account = account;
    this.#counters = counters;
    // Every page in four pieces, and a piece of every buffer.
    this.#records = new FragmentRecords(memory, this, 4 * stock.pages.capacity + stock.buffers.capacity);
  }

  /** A page, of which the fragment shows `lenBytes`. */
  page(lenBytes: number): Fragment | null {
    const { pages, closed, slabs } = this.#stock;
    if (lenBytes > PAGE_BYTES) return refuse(this.#account.tooBig);
    if (closed || pages.count === 0) return refuse(this.#account.noPage);
    const fragment = this.#records.take();
    if (fragment === null) return refuse(this.#account.noRecord);
    fragment.offset = pages.take();
    fragment.lenBytes = lenBytes;
    fragment.truesize = PAGE_TRUESIZE;
    slabs.share(fragment.offset);
    this.#account.pages.add();
    this.#counters.pages.value++;
    return fragment;
  }

  /** What lies in a head from `offset` on: the packet that had it is given up, and its share of the buffer is the fragment's. */
  piece(offset: number, lenBytes: number): Fragment | null {
    const fragment = this.#records.take();
    if (fragment === null) return refuse(this.#account.noRecord);
    fragment.offset = offset;
    fragment.lenBytes = lenBytes;
    fragment.truesize = (offset < this.#stock.slabs.pagesFrom ? BUFFER_BYTES : PAGE_BYTES) + FRAGMENT_BYTES;
    this.#account.pages.add();
    return fragment;
  }

  /** A packet has the fragment's share of its buffer. Nobody else has one. */
  forget(fragment: Fragment): void {
    fragment.next = null;
    this.#records.give(fragment);
    this.#account.pages.sub();
  }

  share(fragment: Fragment): Fragment | null {
    const { slabs } = this.#stock;
    const other = this.#records.take();
    if (other === null) return refuse(this.#account.noRecord);
    other.offset = fragment.offset;
    other.lenBytes = fragment.lenBytes;
    other.truesize = fragment.truesize;
    slabs.share(slabs.baseOf(fragment.offset));
    return other;
  }

  release(fragment: Fragment): void {
    if (fragment.offset < 0) throw fault('a fragment is released twice');
    const left = this.#stock.giveUp(this.#stock.slabs.baseOf(fragment.offset));
    this.#records.give(fragment);
    if (left === 0) this.#account.pages.sub();
  }
}
