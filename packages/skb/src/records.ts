import type { FragmentSource, PacketMemory } from '@softnet/contract';
import { Fragment, Skb } from '@softnet/contract';
import { PAGE_BYTES } from './slabs.ts';

/** Heap that an {@link Skb} and a {@link Fragment} take in Node: 24 bytes, and 8 for each field. Part of truesize. */
export const SKB_BYTES = 304;
export const FRAGMENT_BYTES = 72;
/** Bytes that a fragment adds to `truesize`: a page and its record. */
export const PAGE_TRUESIZE: number = PAGE_BYTES + FRAGMENT_BYTES;

/** Records of packets that are idle, linked by `next`. Made as they are needed, up to a bound, and kept. */
export class SkbRecords {
  readonly max: number;
  readonly #memory: PacketMemory;
  #idle: Skb | null = null;
  made = 0;

  constructor(memory: PacketMemory, max: number) {
    this.#memory = memory;
    this.max = max;
  }

  /** A record with every field at its initial value, but `head`, `data`, `tail`. Null: as many are out as may be. */
  take(): Skb | null {
    const skb = this.#idle;
    if (skb === null) return this.#make();
    this.#idle = skb.next;
    skb.next = null;
    return skb;
  }

  give(skb: Skb): void {
    clear(skb);
    skb.next = this.#idle;
    this.#idle = skb;
  }

  #make(): Skb | null {
    if (this.made === this.max) return null;
    this.made++;
    return dead(new Skb(this.#memory));
  }
}

/** The same for fragments. */
export class FragmentRecords {
  readonly max: number;
  readonly #memory: PacketMemory;
  readonly #source: FragmentSource;
  #idle: Fragment | null = null;
  made = 0;

  constructor(memory: PacketMemory, source: FragmentSource, max: number) {
    this.#memory = memory;
    this.#source = source;
    this.max = max;
  }

  take(): Fragment | null {
    const fragment = this.#idle;
    if (fragment === null) return this.#make();
    this.#idle = fragment.next;
    fragment.next = null;
    return fragment;
  }

  give(fragment: Fragment): void {
    fragment.offset = -1;
    fragment.lenBytes = 0;
    fragment.truesize = 0;
    fragment.next = this.#idle;
    this.#idle = fragment;
  }

  #make(): Fragment | null {
    if (this.made === this.max) return null;
    this.made++;
    return new Fragment(this.#memory, this.#source);
  }
}

/** Marks a record as idle: who uses it reads outside of the memory, and a second free is seen. */
function dead(skb: Skb): Skb {
  skb.head = -1;
  skb.data = -1;
  skb.tail = -1;
  skb.end = -1;
  return skb;
}

function clear(skb: Skb): void {
  dead(skb);
  skb.fragments = null;
  skb.dst = null;
  skb.sock = null;
  if (skb.slots !== null) skb.slots.fill(null);
  skb.len = 0;
  skb.mac = -1;
  skb.network = -1;
  skb.transport = -1;
  skb.ifindex = 0;
  skb.queue = 0;
  skb.protocol = 0;
  skb.type = 0;
  skb.mark = 0;
  skb.priority = 0;
  skb.hash = 0;
  skb.vlan = 0;
  skb.checksum = 0;
  skb.csum = 0;
  skb.gsoSize = 0;
  skb.gsoSegs = 0;
  skb.gsoType = 0;
  skb.timeUs = 0;
  skb.truesize = 0;
  skb.flags = 0;
  skb.reentries = 0;
  skb.cb0 = 0;
  skb.cb1 = 0;
  skb.cb2 = 0;
  skb.cb3 = 0;
}

/** Makes `to` what `from` is, as far as a clone inherits it: not owner, queue, fragments and re-entries. */
export function inherit(to: Skb, from: Skb): void {
  to.dst = from.dst;
  if (from.slots !== null) inheritSlots(to, from.slots);
  to.head = from.head;
  to.data = from.data;
  to.tail = from.tail;
  to.end = from.end;
  to.len = from.len;
  to.mac = from.mac;
  to.network = from.network;
  to.transport = from.transport;
  to.ifindex = from.ifindex;
  to.queue = from.queue;
  to.protocol = from.protocol;
  to.type = from.type;
  to.mark = from.mark;
  to.priority = from.priority;
  to.hash = from.hash;
  to.vlan = from.vlan;
  to.checksum = from.checksum;
  to.csum = from.csum;
  to.gsoSize = from.gsoSize;
  to.gsoSegs = from.gsoSegs;
  to.gsoType = from.gsoType;
  to.timeUs = from.timeUs;
  to.truesize = from.truesize;
  to.flags = from.flags;
  to.cb0 = from.cb0;
  to.cb1 = from.cb1;
  to.cb2 = from.cb2;
  to.cb3 = from.cb3;
}

function inheritSlots(to: Skb, slots: readonly unknown[]): void {
  if (to.slots === null) {
    to.slots = slots.slice();
    return;
  }
  for (let i = 0; i < slots.length; i++) to.slots[i] = slots[i];
}
