import type { AddressWords, GroupMembership, NetDevice, SockCommon } from '@softnet/contract';
import { ERRNO, GROUP_FILTER, isGroup } from '@softnet/contract';
import type { SourceFilter } from './group-filter.ts';
import type { GroupValue } from './group-value.ts';
import { GROUP_VALUE, STORAGE_AT, STORAGE_BYTES } from './group-value.ts';
import type { SocketMemberships } from './socket-memberships.ts';

/** Options about groups that both families have, with Linux's numbers (RFC 3678 §5). */
export const MCAST_OPTION = Object.freeze({
  JOIN_GROUP: 42,
  BLOCK_SOURCE: 43,
  UNBLOCK_SOURCE: 44,
  LEAVE_GROUP: 45,
  JOIN_SOURCE_GROUP: 46,
  LEAVE_SOURCE_GROUP: 47,
  MSFILTER: 48,
} as const);

const OPTION = MCAST_OPTION;
const { EADDRNOTAVAIL, EINVAL, ENOBUFS, ENODEV } = ERRNO;
const { INCLUDE, EXCLUDE } = GROUP_FILTER;
export const JOIN_ALL: SourceFilter = Object.freeze({ filter: EXCLUDE, sources: Object.freeze([] as const) });

/** What a layer's options are made of. */
export interface GroupRequestHost {
  readonly family: number;
  readonly sockets: SocketMemberships;
  readonly maxSources: () => number;
  /** The interface that was said, or 0: by the route to the group. Null: there is none. */
  deviceFor(group: AddressWords, ifindex: number): NetDevice | null;
  /** `joins` false: leaves; by 0 the first that the socket is in. */
  join(sock: SockCommon, group: AddressWords, ifindex: number, joins: boolean): number;
}

/** `MCAST_*`: memberships of sockets and their sources, by errnos as Linux has them. */
export class GroupRequests {
  readonly #host: GroupRequestHost;

  constructor(host: GroupRequestHost) {
    this.#host = host;
  }

  /** 0 or -errno; null: it is none of these. */
  set(sock: SockCommon, name: number, value: GroupValue): number | null {
    switch (name) {
      case OPTION.JOIN_GROUP:
      case OPTION.LEAVE_GROUP:
        return this.#groupRequest(sock, value, name === OPTION.JOIN_GROUP);
      case OPTION.BLOCK_SOURCE:
      case OPTION.UNBLOCK_SOURCE:
      case OPTION.JOIN_SOURCE_GROUP:
      case OPTION.LEAVE_SOURCE_GROUP:
        return this.#groupSourceRequest(sock, value, name);
      case OPTION.MSFILTER:
        return this.#groupFilter(sock, value);
      default:
        return null;
    }
  }

  /** The filter of the group that stands in the value. Bytes written, or -errno; null: it is none of these. */
  get(sock: SockCommon, name: number, value: GroupValue): number | null {
    if (name !== OPTION.MSFILTER) return null;
    if (value.length < GROUP_VALUE.GROUP_FILTER) return -EINVAL;
    const group = value.sockaddr(STORAGE_AT, this.#host.family);
    const found = group === null ? -EADDRNOTAVAIL : this.found(sock, group, value.int(0));
    if (typeof found === 'number') return found;
    const { filter, sources } = found;
    const room = Math.floor((value.length - GROUP_VALUE.GROUP_FILTER) / STORAGE_BYTES);
    const count = Math.min(sources.length, value.uint(140), room);
    value.putUint(136, filter);
    value.putUint(140, sources.length);
    for (let i = 0; i < count; i++) value.putSockaddr(GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * i, this.#host.family, sources[i]!);
    return GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * count;
  }

  /** One source more or less. */
  changeSource(sock: SockCommon, name: number, group: AddressWords, source: AddressWords, device: NetDevice | null): number {
    if (!isGroup(...group)) return -EINVAL;
    if (device === null) return -ENODEV;
    const { sockets } = this.#host;
    switch (name) {
      case OPTION.JOIN_SOURCE_GROUP:
        return sockets.joinSource(sock, device, group, source);
      case OPTION.LEAVE_SOURCE_GROUP:
        return sockets.dropSource(sock, device, group, source, INCLUDE);
      case OPTION.BLOCK_SOURCE:
        return sockets.addSource(sock, device, group, source, EXCLUDE);
      default:
        return sockets.dropSource(sock, device, group, source, EXCLUDE);
    }
  }

  setFilter(sock: SockCommon, group: AddressWords, device: NetDevice | null, filter: number, sources: readonly AddressWords[]): number {
    if (!isGroup(...group) || (filter !== INCLUDE && filter !== EXCLUDE)) return -EINVAL;
    return device === null ? -ENODEV : this.#host.sockets.setFilter(sock, device, group, filter, sources);
  }

  /** The socket's own membership, or -errno. */
  found(sock: SockCommon, group: AddressWords, ifindex: number): GroupMembership | number {
    if (!isGroup(...group)) return -EINVAL;
    return this.foundOn(sock, group, this.#host.deviceFor(group, ifindex));
  }

  foundOn(sock: SockCommon, group: AddressWords, device: NetDevice | null): GroupMembership | number {
    return device === null ? -ENODEV : (this.#host.sockets.find(sock, device, group) ?? -EADDRNOTAVAIL);
  }

  /** `group_req`. */
  #groupRequest(sock: SockCommon, value: GroupValue, joins: boolean): number {
    if (value.length < GROUP_VALUE.GROUP_REQ) return -EINVAL;
    const group = value.sockaddr(STORAGE_AT, this.#host.family);
    return group === null ? -EINVAL : this.#host.join(sock, group, value.int(0), joins);
  }

  /** `group_source_req`. */
  #groupSourceRequest(sock: SockCommon, value: GroupValue, name: number): number {
    if (value.length !== GROUP_VALUE.GROUP_SOURCE_REQ) return -EINVAL;
    const { family } = this.#host;
    const group = value.sockaddr(STORAGE_AT, family);
    const source = value.sockaddr(STORAGE_AT + STORAGE_BYTES, family);
    if (group === null || source === null) return -EADDRNOTAVAIL;
    return isGroup(...group) ? this.changeSource(sock, name, group, source, this.#host.deviceFor(group, value.int(0))) : -EINVAL;
  }

  /** `group_filter`. */
  #groupFilter(sock: SockCommon, value: GroupValue): number {
    if (value.length < GROUP_VALUE.GROUP_FILTER) return -EINVAL;
    const { family } = this.#host;
    const count = value.uint(140);
    if (count > this.#host.maxSources()) return -ENOBUFS;
    if (value.length < GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * count) return -EINVAL;
    const group = value.sockaddr(STORAGE_AT, family);
    if (group === null) return -EINVAL;
    const sources: AddressWords[] = [];
    for (let i = 0; i < count; i++) {
      const source = value.sockaddr(GROUP_VALUE.GROUP_FILTER + STORAGE_BYTES * i, family);
      if (source === null) return -EADDRNOTAVAIL;
      sources.push(source);
    }
    return this.setFilter(sock, group, this.#host.deviceFor(group, value.int(0)), value.uint(136), sources);
  }
}
