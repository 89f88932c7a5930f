import type { Counter, CurrentOwner, Gro, NetDevice, Skb } from '@softnet/contract';
import { GRO } from '@softnet/contract';
import type { EthertypeEntry } from './ethertype-table.ts';
import type { InHand } from './in-hand.ts';

/** So many packets are held at a time. Linux: 8 in each of 8 buckets. */
const MAX_HELD = 8;

/** Where packets go on when they are done with here. */
export interface PacketSink {
  pass(skb: Skb, device: NetDevice): void;
}

/** Packets that were offered, and those of them that became part of others: the rest went up. */
export interface GroCounters {
  readonly offered: Counter;
  readonly merged: Counter;
}

/** A packet that waits for others of its flow. The records are kept and filled anew. */
class HeldPacket {
  skb: Skb | null = null;
  device: NetDevice | null = null;
  entry: EthertypeEntry | null = null;
}

/**
 * Merges received packets of a batch by what the ethertypes' handlers bring (contract/gro.ts says how); whatever is held goes up
 * at the end of the batch, so nothing waits for what may never come, and nobody's packets are here when he leaves. No packet overtakes another of its
 * flow: one that may not be held, or has another link header, first sends up what is held of it.
 */
export class GroEngine {
  readonly #sink: PacketSink;
  readonly #hand: InHand;
  readonly #current: CurrentOwner;
  readonly #counters: GroCounters;
  /** The first `#count` are in use, oldest first. */
  readonly #held = Array.from({ length: MAX_HELD }, () => new HeldPacket());
  #count = 0;

  constructor(sink: PacketSink, hand: InHand, current: CurrentOwner, counters: GroCounters) {
    this.#sink = sink;
    this.#hand = hand;
    this.#current = current;
    this.#counters = counters;
  }

  /** Takes a packet with `data` at the header that `gro`, of this entry, knows. */
  offer(skb: Skb, device: NetDevice, entry: EthertypeEntry, gro: Gro): void {
    this.#counters.offered.value++;
    const current = this.#current;
    const caller = current.id;
    current.id = entry.owner;
    // What stands for several already (a device merged it) is whole.
    const may = skb.gsoSize === 0 && gro.begin(skb, 0);
    current.id = caller;
    if (!may) {
      this.#passBy(skb, device, entry, gro);
      return;
    }
    const verdict = this.#merge(skb, device, entry, gro);
    if (verdict === GRO.MERGED) this.#counters.merged.value++;
    else if (verdict === GRO.FLUSH) this.#sink.pass(skb, device);
    else this.#hold(skb, device, entry);
  }

  /** The end of the batch. */
  flush(): void {
    while (this.#count > 0) this.#handUp(0);
  }

  /** Offers it to each that is held: MERGED, FLUSH, or DIFFERENT from all of them. Whom it completes or must not join is handed up. */
  #merge(skb: Skb, device: NetDevice, entry: EthertypeEntry, gro: Gro): number {
    const current = this.#current;
    const caller = current.id;
    for (let i = 0; i < this.#count; i++) {
      const held = this.#held[i]!;
      if (held.entry !== entry || held.device !== device) continue;
      current.id = entry.owner;
      const verdict = verdictOf(held.skb!, skb, gro);
      current.id = caller;
      if (verdict === GRO.DIFFERENT) continue;
      if (verdict !== GRO.FLUSH) this.#hand.offered = null;
      if (verdict !== GRO.MERGED) this.#handUp(i);
      return verdict === GRO.FLUSH ? GRO.FLUSH : GRO.MERGED;
    }
    return GRO.DIFFERENT;
  }

  #passBy(skb: Skb, device: NetDevice, entry: EthertypeEntry, gro: Gro): void {
    const current = this.#current;
    const caller = current.id;
    for (let i = 0; i < this.#count; ) {
      const held = this.#held[i]!;
      current.id = entry.owner;
      const isBehind = held.entry === entry && held.device === device && gro.sameFlow(held.skb!, skb, 0);
      current.id = caller;
      if (isBehind) this.#handUp(i);
      else i++;
    }
    this.#sink.pass(skb, device);
  }

  #hold(skb: Skb, device: NetDevice, entry: EthertypeEntry): void {
    if (this.#count === MAX_HELD) this.#handUp(0);
    const held = this.#held[this.#count++]!;
    held.skb = skb;
    held.device = device;
    held.entry = entry;
    this.#hand.offered = null;
  }

  #handUp(index: number): void {
    const held = this.#take(index);
    const { entry } = held;
    const skb = held.skb!;
    const device = held.device!;
    held.skb = null;
    held.device = null;
    held.entry = null;
    const current = this.#current;
    const caller = current.id;
    current.id = entry!.owner;
    this.#hand.rising = skb;
    if (skb.gsoSegs > 1) entry!.handler.gro!.finish(skb, 0);
    current.id = caller;
    this.#sink.pass(skb, device);
  }

  /** Those behind it move up; its record goes to the end. */
  #take(index: number): HeldPacket {
    const held = this.#held[index]!;
    const last = --this.#count;
    for (let i = index; i < last; i++) this.#held[i] = this.#held[i + 1]!;
    this.#held[last] = held;
    return held;
  }
}

function verdictOf(held: Skb, skb: Skb, gro: Gro): number {
  if (sameLink(held, skb)) return gro.merge(held, skb, 0);
  return gro.sameFlow(held, skb, 0) ? GRO.FLUSH : GRO.DIFFERENT;
}

/** Do both have the same link header, tag and addressee? */
function sameLink(held: Skb, skb: Skb): boolean {
  const lenBytes = skb.network - skb.mac;
  if (held.vlan !== skb.vlan || held.type !== skb.type || held.network - held.mac !== lenBytes) return false;
  const { bytes } = skb.memory;
  const others = held.memory.bytes;
  for (let i = 0; i < lenBytes; i++) if (bytes[skb.mac + i] !== others[held.mac + i]) return false;
  return true;
}
