import type { ErrorReport } from './error-report.ts';
import type { FlowKey } from './flow.ts';
import type { Gro } from './gro.ts';
import type { NetworkLayer } from './network-layer.ts';
import type { PacketMemory } from './packet-memory.ts';
import type { Skb } from './skb.ts';
import type { SkbQueue } from './skb-queue.ts';
import { definePoint } from './token.ts';

/**
 * What runs above IP, for things that exist: a **corridor**. A layer, having a packet with `data` = `transport`, and having shown it to {@link RawTap}s:
 * 1. `dissect` is there: asks `SocketDemux.deliver`; a socket that matches gets it, by its own operations.
 * 2. `input` is there: asks it, for what the protocol keeps in tables of its own (SAs, tunnels, TIME-WAIT, echo).
 * 3. Then the {@link ProtocolDoor} of the number; last, ICMP protocol unreachable, or silence while the number's corridor is there.
 *
 * While two generations live, both are here; each is asked. Linux's `struct net_protocol` and `struct net_offload`.
 */
export interface Protocol {
  readonly name: string;
  /** IP protocol, 0 to 255. */
  readonly number: number;
  /** Takes a packet that is its own and returns true; false: not mine, the skb is as it was. */
  readonly input: ((skb: Skb, layer: NetworkLayer) => boolean) | null;
  /** An error about a packet of its own tables: `transport` at the header embedded. Sockets' errors reach their operations. */
  readonly error: ((skb: Skb, layer: NetworkLayer, report: ErrorReport) => boolean) | null;
  /**
   * Reads ports (or what stands for them) from the header at `offset` into `key.localPort` = destination and
   * `key.remotePort` = source. False: too short. Also for RSS, filters and embedded packets.
   * @param endOffset behind the last byte that may be read.
   */
  readonly dissect: ((memory: PacketMemory, offset: number, endOffset: number, key: FlowKey) => boolean) | null;
  readonly gro: Gro | null;
  readonly segment: Segment | null;
}
export const Protocol = definePoint<Protocol>({ name: 'protocol', version: '1.0.0' });

/**
 * Who has copies of what is delivered, before those for whom it is, and hears of errors about it: raw sockets. A **corridor**, asked only where there is one. Linux's
 * `raw_local_deliver` and `raw_icmp_error`.
 */
export interface RawTap {
  readonly name: string;
  /** Gives clones of a packet with `data` = `transport` to all who want it; does not take it. True: somebody does, so nobody is told that the protocol is unknown. */
  copy(skb: Skb, protocol: number, layer: NetworkLayer): boolean;
  /** An error about a packet: as `Protocol.error` has it, but for all whose packet it may have been. True: there was one. */
  error(skb: Skb, protocol: number, layer: NetworkLayer, report: ErrorReport): boolean;
}
export const RawTap = definePoint<RawTap>({ name: 'raw-tap', version: '1.0.0' });

/** Packets that match nothing that exists: a **door**. Taken at stage 1, so that nobody is answered for whom nobody is there. */
export interface ProtocolDoor {
  readonly number: number;
  /** Takes the packet: answers with RST or `layer.refuse`, or makes something new of it; drops it with a reason. */
  unmatched(skb: Skb, layer: NetworkLayer): void;
}
export const ProtocolDoor = definePoint<ProtocolDoor>({ name: 'protocol-door', version: '1.0.0' });

/**
 * Cuts a packet whose `gsoSize` is set into those that it stands for, in order, into `out`, headers and checksum states
 * included; takes it. False: malformed, dropped. Ethertype handlers call the protocol's and mend their own headers.
 * @param features `DEVICE_FEATURE` bits of the device: what need not be done here.
 */
export type Segment = (skb: Skb, features: number, out: SkbQueue) => boolean;
