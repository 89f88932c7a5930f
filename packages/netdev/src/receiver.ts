import type { CurrentOwner, HookChain, HookOkay, NetDevice, ReceiveHandler, RxQueue, Skb, SkbQueue } from '@softnet/contract';
import { DEVICE_FEATURE, DEVICE_FLAG, dequeue, runHooks, SKB_TYPE, TRANSMIT } from '@softnet/contract';
import { claim, gather, passOn, purge } from '@softnet/skb';
import { VLAN_TAG_BYTES, vlanId, vlanTpid } from '@softnet/wire';
import { forgetHooks } from './device-hooks.ts';
import type { EthertypeEntry, EthertypeTable } from './ethertype-table.ts';
import type { GroCounters, PacketSink } from './gro.ts';
import { GroEngine } from './gro.ts';
import { InHand } from './in-hand.ts';
import { PLACE } from './owner-places.ts';
import type { Reasons } from './reasons.ts';
import type { Taps } from './taps.ts';

/** What the way in needs of the rest of netdev. */
export interface ReceiveParts {
  readonly ethertypes: EthertypeTable;
  readonly taps: Taps;
  readonly current: CurrentOwner;
  readonly reasons: Reasons;
  readonly gro: GroCounters;
  /** Makes the chain of ingress hooks; `okay` is what follows them. */
  readonly ingress: (okay: HookOkay) => HookChain;
}

/** The way in: link header, GRO, taps, ingress hooks, handler by ethertype. */
export class Receiver implements PacketSink {
  readonly #parts: ReceiveParts;
  readonly #ingress: HookChain;
  readonly #gro: GroEngine;
  readonly #hand = new InHand();

  constructor(parts: ReceiveParts) {
    this.#parts = parts;
    this.#ingress = parts.ingress((skb, input) => this.#handle(skb, input!));
    this.#gro = new GroEngine(this, this.#hand, parts.current, parts.gro);
  }

  /** Takes all of the batch, each with `data` at the link header. Its driver has counted it. */
  receive(device: NetDevice, queueIndex: number, batch: SkbQueue): void {
    if ((device.flags & DEVICE_FLAG.UP) === 0) {
      device.stats.rxDropped += purge(batch, this.#parts.reasons['netdev.down']);
      return;
    }
    const queue = device.rxQueues[queueIndex];
    try {
      if (device.above !== null && queue !== undefined) this.#handOver(device.above, queue, batch);
      else this.#batch(device, queueIndex, batch);
    } catch (error) {
      this.#hand.drop(this.#parts.reasons['netdev.fault']);
      throw error;
    }
  }

  /** Behind GRO. */
  pass(skb: Skb, device: NetDevice): void {
    const { taps } = this.#parts;
    const hand = this.#hand;
    if (hand.offered === skb) hand.offered = null;
    hand.rising = null;
    passOn(skb, PLACE.RECEIVE);
    if (taps.present) {
      hand.rising = skb;
      taps.show(skb, device);
      hand.rising = null;
    }
    runHooks(this.#ingress, skb, device, null);
  }

  /** Hooks have come or gone. */
  refresh(): void {
    forgetHooks(this.#ingress);
  }

  /** What a batch that threw has left behind is dropped; packets that hooks kept find the way closed. */
  close(): void {
    this.#gro.flush();
    this.#ingress.open = false;
  }

  #batch(device: NetDevice, queueIndex: number, batch: SkbQueue): void {
    for (let skb = dequeue(batch); skb !== null; skb = dequeue(batch)) {
      claim(skb, PLACE.RECEIVE);
      skb.queue = queueIndex;
      this.#hand.offered = skb;
      this.#packet(skb, device);
    }
    this.#gro.flush();
  }

  #handOver(above: ReceiveHandler, queue: RxQueue, batch: SkbQueue): void {
    const { current, taps } = this.#parts;
    if (taps.present) for (let skb = batch.first; skb !== null; skb = skb.next) this.#showClone(skb, queue.device);
    const caller = current.id;
    current.id = above.owner;
    above.receive(queue, batch);
    current.id = caller;
  }

  /** Who looks on sees it behind its link header; who has it gets it before. */
  #showClone(skb: Skb, device: NetDevice): void {
    const clone = skb.memory.pool.clone(skb);
    if (clone === null) return;
    this.#hand.rising = clone;
    if (this.#readLink(clone, device)) this.#parts.taps.show(clone, device);
    this.#hand.rising = null;
    clone.memory.pool.release(clone);
  }

  #readLink(skb: Skb, device: NetDevice): boolean {
    const { link } = device;
    skb.ifindex = device.ifindex;
    const wantedBytes = link.headerBytes + VLAN_TAG_BYTES;
    if (skb.tail - skb.data < wantedBytes && skb.fragments !== null) gather(skb, Math.min(wantedBytes, skb.len));
    return link.read(skb, device);
  }

  #packet(skb: Skb, device: NetDevice): void {
    if (!this.#readLink(skb, device)) {
      this.#hand.offered = null;
      device.stats.rxErrors++;
      skb.memory.pool.drop(skb, this.#parts.reasons['netdev.link-header']);
      return;
    }
    const merges = (device.features & DEVICE_FEATURE.GRO) !== 0 && skb.type !== SKB_TYPE.OTHERHOST;
    const entry = merges ? this.#parts.ethertypes.find(skb.protocol) : null;
    const gro = entry?.handler.gro ?? null;
    if (gro === null) this.pass(skb, device);
    else this.#gro.offer(skb, device, entry!, gro);
  }

  /** Behind the ingress hooks. Network layers never see what is not for this host: all of them would drop it. */
  #handle(skb: Skb, device: NetDevice): number {
    const { reasons, current } = this.#parts;
    claim(skb, PLACE.DELIVER);
    if (skb.type === SKB_TYPE.OTHERHOST) {
      skb.memory.pool.drop(skb, reasons['netdev.otherhost']);
      return TRANSMIT.DROPPED;
    }
    const entry = this.#entryFor(skb);
    if (entry === null) {
      device.stats.rxDropped++;
      const member = skb.vlan === 0 || vlanId(skb.vlan) === 0;
      skb.memory.pool.drop(skb, member ? reasons['netdev.ethertype'] : reasons['netdev.vlan']);
      return TRANSMIT.DROPPED;
    }
    passOn(skb, PLACE.DELIVER);
    const caller = current.id;
    current.id = entry.owner;
    entry.handler.input(skb, device);
    current.id = caller;
    return TRANSMIT.OK;
  }

  /** A tag that was taken off is its ethertype's handler's business; one of VLAN 0 says just a priority (IEEE 802.1Q §6.9.1). */
  #entryFor(skb: Skb): EthertypeEntry | null {
    const { ethertypes } = this.#parts;
    if (skb.vlan === 0) return ethertypes.find(skb.protocol);
    const entry = ethertypes.find(vlanTpid(skb.vlan));
    if (entry !== null || vlanId(skb.vlan) !== 0) return entry;
    skb.vlan = 0;
    return ethertypes.find(skb.protocol);
  }
}
