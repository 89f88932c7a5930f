import type { DropReason, ModuleContext, Skb, SkbStep } from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_FLAG, IP_PROTOCOL, JoinedGroups, ROUTE_TYPE, SKB_TYPE } from '@softnet/contract';
import { JoinedEverywhere, SelfCopies } from '@softnet/inet';
import {
  extensionHeaderBytes,
  extensionNextHeader,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  ipv6Dst,
  ipv6NextHeader,
  ipv6Src,
} from '@softnet/wire';
import { sockOptions } from '../machine/sock-options.ts';
import type { MldDrops } from './drops.ts';
import { defineMldDrops } from './drops.ts';
import { isMldType } from './wire.ts';

/** Packets to groups: which of them come in, and which of this host's own come back to it (RFC 3810 §4.2, RFC 3493 §5.2). */
export class GroupTraffic {
  readonly drops: MldDrops;
  readonly #notAMember: DropReason;
  /** Of every generation. */
  readonly #joined: JoinedEverywhere;
  readonly #copies: SelfCopies;

  /** Declares what it has. @param takeCopy a packet of this host's own that comes back to it, `data` = `network`. */
  constructor(ctx: ModuleContext, notAMember: DropReason, takeCopy: SkbStep) {
    this.drops = defineMldDrops((name, text) => ctx.dropReason(name, text));
    this.#notAMember = notAMember;
    this.#joined = new JoinedEverywhere(ADDRESS_FAMILY.INET6, ctx.contributions(JoinedGroups));
    this.#copies = new SelfCopies(ctx, 'ipv6.self-copies', this.drops['ipv6.self-copies'], takeCopy);
  }

  /** False: it is not for this host, and was taken. Linux's `ip6_mc_input`. @param isRouted multicast routers have seen it. */
  admits(skb: Skb, isRouted: boolean): boolean {
    if (this.#isWanted(skb, skb.ifindex)) return true;
    const { network, ifindex } = skb;
    const { view } = skb.memory;
    const isJoined = this.#joined.has(
      ifindex,
      ipv6Dst(view, network, 0),
      ipv6Dst(view, network, 1),
      ipv6Dst(view, network, 2),
      ipv6Dst(view, network, 3),
    );
    // What is said of a group is for all who are in it.
    if (isJoined && isMld(skb)) return true;
    if (isRouted) skb.memory.pool.release(skb);
    else skb.memory.pool.drop(skb, isJoined ? this.drops['ipv6.unwanted-source'] : this.#notAMember);
    return false;
  }

  /**
   * A packet to a group leaves: members on this host have a copy, unless its sender wants none (IPV6_MULTICAST_LOOP). What the layer says itself,
   * Neighbor Discovery and MLD, goes by the link's own dst and is for others. Does not take the skb.
   */
  loop(skb: Skb): void {
    const { dst, sock, ifindex } = skb;
    // What is passed on for others came in here already.
    if (ifindex !== 0 || dst!.type !== ROUTE_TYPE.MULTICAST) return;
    const { device } = dst!;
    if (device === null || (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return;
    const options = sockOptions(sock);
    if (options !== null && !options.multicastLoop) return;
    if (this.#isWanted(skb, device.ifindex)) this.#copies.keep(skb, device, SKB_TYPE.MULTICAST);
  }

  /** The layer stops. */
  close(): void {
    this.#copies.close();
  }

  #isWanted({ network, memory: { view } }: Skb, ifindex: number): boolean {
    return this.#joined.takes(
      ifindex,
      ipv6Dst(view, network, 0),
      ipv6Dst(view, network, 1),
      ipv6Dst(view, network, 2),
      ipv6Dst(view, network, 3),
      ipv6Src(view, network, 0),
      ipv6Src(view, network, 1),
      ipv6Src(view, network, 2),
      ipv6Src(view, network, 3),
    );
  }
}

/** Behind a hop-by-hop header, as it always is. */
function isMld({ network, tail, memory: { view } }: Skb): boolean {
  const header = network + IPV6_HEADER_BYTES;
  if (ipv6NextHeader(view, network) !== IPV6_EXTENSION.HOP_BY_HOP || extensionNextHeader(view, header) !== IP_PROTOCOL.ICMPV6) return false;
  const at = header + extensionHeaderBytes(view, IPV6_EXTENSION.HOP_BY_HOP, header, tail);
  return at < tail && isMldType(view.getUint8(at));
}
