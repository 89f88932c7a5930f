import { DropReason } from './counter.ts';
import type { DstUse, SkbStep } from './dst.ts';
import { Dst, Generation, TRANSMIT } from './dst.ts';
import { ERRNO } from './errno.ts';
import type { Flow } from './flow.ts';
import type { Plain } from './frozen.ts';
import type { Held } from './held.ts';
import type { NextHopObject } from './next-hops.ts';
import type { AddressWords, RouteEntry } from './route-table.ts';
import type { RoutingRule } from './routing-rules.ts';
import { definePoint, defineService } from './token.ts';

/**
 * Answers "where does this flow go?". Never null: an error is a dst whose `error` is set and which drops, an answer
 * that must be waited for is a dst that queues (`dst.pending`); callers send into either without a case.
 *
 * A **corridor**: existing flows are routed again while route leaves. Linux's `fib_lookup` and `ip_route_output_flow`.
 */
export interface Route {
  /** Bumped by whoever changes what lookups answer: route itself, and policies, SAs, addresses. See {@link isFresh}. */
  changed(): void;
  /**
   * Output. Asks rules, tables, then {@link PacketPolicy.stack}. Where the source was unspecified, it is filled in
   * from `NetworkLayer.chooseSource`; so is `flow.oif`. Callers: protocols, tunnels, the output hook's re-route.
   */
  lookup(flow: Flow): Dst;
  /**
   * Input: for a packet of this flow that came in by `flow.iif`. A source that `sourceCheck` does not let in is answered with a dst of
   * error EXDEV. Callers: network layers.
   * @param sourceCheck one of {@link SOURCE_CHECK}; absent: NONE.
   */
  lookupInput(flow: Flow, sourceCheck?: number): Dst;
  /**
   * Looks up, and keeps the answer in `use`, a hold derived from `holder` in `dst.uses`; for each dst below, a further
   * use is derived from it, so that the whole stack is held; so is the device (`NetDevice.uses`). A use that had another dst gives it up.
   * @param place static name, for lists of holders.
   */
  attach(use: DstUse, flow: Flow, holder: Held, place: string): Dst;
  /** The dst of an attached use, looked up again with `flow` if it is stale. The fast path asks {@link isFresh} itself. */
  validate(use: DstUse, flow: Flow): Dst;
  /** Gives a use up before its holder ends. Does nothing when it has no dst. */
  detach(use: DstUse): void;
  /**
   * A path MTU was learnt for `flow`'s destination (RFC 1191, 8201): an exception of its next hop, bounded and aged.
   * @param locked the way is narrower than its layer believes: packets are of `mtuBytes`, and are cut on the way (`Dst.mtuLocked`).
   */
  learnMtu(flow: Flow, mtuBytes: number, locked?: boolean): void;
  /** A redirect that its layer believes: the better gateway's four words. */
  learnGateway(flow: Flow, gateway0: number, gateway1: number, gateway2: number, gateway3: number): void;
  /** All routes of a family, of all tables, in the order of lists: for `ip route`. */
  entries(family: number): readonly RouteEntry[];
  /** Policy rules of a family, in order: for `ip rule`. */
  rules(family: number): readonly RoutingRule[];
  /** By number: for `ip nexthop`. */
  nextHops(): readonly NextHopObject[];
  /** Whether rules of a family ask for ports: only then does its layer fill them in for packets that come in. */
  wantsPorts(family: number): boolean;
  /** What is known of single destinations, oldest first: for `ip route show cache`. */
  exceptions(family: number): readonly RouteExceptionEntry[];
}
export const Route = defineService<Route>({
  name: 'route',
  version: '1.0.0',
  errno: 'ENETUNREACH',
  methods: [
    'changed',
    'lookup',
    'lookupInput',
    'attach',
    'validate',
    'detach',
    'learnMtu',
    'learnGateway',
    'entries',
    'rules',
    'nextHops',
    'wantsPorts',
    'exceptions',
  ],
  absent: absentRoute,
});

/** What must be true of a source that comes in (RFC 3704). Linux's `rp_filter`. */
export const SOURCE_CHECK = Object.freeze({
  NONE: 0,
  /** Packets to it would leave by the device that it came in by (§2.2). */
  STRICT: 1,
  /** There is a way to it (§2.4). */
  LOOSE: 2,
} as const);

/** How one destination differs from the others behind its next hop, for lists. */
export interface RouteExceptionEntry {
  readonly family: number;
  readonly destination: AddressWords;
  readonly ifindex: number;
  /** 0: not known. */
  readonly mtuBytes: number;
  readonly mtuLocked: boolean;
  /** From a redirect; null: none. */
  readonly gateway: { readonly family: number; readonly address: AddressWords } | null;
  /** Kernel ms. */
  readonly expiresMs: number;
}

/** While no module routes, everything is unreachable. */
function absentRoute(): Route {
  const reason = new DropReason(0, 'route.absent', 'no module routes');
  const discard: SkbStep = (skb) => {
    skb.memory.pool.drop(skb, reason);
    return TRANSMIT.DROPPED;
  };
  const unreachable = new Dst(new Generation(), discard);
  unreachable.error = ERRNO.ENETUNREACH;
  unreachable.obsolete = true;
  const answer = () => unreachable;
  const nothing = () => {};
  return {
    changed: nothing,
    lookup: answer,
    lookupInput: answer,
    attach: answer,
    validate: answer,
    detach: nothing,
    learnMtu: nothing,
    learnGateway: nothing,
    entries: () => [],
    rules: () => [],
    nextHops: () => [],
    wantsPorts: () => false,
    exceptions: () => [],
  };
}

/**
 * An encapsulation that a route asks for (`ip route add ... encap mpls 100`): it stacks a dst on the next hop's. Route
 * calls it once for each next hop, and again when devices, layers or path MTUs change below it. So it is a **corridor**: flows of routes that
 * exist need new dsts; new routes are refused by route once its `uses` are not open. Linux's `lwtunnel_encap_ops`.
 */
export interface LightweightTunnel {
  /** 'mpls'. */
  readonly name: string;
  /**
   * Returns a new dst with `child` below it: `finish` adds the header and calls `child.finish` (`output` is the child's),
   * rooms grow and the MTU shrinks by it, `uses` are its own.
   * @throws NetError EINVAL when it does not understand `config`.
   */
  stack(child: Dst, config: Plain): Dst;
}
export const LightweightTunnel = definePoint<LightweightTunnel>({ name: 'lightweight-tunnel', version: '1.0.0' });
