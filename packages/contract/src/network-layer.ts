import type { NetDevice } from './device.ts';
import type { Dst, DstUse } from './dst.ts';
import type { Flow, FlowKey } from './flow.ts';
import type { Objects } from './held.ts';
import type { InterfaceAddress } from './interface-address.ts';
import type { PacketOptions } from './packet-options.ts';
import type { Skb } from './skb.ts';
import type { SockCommon } from './sock-common.ts';
import { definePoint } from './token.ts';

/** What an address is to this host. */
export const ADDRESS_TYPE = Object.freeze({
  /** Nobody's that is reachable; not to be a source. */
  INVALID: 0,
  UNSPECIFIED: 1,
  /** One of ours. */
  LOCAL: 2,
  UNICAST: 3,
  BROADCAST: 4,
  MULTICAST: 5,
} as const);

/** Why a packet is refused, in words that both families have; each layer says it in its own ICMP. */
export const REFUSAL = Object.freeze({
  PORT_UNREACHABLE: 1,
  PROTOCOL_UNREACHABLE: 2,
  HOST_UNREACHABLE: 3,
  NET_UNREACHABLE: 4,
  PROHIBITED: 5,
  /** `info`: the MTU. */
  TOO_BIG: 6,
  TIME_EXCEEDED: 7,
  REASSEMBLY_TIMEOUT: 8,
  /** The way that the sender chose cannot be gone (IPv4's source routes). */
  SOURCE_ROUTE_FAILED: 9,
} as const);

/**
 * IPv4 or IPv6, as protocols and routing see it: `some(NetworkLayer)` is all that tcp requires. A **corridor**: flows
 * that exist go on through it.
 */
export interface NetworkLayer {
  /** 'ipv4'. */
  readonly name: string;
  readonly family: number;
  readonly ethertype: number;
  /** Its header without options. */
  readonly headerBytes: number;
  /** Every link must carry such packets: 68 (RFC 791), 1280 (RFC 8200). */
  readonly minMtuBytes: number;
  /** Who goes by it: the `uses` of its dsts, and what a bound socket without a route derives its `DstUse` in. */
  readonly uses: Objects<DstUse>;
  /** The addresses of this host, on all devices: for lists. */
  readonly addresses: Objects<InterfaceAddress>;

  /**
   * Out: writes its header before `skb.data`, then {@link reenter}. `skb.dst` is set, room is there.
   * @param sock whose options count (TTL, DF, IP options); null: the layer's own. Returns one of `TRANSMIT`.
   * @param packet what this packet has otherwise than its socket; null, or none: nothing.
   */
  send(skb: Skb, flow: Flow, sock: SockCommon | null, packet?: PacketOptions | null): number;
  /**
   * Out, header written, `data` = `network`: output hook, then `skb.dst.output`. Callers: `send`, and transformations
   * that have put a new header before the packet and set `skb.dst` to their child.
   */
  reenter(skb: Skb): number;
  /** In: a packet with `data` = `network` that `device` brought, or that a tunnel unwrapped: `EthertypeHandler.input` of the layer. */
  receive(skb: Skb, device: NetDevice): void;
  /** In, behind a transformation: `transport` and `data` at the next header, of this protocol: delivers it as IP's own payload. */
  deliver(skb: Skb, protocol: number): void;
  /** Sets `input`, `output`, `finish`, `uses` and rooms of a dst that route has made for a next hop of this family. */
  prepare(dst: Dst): void;
  /** Whether ways by this device are dead while it has no carrier (Linux's `ignore_routes_with_linkdown`); when that changes: `Route.changed`. */
  needsCarrier?(device: NetDevice): boolean;
  /** Chooses a source for `flow` by `dst` (R1; RFC 1122 §3.3.4.3, RFC 6724) and writes it there. False: there is none. */
  chooseSource(flow: Flow, dst: Dst): boolean;
  /** One of {@link ADDRESS_TYPE}; `ifindex` 0: on any interface. For bind and source checks. */
  addressType(address0: number, address1: number, address2: number, address3: number, ifindex: number): number;
  /** Addresses (local = destination), protocol and interface of the packet at `skb.network`, into a key. */
  readKey(skb: Skb, key: FlowKey): void;
  /**
   * Sends an ICMP error about a received packet, within rate limits and never about errors, multicast and the like
   * (RFC 1122 §3.2.2, RFC 4443 §2.4). Does not take the skb.
   * @param refusal one of {@link REFUSAL}; `info`: the MTU, else 0.
   */
  refuse(skb: Skb, refusal: number, info: number): void;
}
export const NetworkLayer = definePoint<NetworkLayer>({ name: 'network-layer', version: '1.0.0' });

/**
 * Forwards multicast: a layer's dst of type MULTICAST gives it each packet that came from outside (row R4). A
 * **corridor**, one for each family. Linux's ipmr.
 */
export interface MulticastRouter {
  readonly family: number;
  /** Sends clones on their ways, or keeps one while its daemon is asked; never takes the skb itself. */
  forward(skb: Skb, input: NetDevice): void;
}
export const MulticastRouter = definePoint<MulticastRouter>({ name: 'multicast-router', version: '1.0.0' });
