import type { AddressWords, GroupMembership, NetDevice, SockCommon } from '@softnet/contract';
import { ERRNO, Flow, GROUP_FILTER, SOCK_TYPE } from '@softnet/contract';
import type { SocketMemberships, SourceFilter } from '@softnet/inet';
import { groupsOf } from '@softnet/inet';
import { ipv4Words } from '@softnet/wire';
import type { IgmpSettings } from '../igmp/settings.ts';
import { wordOf } from '../machine/address-book.ts';
import { aim } from '../machine/flow.ts';
import { isMulticast } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { GROUP_VALUE, GroupValue, STORAGE_AT, STORAGE_BYTES } from './group-values.ts';

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
  MCAST_JOIN_GROUP: 42,
  MCAST_BLOCK_SOURCE: 43,
  MCAST_UNBLOCK_SOURCE: 44,
  MCAST_LEAVE_GROUP: 45,
  MCAST_JOIN_SOURCE_GROUP: 46,
  MCAST_LEAVE_SOURCE_GROUP: 47,
  MCAST_MSFILTER: 48,
  MULTICAST_ALL: 49,
} as const);

const OPTION = IP_GROUP_OPTION;
const { EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV, EPROTO } = ERRNO;
const { INCLUDE, EXCLUDE } = GROUP_FILTER;
const JOIN_ALL: SourceFilter = Object.freeze({ filter: EXCLUDE, sources: Object.freeze([] as const) });

/** Memberships of sockets as they are set and asked for: finds values, devices and errnos as Linux's `do_ip_setsockopt` does. */
export class GroupOptions {
  readonly #parts: Ipv4Parts;
  readonly #sockets: SocketMemberships;
  readonly #keeper: object;
  readonly #settings: IgmpSettings;
  readonly #flow = new Flow();

  /** @param keeper of this generation's memberships. */
  constructor(parts: Ipv4Parts, sockets: SocketMemberships, keeper: object, settings: IgmpSettings) {
    this.#parts = parts;
    this.#sockets = sockets;
    this.#keeper = keeper;
    this.#settings = settings;
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
      case OPTION.MCAST_JOIN_GROUP:
      case OPTION.MCAST_LEAVE_GROUP:
        return this.#groupRequest(sock, value, name === OPTION.MCAST_JOIN_GROUP);
      case OPTION.MCAST_BLOCK_SOURCE:
      case OPTION.MCAST_UNBLOCK_SOURCE:
      case OPTION.MCAST_JOIN_SOURCE_GROUP:
      case OPTION.MCAST_LEAVE_SOURCE_GROUP:
        return this.#groupSourceRequest(sock, value, name);
      case OPTION.MCAST_MSFILTER:
        return this.#groupFilter(sock, value);
      default:
        return null;
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
    return name === OPTION.MCAST_MSFILTER ? this.#tellGroupFilter(sock, value) : null;
  }

  closed(sock: SockCommon): void {
    this.#sockets.closed(sock, this.#keeper);
  }

  /** `ip_mreqn`, `ip_mreq` or `in_addr`; nothing of it set: by the route again. */
  #setInterface(sock: SockCommon, value: GroupValue): number {
    if (sock.ops.type === SOCK_TYPE.STREAM || value.length < 4) return -EINVAL;
    const { traffic } = this.#parts;
    const source = value.address(value.length >= GROUP_VALUE.MREQ ? 4 : 0);
    const ifindex = value.length >= GROUP_VALUE.MREQN ? value.int(8) : 0;
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
    if (value.length < GROUP_VALUE.MREQ) return -EINVAL;
    const ifindex = value.length >= GROUP_VALUE.MREQN ? value.int(8) : 0;
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
    if (value.length !== GROUP_VALUE.MREQ_SOURCE) return -EINVAL;
    return this.#changeSource(sock, name, ipv4Words(value.address(0)), ipv4Words(value.address(8)), value.address(4), 0);
  }

  #changeSource(sock: SockCommon, name: number, group: AddressWords, source: AddressWords, address: number, ifindex: number): number {
    if (!isMulticast(group[3])) return -EINVAL;
    const device = this.#deviceFor(group[3], address, ifindex);
    if (device === null) return -ENODEV;
    const sockets = this.#sockets;
    switch (name) {
      case OPTION.ADD_SOURCE_MEMBERSHIP:
      case OPTION.MCAST_JOIN_SOURCE_GROUP:
        return sockets.joinSource(sock, device, group, source);
      case OPTION.DROP_SOURCE_MEMBERSHIP:
      case OPTION.MCAST_LEAVE_SOURCE_GROUP:
        return sockets.dropSource(sock, device, group, source, INCLUDE);
      case OPTION.BLOCK_SOURCE:
      case OPTION.MCAST_BLOCK_SOURCE:
        return sockets.addSource(sock, device, group, source, EXCLUDE);
      default:
        return sockets.dropSource(sock, device, group, source, EXCLUDE);
    }
  }

  /** `ip_msfilter`. */
  #filter(sock: SockCommon, value: GroupValue): number {
    if (value.length < GROUP_VALUE.MSFILTER) return -EINVAL;
    const count = value.uint(12);
    if (count > this.#settings.maxSources.value) return -ENOBUFS;
    if (value.length < GROUP_VALUE.MSFILTER + 4 * count) return -EINVAL;
    const sources = Array.from({ length: count }, (_, i) => ipv4Words(value.address(GROUP_VALUE.MSFILTER + 4 * i)));
    return this.#setFilter(
      sock,
      ipv4Words(value.address(0)),
      this.#deviceFor(value.address(0), value.address(4), 0),
      value.uint(8),
      sources,
    );
  }

  #setFilter(sock: SockCommon, group: AddressWords, device: NetDevice | null, filter: number, sources: readonly AddressWords[]): number {
    if (!isMulticast(group[3]) || (filter !== INCLUDE && filter !== EXCLUDE)) return -EINVAL;
    return device === null ? -ENODEV : this.#sockets.setFilter(sock, device, group, filter, sources);
  }

  /** `group_req`. */
  #groupRequest(sock: SockCommon, value: GroupValue, joins: boolean): number {
    if (value.length < GROUP_VALUE.GROUP_REQ) return -EINVAL;
    const group = value.sockaddr(STORAGE_AT);
    return group === null ? -EINVAL : this.#join(sock, group[3], 0, value.int(0), joins);
  }

  /** `group_source_req`. */
  #groupSourceRequest(sock: SockCommon, value: GroupValue, name: number): number {
    if (value.length !== GROUP_VALUE.GROUP_SOURCE_REQ) return -EINVAL;
    const group = value.sockaddr(STORAGE_AT);
    const source = value.sockaddr(STORAGE_AT + STORAGE_BYTES);
    if (group === null || source === null) return -EADDRNOTAVAIL;
    return this.#changeSource(sock, name, group, source, 0, value.int(0));
  }

  /** `group_filter`. */
  #groupFilter(sock: SockCommon, value: GroupValue): number {
    if (value.length < GROUP_VALUE.GROUP_FILTER) return -EINVAL;
    const count = value.uint(140);
    if (count > this.#settings.maxSources.value) return -ENOBUFS;
    if (value.length < GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * count) return -EINVAL;
    const group = value.sockaddr(STORAGE_AT);
    if (group === null) return -EINVAL;
    const sources: AddressWords[] = [];
    for (let i = 0; i < count; i++) {
      const source = value.sockaddr(GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * i);
      if (source === null) return -EADDRNOTAVAIL;
      sources.push(source);
    }
    return this.#setFilter(sock, group, this.#deviceFor(group[3], 0, value.int(0)), value.uint(136), sources);
  }

  #tellFilter(sock: SockCommon, value: GroupValue): number {
    if (value.length < GROUP_VALUE.MSFILTER) return -EINVAL;
    const found = this.#found(sock, ipv4Words(value.address(0)), value.address(4), 0);
    if (typeof found === 'number') return found;
    const { filter, sources } = found;
    const count = Math.min(sources.length, value.uint(12), (value.length - GROUP_VALUE.MSFILTER) >>> 2);
    value.putUint(8, filter);
    value.putUint(12, sources.length);
    for (let i = 0; i < count; i++) value.putAddress(GROUP_VALUE.MSFILTER + 4 * i, sources[i]![3]);
    return GROUP_VALUE.MSFILTER + 4 * count;
  }

  #tellGroupFilter(sock: SockCommon, value: GroupValue): number {
    if (value.length < GROUP_VALUE.GROUP_FILTER) return -EINVAL;
    const group = value.sockaddr(STORAGE_AT);
    const found = group === null ? -EADDRNOTAVAIL : this.#found(sock, group, 0, value.int(0));
    if (typeof found === 'number') return found;
    const { filter, sources } = found;
    const room = Math.floor((value.length - GROUP_VALUE.GROUP_FILTER) / STORAGE_BYTES);
    const count = Math.min(sources.length, value.uint(140), room);
    value.putUint(136, filter);
    value.putUint(140, sources.length);
    for (let i = 0; i < count; i++) value.putSockaddr(GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * i, sources[i]![3]);
    return GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * count;
  }

  #found(sock: SockCommon, group: AddressWords, address: number, ifindex: number): GroupMembership | number {
    if (!isMulticast(group[3])) return -EINVAL;
    const device = this.#deviceFor(group[3], address, ifindex);
    return device === null ? -ENODEV : (this.#sockets.find(sock, device, group) ?? -EADDRNOTAVAIL);
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
