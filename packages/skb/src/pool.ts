import type { DropReason, Fragment, PoolUsage, Skb, SkbPool, SockCommon } from '@softnet/contract';
import { CHECKSUM, PacketMemory } from '@softnet/contract';
import type { PoolAccount } from './account.ts';
import { refuse } from './account.ts';
import { PoolCounters } from './counters.ts';
import { DEBUG } from './debug.ts';
import { fault, Ledger } from './ledger.ts';
import { PageSource } from './page-source.ts';
import { inherit, SKB_BYTES, SkbRecords } from './records.ts';
import { BUFFER_BYTES, PAGE_BYTES } from './slabs.ts';
import type { Stock } from './stock.ts';

/** A pool of small buffers and pages. Allocates nothing for a packet, once as many have been out as are out at most. */
export class PacketPool implements SkbPool {
  readonly name: string;
  memory!: PacketMemory;
  stock!: Stock;
  readonly counters: PoolCounters;
  /** Who owns which packet: kept in debug builds. */
  readonly ledger: Ledger | null = DEBUG ? new Ledger() : null;
  skbsOut = 0;
  readonly #account: PoolAccount;
  #records!: SkbRecords;
  #source!: PageSource;

  constructor(name: string, stock: Stock, account: PoolAccount, counters: PoolCounters = new PoolCounters()) {
    this.name = name;
    this.counters = counters;
    this.#account = account;
    this.restock(stock);
  }

  /** Gives it other memory. It is idle. */
  restock(stock: Stock): void {
    this.stock = stock;
    this.memory = new PacketMemory(stock.slabs.bytes, this, stock.slabs.bulk);
    // Every buffer and page as a head, and a clone of each.
    this.#records = new SkbRecords(this.memory, 2 * (stock.buffers.capacity + stock.pages.capacity));
    this.#source = new PageSource(this.memory, stock, this.#account, this.counters);
  }

  get usage(): PoolUsage {
    const { name, skbsOut, counters } = this;
    const { buffers, pages } = this.stock;
    const sizes = { buffers: buffers.capacity, buffersIdle: buffers.count, pages: pages.capacity, pagesIdle: pages.count };
    return { name, ...sizes, skbsOut, counters };
  }

  /** Is all of it here: nothing out, nothing set apart? */
  get idle(): boolean {
    const { buffers, pages } = this.stock;
    return this.skbsOut === 0 && buffers.count === buffers.capacity && pages.count === pages.capacity;
  }

  alloc(headroomBytes: number, lenBytes: number): Skb | null {
    if (DEBUG && !(headroomBytes >= 0 && lenBytes >= 0)) throw fault(`alloc(${headroomBytes}, ${lenBytes}): both are bytes, 0 or more`);
    const account = this.#account;
    const { buffers, pages, slabs, closed } = this.stock;
    const needBytes = headroomBytes + lenBytes;
    const small = needBytes <= BUFFER_BYTES;
    const idle = small ? buffers : pages;
    if (needBytes > PAGE_BYTES) return refuse(account.tooBig);
    if (closed || idle.count === 0) return refuse(small ? account.noBuffer : account.noPage);
    const skb = this.#records.take();
    if (skb === null) return refuse(account.noRecord);
    if (DEBUG) this.ledger!.taken(skb);
    const head = idle.take();
    slabs.share(head);
    skb.head = head;
    skb.data = head + headroomBytes;
    skb.tail = skb.data;
    skb.end = head + (small ? BUFFER_BYTES : PAGE_BYTES);
    skb.truesize = (small ? BUFFER_BYTES : PAGE_BYTES) + SKB_BYTES;
    this.skbsOut++;
    account.skbs.add();
    this.counters.allocated.value++;
    return skb;
  }

  page(lenBytes: number): Fragment | null {
    return this.#source.page(lenBytes);
  }

  clone(skb: Skb): Skb | null {
    if (skb.memory !== this.memory) return skb.memory.pool.clone(skb);
    if (DEBUG) this.#mustLive(skb, 'cloned');
    const clone = this.#records.take();
    if (clone === null) return refuse(this.#account.noRecord);
    if (DEBUG) this.ledger!.taken(clone);
    inherit(clone, skb);
    this.stock.slabs.share(skb.head);
    this.skbsOut++;
    this.#account.skbs.add();
    if (skb.fragments !== null && !shareFragments(clone, skb.fragments)) {
      this.#recycle(clone);
      return null;
    }
    this.counters.cloned.value++;
    return clone;
  }

  makeRoom(skb: Skb, headroomBytes: number, tailroomBytes: number): boolean {
    if (skb.memory !== this.memory) return skb.memory.pool.makeRoom(skb, headroomBytes, tailroomBytes);
    if (DEBUG) this.#mustLive(skb, 'given room');
    const own = this.stock.slabs.sharesOf(skb.head) === 1;
    if (own && skb.data - skb.head >= headroomBytes && skb.end - skb.tail >= tailroomBytes) return true;
    const from = firstHeader(skb);
    const beforeBytes = Math.max(headroomBytes, skb.data - from);
    const needBytes = beforeBytes + (skb.tail - skb.data) + tailroomBytes;
    if (own && needBytes <= skb.end - skb.head) this.#move(skb, from, skb.head + beforeBytes - skb.data);
    else return this.#newHead(skb, from, beforeBytes, needBytes);
    return true;
  }

  dissolve(skb: Skb): Fragment | null {
    if (skb.memory !== this.memory) return skb.memory.pool.dissolve(skb);
    if (DEBUG) this.#mustLive(skb, 'dissolved');
    const { head, data, tail, fragments } = skb;
    let first = fragments;
    if (data < tail) {
      if (this.isShared(skb)) return null;
      first = this.#source.piece(data, tail - data);
      if (first === null) return null;
      first.next = fragments;
      // Until the packet gives up its own share.
      this.stock.slabs.share(head);
    }
    if (first === null) return null;
    // What its socket is told of is what is left of it: nothing.
    skb.fragments = null;
    skb.data = tail;
    skb.len = 0;
    try {
      this.release(skb);
    } catch (error) {
      releaseAll(first);
      throw error;
    }
    return first;
  }

  revive(fragment: Fragment, headroomBytes: number): Skb | null {
    if (fragment.memory !== this.memory) return fragment.memory.pool.revive(fragment, headroomBytes);
    const { slabs } = this.stock;
    const { offset, lenBytes, source } = fragment;
    const head = slabs.baseOf(offset);
    if (source !== this.#source || slabs.sharesOf(head) > 1 || offset - head < headroomBytes) return null;
    const skb = this.#records.take();
    if (skb === null) return refuse(this.#account.noRecord);
    if (DEBUG) this.ledger!.taken(skb);
    // The fragment's share of the buffer is the packet's.
    this.#source.forget(fragment);
    const sizeBytes = head < slabs.pagesFrom ? BUFFER_BYTES : PAGE_BYTES;
    skb.head = head;
    skb.data = offset;
    skb.tail = offset + lenBytes;
    skb.end = head + sizeBytes;
    skb.len = lenBytes;
    skb.truesize = sizeBytes + SKB_BYTES;
    this.skbsOut++;
    this.#account.skbs.add();
    return skb;
  }

  release(skb: Skb): void {
    if (skb.memory !== this.memory) {
      skb.memory.pool.release(skb);
      return;
    }
    if (skb.head < 0) throw this.#freedTwice(skb);
    if (DEBUG && skb.next !== null) throw fault('a packet is freed while a queue has it: dequeue it first');
    if (skb.sock === null) this.#recycle(skb);
    else this.#recycleOwned(skb, skb.sock);
  }

  drop(skb: Skb, reason: DropReason): void {
    reason.count++;
    if (this.#account.watches.items.length > 0) this.#show(skb, reason);
    this.release(skb);
  }

  /** Do clones show the head too? Then nothing may be written there before `makeRoom`. */
  isShared(skb: Skb): boolean {
    return this.stock.slabs.sharesOf(skb.head) > 1;
  }

  /** The owner hears of it while the packet is still there to be read. Whatever he does, the packet is recycled. */
  #recycleOwned(skb: Skb, sock: SockCommon): void {
    const { current } = this.#account;
    const caller = current.id;
    current.id = sock.holdKind?.owner ?? caller;
    try {
      sock.ops.released(sock, skb);
    } finally {
      this.#recycle(skb);
    }
    current.id = caller;
  }

  #recycle(skb: Skb): void {
    if (DEBUG) this.ledger!.freed(skb);
    this.stock.giveUp(skb.head);
    releaseAll(skb.fragments);
    this.#records.give(skb);
    this.skbsOut--;
    this.#account.skbs.sub();
  }

  /** Puts what lies from `from` to `tail` into a buffer of its own. */
  #newHead(skb: Skb, from: number, beforeBytes: number, needBytes: number): boolean {
    const { buffers, pages, slabs } = this.stock;
    const small = needBytes <= BUFFER_BYTES;
    const idle = small ? buffers : pages;
    if (needBytes > PAGE_BYTES || idle.count === 0) {
      refuse(needBytes > PAGE_BYTES ? this.#account.tooBig : small ? this.#account.noBuffer : this.#account.noPage);
      return false;
    }
    const old = skb.head;
    const head = idle.take();
    slabs.share(head);
    const lenBytes = small ? BUFFER_BYTES : PAGE_BYTES;
    // What a socket was charged must be what it gets back.
    if (skb.sock === null) skb.truesize += lenBytes - (skb.end - old);
    this.#move(skb, from, head + beforeBytes - skb.data);
    if (skb.checksum === CHECKSUM.PARTIAL) skb.csum = (skb.csum - ((head - old) << 16)) | 0;
    skb.head = head;
    skb.end = head + lenBytes;
    this.stock.giveUp(old);
    return true;
  }

  /** Moves the bytes from `from` to `tail`, and all that points there. */
  #move(skb: Skb, from: number, distance: number): void {
    this.memory.bytes.copyWithin(from + distance, from, skb.tail);
    this.counters.copiedBytes.value += skb.tail - from;
    skb.data += distance;
    skb.tail += distance;
    if (skb.mac >= 0) skb.mac += distance;
    if (skb.network >= 0) skb.network += distance;
    if (skb.transport >= 0) skb.transport += distance;
    if (skb.checksum === CHECKSUM.PARTIAL) skb.csum = (skb.csum + (distance << 16)) | 0;
  }

  #show(skb: Skb, reason: DropReason): void {
    const { watches, current } = this.#account;
    const { items, owners } = watches;
    const caller = current.id;
    for (let i = 0; i < items.length; i++) {
      current.id = owners[i]!;
      items[i]!.dropped(skb, reason);
    }
    current.id = caller;
  }

  #mustLive(skb: Skb, what: string): void {
    if (skb.head < 0) throw fault(`a packet is ${what} after it was freed (${this.ledger?.whenFreed(skb)})`);
  }

  #freedTwice(skb: Skb): Error {
    const before = this.ledger?.whenFreed(skb) ?? 'SOFTNET_DEBUG=1 says by whom';
    return fault(`a packet is freed twice (the first time: ${before})`);
  }
}

/** Where the bytes begin that must move with the packet: headers may lie before `data`. */
function firstHeader({ data, mac, network, transport }: Skb): number {
  let from = data;
  if (mac >= 0 && mac < from) from = mac;
  if (network >= 0 && network < from) from = network;
  if (transport >= 0 && transport < from) from = transport;
  return from;
}

function releaseAll(first: Fragment | null): void {
  for (let fragment = first; fragment !== null; ) {
    const { next } = fragment;
    fragment.source.release(fragment);
    fragment = next;
  }
}

/** False: a source had no record left; what was shared until then hangs on the clone. */
function shareFragments(clone: Skb, first: Fragment): boolean {
  let last: Fragment | null = null;
  for (let fragment: Fragment | null = first; fragment !== null; fragment = fragment.next) {
    const shared = fragment.source.share(fragment);
    if (shared === null) return false;
    if (last === null) clone.fragments = shared;
    else last.next = shared;
    last = shared;
  }
  return true;
}
