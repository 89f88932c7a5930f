import type { Contributions, MulticastRouter, NetDevice, Skb } from '@softnet/contract';
import { DEVICE_FLAG, IP_PROTOCOL, IPV4_WORD2, ROUTE_TYPE, SKB_TYPE } from '@softnet/contract';
import type { JoinedEverywhere } from '@softnet/inet';
import { ipv4Dst, ipv4Protocol, ipv4Src } from '@softnet/wire';
import type { IgmpDrops } from '../igmp/drops.ts';
import type { Joints } from '../joints.ts';
import { optionsOf } from '../machine/sock-options.ts';
import { ALL_HOSTS } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

/** Whom packets to groups concern beside this layer. */
export interface GroupParties {
  readonly joined: JoinedEverywhere;
  readonly routers: Contributions<MulticastRouter>;
}

/** Packets to groups: which of them come in, and which of this host's own come back to it (RFC 1112 §6, §7). */
export class GroupTraffic {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #drops: IgmpDrops;
  readonly #parties: GroupParties;

  constructor(parts: Ipv4Parts, joints: Joints, drops: IgmpDrops, parties: GroupParties) {
    this.#parts = parts;
    this.#joints = joints;
    this.#drops = drops;
    this.#parties = parties;
  }

  /** False: it is not for this host, and was taken. A multicast router has seen it in any case. Linux's `ip_route_input_mc`. */
  admits(skb: Skb, device: NetDevice | null, source: number, group: number): boolean {
    const isRouted = this.#toRouters(skb, device);
    if (group === ALL_HOSTS || this.#isWanted(skb.ifindex, group, source)) return true;
    const isJoined = this.#parties.joined.has(skb.ifindex, 0, 0, IPV4_WORD2, group);
    // What is said of a group is for all who are in it (Linux's `ip_check_mc_rcu`).
    if (isJoined && ipv4Protocol(skb.memory.view, skb.network) === IP_PROTOCOL.IGMP) return true;
    if (isRouted) skb.memory.pool.release(skb);
    else drop(skb, isJoined ? this.#drops['ipv4.unwanted-source'] : this.#parts.drops['ipv4.no-group']);
    return false;
  }

  /**
   * A packet to a group leaves: members on this host have a copy (RFC 1112 §6.1), unless its sender wants none (IP_MULTICAST_LOOP).
   * Does not take the skb.
   */
  loop(skb: Skb): void {
    const { dst, sock, ifindex } = skb;
    const device = dst!.device;
    // What is passed on for others came in here already.
    if (ifindex !== 0 || dst!.type !== ROUTE_TYPE.MULTICAST || device === null || (device.flags & DEVICE_FLAG.LOOPBACK) !== 0) return;
    const options = sock === null ? null : optionsOf(sock);
    if (options !== null && !options.multicastLoop) return;
    const { view } = skb.memory;
    const group = ipv4Dst(view, skb.network);
    if (ipv4Protocol(view, skb.network) === IP_PROTOCOL.IGMP) return;
    if (group !== ALL_HOSTS && !this.#isWanted(device.ifindex, group, ipv4Src(view, skb.network))) return;
    this.#joints.selfCopies.keep(skb, device, SKB_TYPE.MULTICAST);
  }

  #toRouters(skb: Skb, device: NetDevice | null): boolean {
    const { items, owners } = this.#parties.routers;
    const { current } = this.#parts;
    const { family } = this.#joints.layer;
    const caller = current.id;
    let isRouted = false;
    for (let i = 0; i < items.length && device !== null; i++) {
      if (items[i]!.family !== family) continue;
      isRouted = true;
      current.id = owners[i]!;
      items[i]!.forward(skb, device);
    }
    current.id = caller;
    return isRouted;
  }

  #isWanted(ifindex: number, group: number, source: number): boolean {
    return this.#parties.joined.takes(ifindex, 0, 0, IPV4_WORD2, group, 0, 0, IPV4_WORD2, source);
  }
}
