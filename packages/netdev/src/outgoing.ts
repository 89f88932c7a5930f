import type { Counter, CurrentOwner, DropReason, NetDevice, Skb } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, dequeue, enqueue, SKB_TYPE, SkbQueue } from '@softnet/contract';
import { claim, finishChecksum, linearize, passOn, purge, SkbReader } from '@softnet/skb';
import { insertVlanTag, VLAN_TAG_BYTES } from '@softnet/wire';
import type { EthertypeTable } from './ethertype-table.ts';
import { PLACE } from './owner-places.ts';
import type { Reasons } from './reasons.ts';
import type { Taps } from './taps.ts';

/** What stands between qdisc and driver needs. */
export interface OutgoingParts {
  readonly ethertypes: EthertypeTable;
  readonly taps: Taps;
  readonly current: CurrentOwner;
  readonly reasons: Reasons;
  /** Packets that were cut, and what they were cut into. */
  readonly cut: Counter;
  readonly segments: Counter;
}

/**
 * Does for a device what it does not do itself, just before it is given a packet: VLAN tag, cutting, one piece, checksum. Then taps
 * see it. Linux's `validate_xmit_skb` and `dev_queue_xmit_nit`.
 */
export class Outgoing {
  readonly #parts: OutgoingParts;
  readonly #reader = new SkbReader();
  readonly #segments = new SkbQueue();

  constructor(parts: OutgoingParts) {
    this.#parts = parts;
  }

  /** Takes the packet, and puts it, or what it stands for, behind `batch`. False: it was dropped, at least a part of it. */
  prepare(skb: Skb, device: NetDevice, batch: SkbQueue): boolean {
    const { reasons } = this.#parts;
    if (skb.vlan !== 0 && (device.features & DEVICE_FEATURE.VLAN_TX) === 0) {
      if (!skb.memory.pool.makeRoom(skb, VLAN_TAG_BYTES, 0)) return lose(skb, device, reasons['netdev.vlan-tag']);
      insertVlanTag(skb);
    }
    return mustCut(skb, device) ? this.#cut(skb, device, batch) : this.#finish(skb, device, batch);
  }

  #cut(skb: Skb, device: NetDevice, batch: SkbQueue): boolean {
    const { ethertypes, current, reasons } = this.#parts;
    const entry = ethertypes.find(skb.protocol);
    if (entry === null || entry.handler.segment === null) return lose(skb, device, reasons['netdev.segment']);
    const segments = this.#segments;
    // What a handler that threw has left.
    if (segments.first !== null) purge(segments, reasons['netdev.segment']);
    passOn(skb, PLACE.SEND);
    const caller = current.id;
    current.id = entry.owner;
    const done = entry.handler.segment(skb, device.features, segments);
    current.id = caller;
    if (done) this.#parts.cut.value++;
    else device.stats.txDropped++;
    this.#parts.segments.value += segments.lenPackets;
    let whole = done;
    for (let part = dequeue(segments); part !== null; part = dequeue(segments)) {
      claim(part, PLACE.SEND);
      whole = this.#finish(part, device, batch) && whole;
    }
    return whole;
  }

  #finish(skb: Skb, device: NetDevice, batch: SkbQueue): boolean {
    const { taps, reasons } = this.#parts;
    const { features } = device;
    if (skb.fragments !== null && (features & DEVICE_FEATURE.SCATTER) === 0 && !linearize(skb)) {
      return lose(skb, device, reasons['netdev.linearize']);
    }
    if (skb.checksum === CHECKSUM.PARTIAL && (features & DEVICE_FEATURE.TX_CHECKSUM) === 0 && !finishChecksum(skb, this.#reader)) {
      return lose(skb, device, reasons['netdev.checksum']);
    }
    skb.type = SKB_TYPE.OUTGOING;
    if (taps.present) taps.show(skb, device);
    enqueue(batch, skb);
    return true;
  }
}

/** A device takes a burst whole if it does all that must be done to each of its packets. */
function mustCut(skb: Skb, { features, gsoMaxBytes, gsoMaxSegs }: NetDevice): boolean {
  if (skb.gsoSize === 0) return false;
  // Who has not said what it takes says it of nobody.
  if (skb.gsoType === 0 || (skb.gsoType & ~features) !== 0 || skb.len > gsoMaxBytes || skb.gsoSegs > gsoMaxSegs) return true;
  if (skb.checksum === CHECKSUM.PARTIAL && (features & DEVICE_FEATURE.TX_CHECKSUM) === 0) return true;
  return skb.fragments !== null && (features & DEVICE_FEATURE.SCATTER) === 0;
}

function lose(skb: Skb, device: NetDevice, reason: DropReason): false {
  device.stats.txDropped++;
  skb.memory.pool.drop(skb, reason);
  return false;
}
