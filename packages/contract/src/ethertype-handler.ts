import type { NetDevice } from './device.ts';
import type { FlowKey } from './flow.ts';
import type { Gro } from './gro.ts';
import type { PacketMemory } from './packet-memory.ts';
import type { Segment } from './protocol.ts';
import type { Skb } from './skb.ts';
import { definePoint } from './token.ts';

/**
 * Takes frames of an ethertype: ARP, IPv4, IPv6, MPLS, VLAN. A **corridor**: one handler each; of two generations, the
 * newer. Linux's `packet_type` and `packet_offload`.
 */
export interface EthertypeHandler {
  readonly name: string;
  /** Host order. */
  readonly ethertype: number;
  /** Takes a packet with `data` = `network`, behind taps and ingress filter. Linux's `ip_rcv`. */
  input(skb: Skb, device: NetDevice): void;
  /**
   * Fills the key's addresses and protocol from the header at `offset` (local = destination), and asks the protocol for
   * its ports. False: not understood. Callers: steering, RSS, flow hashes, filters.
   */
  readonly dissect: ((memory: PacketMemory, offset: number, endOffset: number, key: FlowKey) => boolean) | null;
  readonly gro: Gro | null;
  readonly segment: Segment | null;
}
export const EthertypeHandler = definePoint<EthertypeHandler>({ name: 'ethertype-handler', version: '1.0.0' });

/** Sees frames and does not take them: AF_PACKET, captures. A **corridor**. Linux's `ptype_all`. */
export interface Tap {
  /** The ethertype wanted, or `ETHERTYPE.ALL`. */
  readonly ethertype: number;
  /** The device wanted; 0: any. */
  readonly ifindex: number;
  /** In: behind GRO; out: before the driver (`skb.type` OUTGOING). `mac` is set. Clone or copy to keep it. */
  tap(skb: Skb, device: NetDevice): void;
}
export const Tap = definePoint<Tap>({ name: 'tap', version: '1.0.0' });
