import type { NetDevice } from './device.ts';
import type { Owner } from './held.ts';
import { Held } from './held.ts';
import type { AddressWords } from './route-table.ts';
import { definePoint, defineService } from './token.ts';

/** Linux's `MCAST_*`: which sources a member hears. */
export const GROUP_FILTER = Object.freeze({
  /** All but those in the list; an empty list: all. */
  EXCLUDE: 0,
  /** Only those in the list. */
  INCLUDE: 1,
} as const);

/** Somebody's membership in a group on a device (RFC 3376 §3.1, RFC 3810 §4.1). Kind `keep` of its layer: it holds nothing up. */
export class GroupMembership extends Held {
  readonly family: number;
  readonly device: NetDevice;
  readonly group: AddressWords;
  /** One of {@link GROUP_FILTER}. */
  filter: number = GROUP_FILTER.EXCLUDE;
  /** Four words each, sorted; replaced whole. */
  sources: readonly AddressWords[] = [];
  /** The layer's own. */
  ext: object | null = null;

  constructor(family: number, device: NetDevice, group: AddressWords) {
    super();
    this.family = family;
    this.device = device;
    this.group = group;
  }
}

/**
 * Membership of this host in multicast groups: IGMP and MLD, each of its layer. Sockets come to it by their options (`IP_ADD_MEMBERSHIP`),
 * others (routing protocols, tests) directly. A **door**; members go on, and may change their filters, by the membership's own layer.
 */
export interface MulticastGroups {
  readonly family: number;
  /** Any number of members may be in one group; the first joins on the link, the last leaves. @throws NetError EINVAL, ENODEV, ENOBUFS. */
  join(device: NetDevice, group: AddressWords, owner: Owner): GroupMembership;
  /** @param filter one of {@link GROUP_FILTER}. @throws NetError EINVAL, ENOBUFS for more sources than `igmp_max_msf` and its kin. */
  setFilter(membership: GroupMembership, filter: number, sources: readonly AddressWords[]): void;
  /** Does nothing for one that has ended. */
  leave(membership: GroupMembership): void;
}
export const MulticastGroups = definePoint<MulticastGroups>({ name: 'multicast-groups', version: '1.0.0' });

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
  /** For `ip maddr`. */
  of(device: NetDevice): readonly Uint8Array[];
}
export const LinkGroups = defineService<LinkGroups>({
  name: 'link-groups',
  version: '1.0.0',
  methods: ['add', 'remove', 'wantAllGroups', 'wantAllFrames', 'of'],
  absent: () => ({ add: () => {}, remove: () => {}, wantAllGroups: () => {}, wantAllFrames: () => {}, of: () => [] }),
});
