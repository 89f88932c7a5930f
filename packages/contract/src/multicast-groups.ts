import type { NetDevice } from './device.ts';
import type { FlowKey } from './flow.ts';
import { IPV4_WORD2 } from './flow.ts';
import type { Objects, Owner } from './held.ts';
import { Held } from './held.ts';
import type { AddressWords } from './route-table.ts';
import type { SockCommon } from './sock-common.ts';
import { definePoint, defineService } from './token.ts';

/** Linux's `MCAST_*`: which sources a member hears. */
export const GROUP_FILTER = Object.freeze({
  /** All but those in the list; an empty list: all. */
  EXCLUDE: 0,
  /** Only those in the list. */
  INCLUDE: 1,
} as const);

/**
 * Somebody's membership in a group on a device (RFC 3376 §3.1, RFC 3810 §4.1). Kind `keep` of its layer: it holds nothing up. A socket's is
 * derived from the socket, and says what it hears of the group. It has ended when it is not held.
 */
export class GroupMembership extends Held {
  readonly family: number;
  readonly device: NetDevice;
  readonly group: AddressWords;
  /** The layer that keeps it, of whichever generation: by it the filter is changed, and the group left. */
  readonly keeper: MulticastGroups;
  /** One of {@link GROUP_FILTER}. */
  filter: number = GROUP_FILTER.EXCLUDE;
  /** Four words each, sorted; replaced whole. */
  sources: readonly AddressWords[] = [];

  constructor(family: number, device: NetDevice, group: AddressWords, keeper: MulticastGroups) {
    super();
    this.family = family;
    this.device = device;
    this.group = group;
    this.keeper = keeper;
  }
}

/** What a socket has said of groups: made at the first option of that sort. Linux's `mc_list`, `mc_index`, `mc_all` and their kin. */
export class SocketGroups {
  /** In the order in which they came; replaced whole. Of both families for a dual-stack socket. */
  joined: readonly GroupMembership[] = [];
  /** By which interface, and from which IPv4 address, what it sends to groups leaves; 0: by its route. */
  ifindex = 0;
  source = 0;
  /** The same for IPv6 groups. */
  ifindex6 = 0;
  /** Does it hear groups that it has not joined itself, but others of this host? `IP_MULTICAST_ALL`, `IPV6_MULTICAST_ALL`. */
  all = true;
  all6 = true;
}

/** Is this destination a group? Four words. */
export function isGroup(word0: number, word1: number, word2: number, word3: number): boolean {
  return (word0 === 0 && word1 === 0 && word2 === IPV4_WORD2 && word3 >>> 28 === 0xe) || word0 >>> 24 === 0xff;
}

/**
 * Does a socket take a packet to this group: by its own membership and filter on that interface, or, where it has none, by `IP_MULTICAST_ALL`? Allocates
 * nothing. Linux's `ip_mc_sf_allow`, `inet6_mc_check`.
 */
export function hearsGroup(sock: SockCommon, key: FlowKey): boolean {
  const groups = sock.options === null ? null : sock.options.groups;
  if (groups === null) return true;
  const { joined } = groups;
  for (let i = 0; i < joined.length; i++) {
    const { device, group, filter, sources, holdNext } = joined[i]!;
    if (holdNext === null) continue;
    if (group[3] !== key.local3 || group[2] !== key.local2 || group[1] !== key.local1 || group[0] !== key.local0) continue;
    if (device.ifindex !== key.ifindex) continue;
    return hasSource(sources, key.remote0, key.remote1, key.remote2, key.remote3) === (filter === GROUP_FILTER.INCLUDE);
  }
  return key.local0 === 0 ? groups.all : groups.all6;
}

/** Is this source in a list? Lists are short, and nothing is allocated. */
export function hasSource(list: readonly AddressWords[], word0: number, word1: number, word2: number, word3: number): boolean {
  for (let i = 0; i < list.length; i++) {
    const source = list[i]!;
    if (source[3] === word3 && source[2] === word2 && source[1] === word1 && source[0] === word0) return true;
  }
  return false;
}

/**
 * Membership of this host in multicast groups: IGMP and MLD, each of its layer. Sockets come to it by their options (`IP_ADD_MEMBERSHIP`),
 * others (routing protocols, tests) directly. A **door**; members go on, and may change their filters, by {@link GroupMembership.keeper}.
 */
export interface MulticastGroups {
  readonly family: number;
  /** Any number of members may be in one group; the first joins on the link, the last leaves. @throws NetError EINVAL, ENODEV, ESHUTDOWN. */
  join(device: NetDevice, group: AddressWords, owner: Owner): GroupMembership;
  /** @param filter one of {@link GROUP_FILTER}. @throws NetError EINVAL, ENOBUFS for more sources than `igmp_max_msf` and its kin. */
  setFilter(membership: GroupMembership, filter: number, sources: readonly AddressWords[]): void;
  /** Does nothing for one that has ended. */
  leave(membership: GroupMembership): void;
}
export const MulticastGroups = definePoint<MulticastGroups>({ name: 'multicast-groups', version: '1.0.0' });

/** A group as `ip maddr` shows it. */
export interface JoinedGroup {
  readonly device: NetDevice;
  readonly group: AddressWords;
  readonly users: number;
}

/**
 * What a generation's members want to hear: a **corridor**. Layers ask all of their family for each packet to a group, as the members of a
 * generation that leaves stay with it.
 */
export interface JoinedGroups {
  readonly family: number;
  /** Is somebody in the group there? */
  has(ifindex: number, group0: number, group1: number, group2: number, group3: number): boolean;
  /** Does somebody want what comes from this source to this group by this device? Four words each. Allocates nothing. */
  takes(
    ifindex: number,
    group0: number,
    group1: number,
    group2: number,
    group3: number,
    source0: number,
    source1: number,
    source2: number,
    source3: number,
  ): boolean;
  /** For lists. */
  list(): readonly JoinedGroup[];
  /** Its members: the next generation takes those of sockets over, where this one drains. */
  readonly members: Objects<GroupMembership>;
  /** It lives on with another generation: ends here without a word to anybody. */
  letGo(membership: GroupMembership): void;
}
export const JoinedGroups = definePoint<JoinedGroups>({ name: 'joined-groups', version: '1.0.0' });

/**
 * Which link addresses a device listens to, beside its own and broadcast: counted, so that several may want one. Of netdev, which tells the
 * driver (`DeviceOps.setReceiveMode`). A **corridor**. Linux's `dev_mc_add`, `dev_set_promiscuity`.
 */
export interface LinkGroups {
  add(device: NetDevice, linkAddress: Uint8Array): void;
  /** Does nothing for one that nobody added. */
  remove(device: NetDevice, linkAddress: Uint8Array): void;
  /** One more, or one fewer, who wants all groups (ALLMULTI), or all frames (PROMISC). */
  wantAllGroups(device: NetDevice, wanted: boolean): void;
  wantAllFrames(device: NetDevice, wanted: boolean): void;
  /** For `ip maddr`: `NetDevice.groups` has them with how many want each. */
  of(device: NetDevice): readonly Uint8Array[];
}
export const LinkGroups = defineService<LinkGroups>({
  name: 'link-groups',
  version: '1.0.0',
  methods: ['add', 'remove', 'wantAllGroups', 'wantAllFrames', 'of'],
  absent: () => ({ add: () => {}, remove: () => {}, wantAllGroups: () => {}, wantAllFrames: () => {}, of: () => [] }),
});
