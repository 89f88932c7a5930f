import type { Skb } from '@softnet/contract';
import { copyWords, SkbReader } from '@softnet/skb';
import { VLAN_TAG_BYTES } from '@softnet/wire';
import { CompiledFilter } from './compiled-filter.ts';
import { PacketFacts } from './packet-facts.ts';
import type { PacketFilter } from './packet-filter.ts';

/** How much of a packet whose headers may lie on pages is looked at. */
const LOOK_BYTES = 256;

/** A filter of packets in packet memory, wherever their headers lie. Allocates nothing. */
export class SkbFilter {
  readonly #filter: CompiledFilter;
  readonly #facts = new PacketFacts();
  readonly #reader = new SkbReader();
  readonly #scratch = new DataView(new ArrayBuffer(LOOK_BYTES));
  /** Of the packet at hand: where it lies. */
  #view: DataView = this.#scratch;
  #at = 0;
  #end = 0;

  /** @throws NetError EINVAL, as `CompiledFilter`. */
  constructor(filter: string | PacketFilter) {
    this.#filter = new CompiledFilter(filter);
  }

  /** An Ethernet frame that begins at `from` in the head. */
  matchesFrame(skb: Skb, from: number, dropped: boolean): boolean {
    this.#find(skb, from);
    this.#facts.readFrame(this.#view, this.#at, this.#end, skb.vlan);
    return this.#matches(skb.data - from + skb.len + (skb.vlan === 0 ? 0 : VLAN_TAG_BYTES), dropped);
  }

  /** What has no link header, and begins with the header of `ethertype` at `from` in the head. */
  matchesPacket(skb: Skb, from: number, ethertype: number, dropped: boolean): boolean {
    this.#find(skb, from);
    this.#facts.readPacket(this.#view, ethertype, this.#at, this.#end);
    return this.#matches(skb.data - from + skb.len, dropped);
  }

  #matches(lenBytes: number, dropped: boolean): boolean {
    this.#facts.lenBytes = lenBytes;
    this.#facts.dropped = dropped;
    return this.#filter.matches(this.#facts);
  }

  #find(skb: Skb, from: number): void {
    this.#view = skb.memory.view;
    this.#at = from;
    this.#end = skb.tail;
    if (skb.fragments === null || skb.tail - from >= LOOK_BYTES) return;
    const before = Math.min(LOOK_BYTES, Math.max(0, skb.data - from));
    const behind = Math.min(LOOK_BYTES - before, skb.len - Math.max(0, from - skb.data));
    copyWords(this.#scratch, 0, skb.memory.view, from, before);
    if (this.#reader.open(skb, Math.max(0, from - skb.data), behind)) this.#reader.copyTo(this.#scratch, before, behind);
    this.#view = this.#scratch;
    this.#at = 0;
    this.#end = before + Math.max(0, behind);
  }
}
