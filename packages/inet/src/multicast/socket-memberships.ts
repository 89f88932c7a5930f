import type { AddressWords, GroupMembership, NetDevice, SockCommon } from '@softnet/contract';
import { ERRNO, GROUP_FILTER, hasSource } from '@softnet/contract';
import { errnoOf } from '../datagram/datagram-host.ts';
import type { SourceFilter } from './group-filter.ts';
import { groupsOf } from './socket-groups.ts';
import { compareSources, sourceList } from './source-list.ts';

const { INCLUDE } = GROUP_FILTER;
const { EADDRINUSE, EADDRNOTAVAIL, EINVAL, ENOBUFS } = ERRNO;

/** What a layer does for the memberships of sockets. */
export interface MembershipHost {
  /** Derived from the socket. @throws NetError. */
  joinFor(sock: SockCommon, device: NetDevice, group: AddressWords, filter: SourceFilter): GroupMembership;
  /** `igmp_max_memberships`; how many groups a socket may be in. */
  maxMemberships(): number;
  /** `igmp_max_msf` and its kin. */
  maxSources(): number;
}

/**
 * Memberships that sockets take, change and give up by their options (RFC 3678), in all families: each answers 0 or -errno, as Linux does. The option's own
 * layer reads its value, and finds the device.
 */
export class SocketMemberships {
  readonly #host: MembershipHost;

  constructor(host: MembershipHost) {
    this.#host = host;
  }

  /** Its own membership of the group on the device, or on any; null: none. */
  find(sock: SockCommon, device: NetDevice | null, group: AddressWords): GroupMembership | null {
    const joined = sock.options?.groups?.joined ?? [];
    return (
      joined.find(
        (each) => each.holdNext !== null && (device === null || each.device === device) && compareSources(each.group, group) === 0,
      ) ?? null
    );
  }

  /** -EADDRINUSE: it is in there; -ENOBUFS: in too many. */
  join(sock: SockCommon, device: NetDevice, group: AddressWords, filter: SourceFilter): number {
    if (this.find(sock, device, group) !== null) return -EADDRINUSE;
    const groups = groupsOf(sock);
    // Those whose layer has gone meanwhile count no more.
    groups.joined = groups.joined.filter(({ holdNext }) => holdNext !== null);
    if (groups.joined.length >= this.#host.maxMemberships()) return -ENOBUFS;
    try {
      groups.joined = [...groups.joined, this.#host.joinFor(sock, device, group, filter)];
      return 0;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** -EADDRNOTAVAIL: it is not in there. */
  leave(sock: SockCommon, device: NetDevice | null, group: AddressWords): number {
    const membership = this.find(sock, device, group);
    if (membership === null) return -EADDRNOTAVAIL;
    membership.keeper.leave(membership);
    return 0;
  }

  /** `IP_ADD_SOURCE_MEMBERSHIP`: joins for that source, where it has not joined. */
  joinSource(sock: SockCommon, device: NetDevice, group: AddressWords, source: AddressWords): number {
    if (this.find(sock, device, group) !== null) return this.addSource(sock, device, group, source, INCLUDE);
    if (this.#host.maxSources() < 1) return -ENOBUFS;
    return this.join(sock, device, group, { filter: INCLUDE, sources: [source] });
  }

  /**
   * One more source in the list of a filter of this mode. -EINVAL: it has not joined, or its filter has another mode and sources in it;
   * -EADDRNOTAVAIL: it is there; -ENOBUFS.
   */
  addSource(sock: SockCommon, device: NetDevice, group: AddressWords, source: AddressWords, mode: number): number {
    const membership = this.#ofMode(sock, device, group, mode);
    if (membership === null) return -EINVAL;
    const { sources } = membership;
    if (hasSource(sources, ...source)) return -EADDRNOTAVAIL;
    if (sources.length >= this.#host.maxSources()) return -ENOBUFS;
    return setFilter(membership, mode, [...sources, source]);
  }

  /** And one fewer: -EADDRNOTAVAIL: it is not there. Whoever includes nobody any more has left. */
  dropSource(sock: SockCommon, device: NetDevice, group: AddressWords, source: AddressWords, mode: number): number {
    const membership = this.#ofMode(sock, device, group, mode);
    if (membership === null) return -EINVAL;
    const { sources } = membership;
    if (!hasSource(sources, ...source)) return -EADDRNOTAVAIL;
    if (mode === INCLUDE && sources.length === 1) return this.leave(sock, device, group);
    return setFilter(
      membership,
      mode,
      sources.filter((each) => compareSources(each, source) !== 0),
    );
  }

  /** The whole filter. -EINVAL: no such mode, or it has not joined; -ENOBUFS. INCLUDE of nobody leaves. */
  setFilter(sock: SockCommon, device: NetDevice, group: AddressWords, filter: number, sources: readonly AddressWords[]): number {
    if (filter !== INCLUDE && filter !== GROUP_FILTER.EXCLUDE) return -EINVAL;
    if (filter === INCLUDE && sources.length === 0) return this.leave(sock, device, group);
    const membership = this.find(sock, device, group);
    if (membership === null) return -EINVAL;
    return sources.length > this.#host.maxSources() ? -ENOBUFS : setFilter(membership, filter, sourceList(sources));
  }

  /** The socket is closed, or its layer goes: those that this generation keeps end. */
  closed(sock: SockCommon, keeper: object): void {
    for (const membership of sock.options?.groups?.joined ?? []) if (membership.keeper === keeper) membership.keeper.leave(membership);
  }

  /** An empty filter has whatever mode is wanted, as in Linux. */
  #ofMode(sock: SockCommon, device: NetDevice, group: AddressWords, mode: number): GroupMembership | null {
    const membership = this.find(sock, device, group);
    return membership === null || (membership.filter !== mode && membership.sources.length > 0) ? null : membership;
  }
}

function setFilter(membership: GroupMembership, filter: number, sources: readonly AddressWords[]): number {
  try {
    membership.keeper.setFilter(membership, filter, sources);
    return 0;
  } catch (error) {
    return errnoOf(error);
  }
}
