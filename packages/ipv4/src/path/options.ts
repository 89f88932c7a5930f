import type { Contributions, Dst, Flow, NetDevice, RouterAlert, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2, REFUSAL, ROUTE_TYPE, SKB_TYPE } from '@softnet/contract';
import { finishIpv4, IPV4_DST, IPV4_HEADER_BYTES, IPV4_OPTION, ipv4Dst, ipv4HeaderBytes, ipv4Protocol, setIpv4Dst } from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { checkOptions, FoundOptions, OPTIONS_GOOD } from '../machine/header-options.ts';
import { recordRoute, stampOptions } from '../machine/option-stamps.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

/** A route of this host's own addresses ends: there is no room for more hops in a header. */
const MAX_HOPS = 9;

/** Options of packets on their way in and through (RFC 791 §3.1, RFC 1122 §3.2.1.8, RFC 1812 §5.3.13). Few have any. */
export class Options {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #alerts: Contributions<RouterAlert>;
  readonly #found = new FoundOptions();

  constructor(parts: Ipv4Parts, joints: Joints, alerts: Contributions<RouterAlert>) {
    this.#parts = parts;
    this.#joints = joints;
    this.#alerts = alerts;
  }

  /** Of a packet that came in. False: it was dropped, and its sender told what is wrong, or its route is not obeyed here. */
  accept(skb: Skb): boolean {
    const { drops, conf } = this.#parts;
    const wrong = this.#find(skb);
    if (wrong !== OPTIONS_GOOD) {
      this.#joints.icmp.parameterProblem(skb, wrong);
      drop(skb, drops['ipv4.option']);
      return false;
    }
    if (this.#found.sourceRoute === 0 || conf.value(skb.ifindex, 'accept_source_route') !== 0) return true;
    drop(skb, drops['ipv4.source-route']);
    return false;
  }

  /**
   * The way of a packet with a source route: where its destination is this host, the next hop's, which is written into the header (RFC 1812
   * §5.3.13.3, §5.3.13.4). @param dst to its destination. @param flow of it, by which the next hop is looked up. Null: it was dropped.
   */
  follow(skb: Skb, dst: Dst, flow: Flow): Dst | null {
    if (this.#find(skb) !== OPTIONS_GOOD) return this.#lose(skb);
    if (this.#found.sourceRoute === 0) return dst;
    const { view } = skb.memory;
    const at = skb.network + this.#found.sourceRoute;
    if (skb.type !== SKB_TYPE.HOST && skb.type !== SKB_TYPE.LOOPBACK) return this.#lose(skb);
    if (dst.type !== ROUTE_TYPE.LOCAL) {
      // A strict route names each hop: one that it does not name has nothing to do with it.
      if (view.getUint8(at) === IPV4_OPTION.LOOSE_SOURCE_ROUTE) return dst;
      this.#joints.icmp.parameterProblem(skb, IPV4_DST);
      return this.#lose(skb);
    }
    if (!skb.memory.pool.makeRoom(skb, 0, 0)) {
      drop(skb, this.#parts.drops['ipv4.no-memory']);
      return null;
    }
    return this.#nextHop(skb, dst, flow);
  }

  /** A packet for this host says that it was here. False: it was dropped. */
  arrived(skb: Skb, device: NetDevice | null): boolean {
    const { book } = this.#parts;
    const destination = ipv4Dst(skb.memory.view, skb.network);
    return this.#stamp(skb, book.isLocal(destination, 0) ? destination : book.sourceFor(device, destination));
  }

  /** A packet that is passed on says that it was here, as seen from where it goes (RFC 791 §3.1). False: it was dropped. */
  passes(skb: Skb, dst: Dst): boolean {
    return this.#stamp(skb, this.#sourceTo(dst, ipv4Dst(skb.memory.view, skb.network)));
  }

  /** Somebody here has asked for packets that routers are to look at, and took it (RFC 2113 §2.1). */
  isExamined(skb: Skb, input: NetDevice | null): boolean {
    if (this.#find(skb) !== OPTIONS_GOOD || this.#found.routerAlert === 0) return false;
    const { counters, current } = this.#parts;
    const { items, owners } = this.#alerts;
    const protocol = ipv4Protocol(skb.memory.view, skb.network);
    counters.routerAlerts.value++;
    const caller = current.id;
    for (let i = 0; i < items.length && input !== null; i++) {
      const item = items[i]!;
      if (item.family !== ADDRESS_FAMILY.INET || (item.protocol >= 0 && item.protocol !== protocol)) continue;
      current.id = owners[i]!;
      const taken = item.take(skb, input);
      current.id = caller;
      if (taken) return true;
    }
    return false;
  }

  /** Of a header that this host has written, at `at`. */
  departs(view: DataView, at: number, source: number): void {
    const { book, clock } = this.#parts;
    if (checkOptions(view, at, at + ipv4HeaderBytes(view, at), this.#found) !== OPTIONS_GOOD) return;
    stampOptions(view, at, this.#found, source, clock.nowMs, book);
  }

  /** As long as the next hop is this host itself, the one behind it. */
  #nextHop(skb: Skb, to: Dst, flow: Flow): Dst | null {
    const { book, route, current } = this.#parts;
    const { view } = skb.memory;
    const at = skb.network + this.#found.sourceRoute;
    const isStrict = view.getUint8(at) === IPV4_OPTION.STRICT_SOURCE_ROUTE;
    let dst = to;
    for (let i = 0; i < MAX_HOPS && dst.type === ROUTE_TYPE.LOCAL && view.getUint8(at + 2) <= view.getUint8(at + 1); i++) {
      const next = view.getInt32(at + view.getUint8(at + 2) - 1);
      flow.dst2 = next === 0 ? 0 : IPV4_WORD2;
      flow.dst3 = next;
      const caller = current.id;
      current.id = route.owner;
      dst = route.current.lookupInput(flow);
      current.id = caller;
      const isWay = dst.error === 0 && (dst.type === ROUTE_TYPE.UNICAST || dst.type === ROUTE_TYPE.LOCAL);
      if (!isWay || (isStrict && dst.gatewayFamily !== 0)) return this.#fail(skb);
      recordRoute(view, at, dst.type === ROUTE_TYPE.LOCAL && book.isLocal(next, 0) ? next : this.#sourceTo(dst, next));
      setIpv4Dst(view, skb.network, next);
    }
    finishIpv4(view, skb.network);
    return dst;
  }

  #stamp(skb: Skb, address: number): boolean {
    const { drops, clock, book } = this.#parts;
    if (this.#find(skb) !== OPTIONS_GOOD) return this.#lose(skb) !== null;
    if (this.#found.recordRoute === 0 && this.#found.timestamp === 0) return true;
    if (!skb.memory.pool.makeRoom(skb, 0, 0)) {
      drop(skb, drops['ipv4.no-memory']);
      return false;
    }
    // A header with its checksum sums up to nothing before and behind: a sum of the whole packet stays right.
    const { view } = skb.memory;
    if (stampOptions(view, skb.network, this.#found, address, clock.nowMs, book)) finishIpv4(view, skb.network);
    return true;
  }

  #sourceTo(dst: Dst, destination: number): number {
    return this.#parts.book.sourceFor(dst.device, dst.gatewayFamily === ADDRESS_FAMILY.INET ? dst.gateway3 : destination);
  }

  #find({ memory: { view }, network }: Skb): number {
    return checkOptions(view, network, network + ipv4HeaderBytes(view, network), this.#found);
  }

  #fail(skb: Skb): null {
    this.#joints.icmp.refuse(skb, REFUSAL.SOURCE_ROUTE_FAILED, 0);
    drop(skb, this.#parts.drops['ipv4.source-route-failed']);
    return null;
  }

  #lose(skb: Skb): null {
    drop(skb, this.#parts.drops['ipv4.source-route']);
    return null;
  }
}

/** More than the fixed header. */
export function hasOptions(skb: Skb): boolean {
  return ipv4HeaderBytes(skb.memory.view, skb.network) > IPV4_HEADER_BYTES;
}
