import type { NetDevice } from './device.ts';
import type { Objects } from './held.ts';
import { Held } from './held.ts';
import type { Neighbour } from './neighbour.ts';
import type { Skb } from './skb.ts';
import type { SkbQueue } from './skb-queue.ts';

/** A step of a packet's way; it takes the skb, whatever becomes of it. Returns one of `TRANSMIT`. */
export type SkbStep = (skb: Skb) => number;

/** A number that changes when answers given before it may be wrong: tables, rules, policies, addresses. Kept by {@link Route}. */
export class Generation {
  /** int32, wraps, never 0. */
  value = 1;
}

/**
 * Where packets go next: a next hop, or what is stacked above one. Shared by all flows that leave that way, so there
 * is no source and no destination in it (rows R1, R2); a destination with a path MTU of its own gets an exception's dst.
 *
 * Made by {@link Route} for a next hop (its layer's `prepare` fills in the steps), or by who stacks on another one: a
 * {@link LightweightTunnel}, the {@link PacketPolicy}. In a batch it is used without counting; what keeps one longer
 * does so by a {@link DstUse}. Linux's `struct dst_entry`.
 */
export class Dst {
  /** Packets that came in: deliver, forward, multicast, discard. A **corridor**. */
  input: SkbStep;
  /**
   * Packets that go out, network header written, `skb.dst` being this: postrouting hook, cut to `mtuBytes`, `skb.dst.finish`.
   * A transformation's (ESP): transform, set `skb.dst` to the child, `NetworkLayer.reenter`. A **corridor**.
   */
  output: SkbStep;
  /**
   * Behind the network layer's hooks and fragments: find the neighbour. What wraps the whole packet for the link (MPLS)
   * leaves `output` as it is below, adds its header here, and calls the child's. A **corridor**. Linux's lwtunnel xmit.
   */
  finish: SkbStep;
  /** What makes it stale; shared by all dsts of a kernel. */
  generation: Generation;
  /** True: look up again, whatever the generation says (a redirect, a smaller path MTU, a pending answer came). */
  obsolete = false;
  family = 0;
  /** One of {@link ROUTE_TYPE}. */
  type = 0;
  /** Errno (a positive number of `ERRNO`) that senders are told; 0: usable. `output` of an error dst drops. */
  error = 0;
  /** Null: none is known yet, or packets are discarded. */
  device: NetDevice | null = null;
  /** Family of the gateway; 0: the destination is on the link. It may differ from `family` (RFC 5549). */
  gatewayFamily = 0;
  gateway0 = 0;
  gateway1 = 0;
  gateway2 = 0;
  gateway3 = 0;
  /** The gateway's, once somebody sent to it; on-link destinations are looked up packet by packet. */
  neighbour: Neighbour | null = null;
  /** Room that the sender leaves for all headers from here down, link header included. */
  headroomBytes = 0;
  /** Room behind the data: ESP's padding and ICV. */
  tailroomBytes = 0;
  /** Largest packet, network header included, that may enter here: the stack's own headers are taken off already. */
  mtuBytes = 0;
  /** The way is narrower than its layer believes (RFC 1191 §3's 68): packets are cut to `mtuBytes` whatever their DF says. Linux's mtu lock. */
  mtuLocked = false;
  /** What a stacked dst hands its packets to. Null at the bottom. */
  child: Dst | null = null;
  /**
   * Pending: the answer is being asked for, and `output` queues here, bounded; its maker sends what waits, in order,
   * when it knows, or drops it with an error (row X1). Null: not pending.
   */
  pending: SkbQueue | null = null;
  /** The list that uses of it are held in: its layer's or transformation's, which they hold up. Null: nobody waits for it. */
  uses: Objects<DstUse> | null = null;
  /** Set by the route's maker, by {@link DST_METRIC}; 0: not set. Null: none is. */
  metrics: Int32Array | null = null;
  /** Of the route, for filters: source << 16 | destination. Linux's `tclassid`. */
  realms = 0;
  /** Its maker's own: the SA, the label stack, the next hop. */
  ext: object | null = null;

  /** @param discard what it does until its maker sets other steps. */
  constructor(generation: Generation, discard: SkbStep) {
    this.generation = generation;
    this.input = discard;
    this.output = discard;
    this.finish = discard;
  }
}

/**
 * Somebody's cached dst: a hold derived from its user (a socket, a tunnel, a stacked dst's own use), in `dst.uses`. It
 * is filled and refilled by `Route.attach` and `Route.validate`; it ends with its holder.
 */
export class DstUse extends Held {
  dst: Dst | null = null;
  /** Value of `dst.generation` when it was looked up. */
  generation = 0;
}

/** Whether the cached dst, and what is below it, is still the answer. Ask before each packet; if not, `Route.validate`. */
export function isFresh(use: DstUse): boolean {
  let dst = use.dst;
  if (dst === null || dst.generation.value !== use.generation) return false;
  while (dst !== null && !dst.obsolete) dst = dst.child;
  return dst === null;
}

/** What becomes of packets on a route. Linux's `RTN_*`. */
export const ROUTE_TYPE = Object.freeze({
  UNSPEC: 0,
  UNICAST: 1,
  /** To this host. */
  LOCAL: 2,
  BROADCAST: 3,
  ANYCAST: 4,
  MULTICAST: 5,
  /** Dropped without a word. */
  BLACKHOLE: 6,
  UNREACHABLE: 7,
  /** Refused by an administrator. */
  PROHIBIT: 8,
  /** Go on with the next rule. */
  THROW: 9,
} as const);

/** Indices into `Dst.metrics`. Linux's `RTAX_*`. */
export const DST_METRIC = Object.freeze({
  MTU: 2,
  WINDOW: 3,
  RTT: 4,
  RTTVAR: 5,
  SSTHRESH: 6,
  CWND: 7,
  ADVMSS: 8,
  HOPLIMIT: 10,
  INITCWND: 11,
  RTO_MIN: 13,
  INITRWND: 14,
  QUICKACK: 15,
} as const);

/** What a packet's way answers to the sender; a queue later on may still lose the packet. Linux's `NET_XMIT_*`. */
export const TRANSMIT = Object.freeze({
  /** Sent, queued, or taken by a hook. */
  OK: 0,
  /** Dropped here: congestion controls take it for a loss, datagram senders may be told ENOBUFS. */
  DROPPED: 1,
  /** Taken, but the queue is congested: send less. */
  CONGESTED: 2,
} as const);
