import type { NetDevice, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, Flow, SOCK_TYPE } from '@softnet/contract';
import type { SocketMemberships } from '@softnet/inet';
import { GroupRequests, GroupValue, groupsOf, JOIN_ALL, MCAST_OPTION } from '@softnet/inet';
import { ipv4Words } from '@softnet/wire';
import type { IgmpSettings } from '../igmp/settings.ts';
import { wordOf } from '../machine/address-book.ts';
import { aim } from '../machine/flow.ts';
import { isMulticast } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';

/** Options of SOL_IP about groups, with Linux's numbers (RFC 3678). */
export const IP_GROUP_OPTION = Object.freeze({
  MULTICAST_IF: 32,
  ADD_MEMBERSHIP: 35,
  DROP_MEMBERSHIP: 36,
  UNBLOCK_SOURCE: 37,
  BLOCK_SOURCE: 38,
  ADD_SOURCE_MEMBERSHIP: 39,
  DROP_SOURCE_MEMBERSHIP: 40,
  MSFILTER: 41,
  MCAST_JOIN_GROUP: MCAST_OPTION.JOIN_GROUP,
  MCAST_BLOCK_SOURCE: MCAST_OPTION.BLOCK_SOURCE,
  MCAST_UNBLOCK_SOURCE: MCAST_OPTION.UNBLOCK_SOURCE,
  MCAST_LEAVE_GROUP: MCAST_OPTION.LEAVE_GROUP,
  MCAST_JOIN_SOURCE_GROUP: MCAST_OPTION.JOIN_SOURCE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP: MCAST_OPTION.LEAVE_SOURCE_GROUP,
  MCAST_MSFILTER: MCAST_OPTION.MSFILTER,
  MULTICAST_ALL: 49,
} as const);

/** IPv4's own options about a source do as these do. */
const SAME_AS: Readonly<Record<number, number>> = Object.freeze({
  [IP_GROUP_OPTION.UNBLOCK_SOURCE]: MCAST_OPTION.UNBLOCK_SOURCE,
  [IP_GROUP_OPTION.BLOCK_SOURCE]: MCAST_OPTION.BLOCK_SOURCE,
  [IP_GROUP_OPTION.ADD_SOURCE_MEMBERSHIP]: MCAST_OPTION.JOIN_SOURCE_GROUP,
  [IP_GROUP_OPTION.DROP_SOURCE_MEMBERSHIP]: MCAST_OPTION.LEAVE_SOURCE_GROUP,
});

/** `ip_mreq`, `ip_mreqn`, `ip_mreq_source`, `ip_msfilter` without sources. */
const IP_GROUP_VALUE = Object.freeze({ MREQ: 8, MREQN: 12, MREQ_SOURCE: 12, MSFILTER: 16 } as const);

const OPTION = IP_GROUP_OPTION;
const { EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV, EPROTO } = ERRNO;

/** Memberships of sockets as they are set and asked for: finds values, devices and errnos as Linux's `do_ip_setsockopt` does. */
export class GroupOptions {
  readonly #parts: Ipv4Parts;
  readonly #sockets: SocketMemberships;
  readonly #keeper: object;
  readonly #settings: IgmpSettings;
  readonly #requests: GroupRequests;
  readonly #flow = new Flow();

  /** @param keeper of this generation's memberships. */
  constructor(parts: Ipv4Parts, sockets: SocketMemberships, keeper: object, settings: IgmpSettings) {
    this.#parts = parts;
    this.#sockets = sockets;
    this.#keeper = keeper;
    this.#settings = settings;
    this.#requests = new GroupRequests({
      family: ADDRESS_FAMILY.INET,
      sockets,
      maxSources: () => settings.maxSources.value,
      deviceFor: (group, ifindex) => this.#deviceFor(group[3], 0, ifindex),
      join: (sock, group, ifindex, joins) => this.#join(sock, group[3], 0, ifindex, joins),
    });
  }

  /** 0 or -errno; null: it is no option about groups. */
  set(sock: SockCommon, name: number, bytes: Uint8Array): number | null {
    const value = new GroupValue(bytes);
    switch (name) {
      case OPTION.MULTICAST_IF:
        return this.#setInterface(sock, value);
      case OPTION.MULTICAST_ALL:
        return setAll(sock, bytes);
      case OPTION.ADD_MEMBERSHIP:
      case OPTION.DROP_MEMBERSHIP:
        return this.#membership(sock, value, name === OPTION.ADD_MEMBERSHIP);
      case OPTION.UNBLOCK_SOURCE:
      case OPTION.BLOCK_SOURCE:
      case OPTION.ADD_SOURCE_MEMBERSHIP:
      case OPTION.DROP_SOURCE_MEMBERSHIP:
        return this.#source(sock, value, name);
      case OPTION.MSFILTER:
        return this.#filter(sock, value);
      default:
        return this.#requests.set(sock, name, value);
    }
  }

  /** Bytes written, or -errno; null: it is no option about groups. MSFILTER and its kin read the group in `bytes` first. */
  get(sock: SockCommon, name: number, bytes: Uint8Array): number | null {
    const value = new GroupValue(bytes);
    const groups = sock.options?.groups ?? null;
    if (name === OPTION.MULTICAST_ALL) return putInt(bytes, groups === null || groups.all ? 1 : 0);
    if (name === OPTION.MULTICAST_IF) {
      if (bytes.length < 4) return -EINVAL;
      value.putAddress(0, groups?.source ?? 0);
      return 4;
    }
    if (name === OPTION.MSFILTER) return this.#tellFilter(sock, value);
    return this.#requests.get(sock, name, value);
  }

  closed(sock: SockCommon): void {
    this.#sockets.closed(sock, this.#keeper);
  }

  /** `ip_mreqn`, `ip_mreq` or `in_addr`; nothing of it set: by the route again. */
  #setInterface(sock: SockCommon, value: GroupValue): number {
    if (sock.ops.type === SOCK_TYPE.STREAM || value.length < 4) return -EINVAL;
    const { traffic } = this.#parts;
    const source = value.address(value.length >= IP_GROUP_VALUE.MREQ ? 4 : 0);
    const ifindex = value.length >= IP_GROUP_VALUE.MREQN ? value.int(8) : 0;
    const groups = groupsOf(sock);
    if (ifindex === 0 && source === 0) {
      groups.ifindex = 0;
      groups.source = 0;
      return 0;
    }
    const device = ifindex !== 0 ? traffic.current.byIndex(ifindex) : this.#deviceOf(source);
    if (device === null) return -EADDRNOTAVAIL;
    if (sock.ifindex !== 0 && sock.ifindex !== device.ifindex) return -EINVAL;
    groups.ifindex = device.ifindex;
    groups.source = source;
    if (sock.dst !== null) sock.dst.generation = 0;
    return 0;
  }

  #membership(sock: SockCommon, value: GroupValue, joins: boolean): number {
    if (sock.ops.type === SOCK_TYPE.STREAM) return -EPROTO;
    if (value.length < IP_GROUP_VALUE.MREQ) return -EINVAL;
    const ifindex = value.length >= IP_GROUP_VALUE.MREQN ? value.int(8) : 0;
    return this.#join(sock, value.address(0), value.address(4), ifindex, joins);
  }

  #join(sock: SockCommon, group: number, address: number, ifindex: number, joins: boolean): number {
    if (joins && !isMulticast(group)) return -EINVAL;
    const device = this.#deviceFor(group, address, ifindex);
    if (device === null) return -ENODEV;
    const words = ipv4Words(group);
    return joins ? this.#sockets.join(sock, device, words, JOIN_ALL) : this.#sockets.leave(sock, device, words);
  }

  #source(sock: SockCommon, value: GroupValue, name: number): number {
    if (value.length !== IP_GROUP_VALUE.MREQ_SOURCE) return -EINVAL;
    const group = value.address(0);
    if (!isMulticast(group)) return -EINVAL;
    const device = this.#deviceFor(group, value.address(4), 0);
    return this.#requests.changeSource(sock, SAME_AS[name]!, ipv4Words(group), ipv4Words(value.address(8)), device);
  }

  /** `ip_msfilter`. */
  #filter(sock: SockCommon, value: GroupValue): number {
    if (value.length < IP_GROUP_VALUE.MSFILTER) return -EINVAL;
    const count = value.uint(12);
    if (count > this.#settings.maxSources.value) return -ENOBUFS;
    if (value.length < IP_GROUP_VALUE.MSFILTER + 4 * count) return -EINVAL;
    const sources = Array.from({ length: count }, (_, i) => ipv4Words(value.address(IP_GROUP_VALUE.MSFILTER + 4 * i)));
    const group = value.address(0);
    return this.#requests.setFilter(sock, ipv4Words(group), this.#deviceFor(group, value.address(4), 0), value.uint(8), sources);
  }

  #tellFilter(sock: SockCommon, value: GroupValue): number {
    if (value.length < IP_GROUP_VALUE.MSFILTER) return -EINVAL;
    const group = value.address(0);
    if (!isMulticast(group)) return -EINVAL;
    const found = this.#requests.foundOn(sock, ipv4Words(group), this.#deviceFor(group, value.address(4), 0));
    if (typeof found === 'number') return found;
    const { filter, sources } = found;
    const count = Math.min(sources.length, value.uint(12), (value.length - IP_GROUP_VALUE.MSFILTER) >>> 2);
    value.putUint(8, filter);
    value.putUint(12, sources.length);
    for (let i = 0; i < count; i++) value.putAddress(IP_GROUP_VALUE.MSFILTER + 4 * i, sources[i]![3]);
    return IP_GROUP_VALUE.MSFILTER + 4 * count;
  }

  /** By index, by an address that it has, or by the route to the group. Linux's `ip_mc_find_dev`. */
  #deviceFor(group: number, address: number, ifindex: number): NetDevice | null {
    const { traffic, route, current } = this.#parts;
    if (ifindex !== 0) return traffic.current.byIndex(ifindex);
    const own = address === 0 ? null : this.#deviceOf(address);
    if (own !== null || address !== 0) return own;
    aim(this.#flow, 0, 0, group, 0, 0);
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(this.#flow);
    current.id = caller;
    return dst.device;
  }

  #deviceOf(address: number): NetDevice | null {
    return this.#parts.book.entries.find((entry) => wordOf(entry) === address)?.device ?? null;
  }
}

function setAll(sock: SockCommon, bytes: Uint8Array): number {
  if (bytes.length < 1) return -EINVAL;
  const value = bytes.length >= 4 ? new GroupValue(bytes).int(0) : bytes[0]!;
  if (value !== 0 && value !== 1) return -EINVAL;
  groupsOf(sock).all = value === 1;
  return 0;
}

function putInt(bytes: Uint8Array, word: number): number {
  if (bytes.length === 0) return -EINVAL;
  bytes.fill(0, 0, Math.min(4, bytes.length));
  bytes[0] = word;
  return Math.min(4, bytes.length) < 4 ? 1 : 4;
}
