import type { AddressWords, NetDevice, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Flow, SOCK_TYPE } from '@softnet/contract';
import type { GroupMemberships, SocketMemberships } from '@softnet/inet';
import { GroupRequests, GroupValue, groupsOf, JOIN_ALL, MCAST_OPTION } from '@softnet/inet';
import { isMulticast } from '../machine/address-kind.ts';
import type { Surroundings } from '../machine/surroundings.ts';
import type { MldSettings } from '../mld/settings.ts';
import type { AnycastMemberships } from './anycast-memberships.ts';
import { IPV6_ANYCAST_OPTION } from './anycast-memberships.ts';

/** Options of SOL_IPV6 about groups, with Linux's numbers (RFC 3493 §5.2, RFC 3678 §5). */
export const IPV6_GROUP_OPTION = Object.freeze({
  MULTICAST_IF: 17,
  JOIN_GROUP: 20,
  LEAVE_GROUP: 21,
  ...IPV6_ANYCAST_OPTION,
  MULTICAST_ALL: 29,
  MCAST_JOIN_GROUP: MCAST_OPTION.JOIN_GROUP,
  MCAST_BLOCK_SOURCE: MCAST_OPTION.BLOCK_SOURCE,
  MCAST_UNBLOCK_SOURCE: MCAST_OPTION.UNBLOCK_SOURCE,
  MCAST_LEAVE_GROUP: MCAST_OPTION.LEAVE_GROUP,
  MCAST_JOIN_SOURCE_GROUP: MCAST_OPTION.JOIN_SOURCE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP: MCAST_OPTION.LEAVE_SOURCE_GROUP,
  MCAST_MSFILTER: MCAST_OPTION.MSFILTER,
} as const);

const OPTION = IPV6_GROUP_OPTION;
const { EINVAL, ENODEV, EPROTO } = ERRNO;
/** `ipv6_mreq`: a group and an interface. */
const MREQ_BYTES = 20;

/** Memberships of sockets as they are set and asked for: finds values, devices and errnos as Linux's `do_ipv6_setsockopt` does. */
export class GroupOptions {
  readonly #around: Surroundings;
  readonly #keeper: GroupMemberships;
  readonly #sockets: SocketMemberships;
  readonly #requests: GroupRequests;
  readonly #anycasts: AnycastMemberships;
  readonly #flow = new Flow();

  /** @param keeper of this generation's memberships. */
  constructor(
    around: Surroundings,
    keeper: GroupMemberships,
    settings: MldSettings,
    own: { readonly sockets: SocketMemberships; readonly anycasts: AnycastMemberships },
  ) {
    const { sockets, anycasts } = own;
    this.#anycasts = anycasts;
    this.#around = around;
    this.#keeper = keeper;
    this.#sockets = sockets;
    this.#requests = new GroupRequests({
      family: ADDRESS_FAMILY.INET6,
      sockets,
      maxSources: () => settings.maxSources.value,
      deviceFor: (group, ifindex) => this.#deviceFor(group, ifindex),
      join: (sock, group, ifindex, joins) => this.#join(sock, group, ifindex, joins),
    });
  }

  /** 0 or -errno; null: it is no option about groups. */
  set(sock: SockCommon, name: number, bytes: Uint8Array): number | null {
    const value = new GroupValue(bytes);
    switch (name) {
      case OPTION.MULTICAST_IF:
        return this.#setInterface(sock, value);
      case OPTION.MULTICAST_ALL:
        return setAll(sock, value);
      case OPTION.JOIN_GROUP:
      case OPTION.LEAVE_GROUP:
        return this.#membership(sock, value, name === OPTION.JOIN_GROUP);
      default:
        return this.#anycasts.set(sock, name, value) ?? this.#requests.set(sock, name, value);
    }
  }

  /** Bytes written, or -errno; null: it is no option about groups. MCAST_MSFILTER reads the group in `bytes` first. */
  get(sock: SockCommon, name: number, bytes: Uint8Array): number | null {
    const value = new GroupValue(bytes);
    const groups = sock.options?.groups ?? null;
    if (name === OPTION.MULTICAST_ALL) return putInt(value, groups === null || groups.all6 ? 1 : 0);
    if (name === OPTION.MULTICAST_IF) return putInt(value, groups?.ifindex6 ?? 0);
    return this.#requests.get(sock, name, value);
  }

  closed(sock: SockCommon): void {
    this.#sockets.closed(sock, this.#keeper);
    this.#anycasts.closed(sock);
  }

  /** An interface; 0: by the route again. */
  #setInterface(sock: SockCommon, value: GroupValue): number {
    if (sock.ops.type === SOCK_TYPE.STREAM || value.length < 4) return -EINVAL;
    const ifindex = value.int(0);
    if (ifindex !== 0) {
      if (this.#around.traffic.current.byIndex(ifindex) === null) return -ENODEV;
      if (sock.ifindex !== 0 && sock.ifindex !== ifindex) return -EINVAL;
    }
    groupsOf(sock).ifindex6 = ifindex;
    if (sock.dst !== null) sock.dst.generation = 0;
    return 0;
  }

  /** `ipv6_mreq`. */
  #membership(sock: SockCommon, value: GroupValue, joins: boolean): number {
    if (value.length < MREQ_BYTES) return -EINVAL;
    return sock.ops.type === SOCK_TYPE.STREAM ? -EPROTO : this.#join(sock, value.address6(0), value.int(16), joins);
  }

  /** Left without an interface is the first that it is in. Linux's `ipv6_sock_mc_join`, `ipv6_sock_mc_drop`. */
  #join(sock: SockCommon, group: AddressWords, ifindex: number, joins: boolean): number {
    if (!isMulticast(group[0])) return -EINVAL;
    if (!joins && ifindex === 0) return this.#sockets.leave(sock, null, group);
    const device = this.#deviceFor(group, ifindex);
    if (device === null) return -ENODEV;
    return joins ? this.#sockets.join(sock, device, group, JOIN_ALL) : this.#sockets.leave(sock, device, group);
  }

  /** By index, or by the route to the group. */
  #deviceFor([word0, word1, word2, word3]: AddressWords, ifindex: number): NetDevice | null {
    const { traffic, route, current } = this.#around;
    if (ifindex !== 0) return traffic.current.byIndex(ifindex);
    const flow = this.#flow;
    flow.family = ADDRESS_FAMILY.INET6;
    flow.dst0 = word0;
    flow.dst1 = word1;
    flow.dst2 = word2;
    flow.dst3 = word3;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(flow);
    current.id = caller;
    flow.src0 = 0;
    flow.src1 = 0;
    flow.src2 = 0;
    flow.src3 = 0;
    return dst.device;
  }
}

function setAll(sock: SockCommon, value: GroupValue): number {
  if (value.length < 4) return -EINVAL;
  groupsOf(sock).all6 = value.int(0) !== 0;
  return 0;
}

function putInt(value: GroupValue, number: number): number {
  if (value.length < 4) return -EINVAL;
  value.putUint(0, number);
  return 4;
}
