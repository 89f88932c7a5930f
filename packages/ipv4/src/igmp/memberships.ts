import type {
  AddressWords,
  CurrentOwner,
  DeviceListener,
  DeviceTraffic,
  Frozen,
  JoinedGroup,
  JoinedGroups,
  LinkGroups,
  MulticastGroups,
  NetDevice,
  ObjectSpec,
  Objects,
  Owner,
  Port,
  SockCommon,
} from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, DEVICE_FLAG, GROUP_FILTER, GroupMembership, NetError } from '@softnet/contract';
import type { SourceFilter } from '@softnet/inet';
import { forgetMembership, GroupTable, membershipMoved, sourceList, takesSource } from '@softnet/inet';
import { formatIpv4, ipv4Words } from '@softnet/wire';
import { isMulticast } from '../machine/special-address.ts';
import { groupMac } from './group-mac.ts';
import type { IgmpLinks } from './igmp-links.ts';
import { ALL_HOSTS_GROUP } from './igmp-sender.ts';
import type { IgmpSettings } from './settings.ts';

/** What memberships work with. */
export interface MembershipParts {
  readonly links: IgmpLinks;
  readonly settings: IgmpSettings;
  readonly linkGroups: Port<LinkGroups>;
  readonly traffic: Port<DeviceTraffic>;
  readonly current: CurrentOwner;
}

/** A membership as plain data, layout 1. */
interface FrozenMembership {
  readonly ifindex: number;
  readonly group: number;
  readonly filter: number;
  readonly sources: readonly number[];
}

/** Who is in which group on which device; what follows from it for links and devices (RFC 3376 §3, Linux's `ip_mc_inc_group`). */
export class Memberships implements MulticastGroups, JoinedGroups, DeviceListener {
  readonly family: number = ADDRESS_FAMILY.INET;
  readonly #parts: MembershipParts;
  readonly #table = new GroupTable();
  /** Devices that listen to 224.0.0.1 for this generation. */
  readonly #listening = new Set<NetDevice>();
  members!: Objects<GroupMembership>;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  /** How the kernel manages them. */
  get spec(): ObjectSpec<GroupMembership> {
    return {
      drain: 'keep',
      close: (membership) => this.leave(membership),
      // Its socket has ended, by force at that.
      ended: (membership) => this.#exit(membership),
      describe: (membership) => `${formatIpv4(membership.group[3])} on ${membership.device.name}`,
      freeze,
      thaws: [1],
      thaw: ({ data }) => this.#thaw(data as unknown as FrozenMembership),
      settle: (membership) => this.#enter(membership),
      left: (membership) => this.#forget(membership),
    };
  }

  /** The kind, as the context has made it. */
  begin(objects: Objects<GroupMembership>): void {
    this.members = objects;
  }

  join(device: NetDevice, group: AddressWords, owner: Owner): GroupMembership {
    const membership = this.#make(device, group, { filter: GROUP_FILTER.EXCLUDE, sources: [] });
    this.members.hold(membership, owner, 'igmp.join');
    this.#enter(membership);
    return membership;
  }

  /** A socket's own, which ends with it. @throws NetError as {@link join}. */
  joinFor(sock: SockCommon, device: NetDevice, group: AddressWords, filter: SourceFilter): GroupMembership {
    const membership = this.#make(device, group, filter);
    this.members.derive(membership, sock, 'igmp.join-by-option');
    this.#enter(membership);
    return membership;
  }

  setFilter(membership: GroupMembership, filter: number, sources: readonly AddressWords[]): void {
    this.members.check(membership);
    const { maxSources } = this.#parts.settings;
    if (filter !== GROUP_FILTER.INCLUDE && filter !== GROUP_FILTER.EXCLUDE) throw refused('EINVAL', `a filter is 0 or 1, not ${filter}`);
    if (sources.length > maxSources.value) {
      throw refused('ENOBUFS', `${sources.length} sources: net.ipv4.igmp_max_msf allows ${maxSources.value}`);
    }
    const { device, group } = membership;
    const state = this.#table.have(device, group);
    const before = state.filter.merged;
    const now = { filter, sources: sourceList(sources) };
    state.filter.replace(membership, now);
    membership.filter = now.filter;
    membership.sources = now.sources;
    if (state.filter.merged !== before) this.#parts.links.changed(device, group, state.filter.merged);
  }

  leave(membership: GroupMembership): void {
    if (membership.holdNext === null || membership.keeper !== this) return;
    this.#release(membership);
    this.#exit(membership);
  }

  has(ifindex: number, group0: number, group1: number, group2: number, group3: number): boolean {
    return this.#table.find(ifindex, group0, group1, group2, group3) !== null;
  }

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
  ): boolean {
    const state = this.#table.find(ifindex, group0, group1, group2, group3);
    return state !== null && takesSource(state, source0, source1, source2, source3);
  }

  list(): readonly JoinedGroup[] {
    const always = [...this.#listening].map((device) => ({ device, group: ALL_HOSTS_GROUP, users: 1 }));
    return [...always, ...this.#table.list().map(({ device, group, filter }) => ({ device, group, users: filter.users }))];
  }

  deviceChanged(device: NetDevice, event: number): void {
    const { links } = this.#parts;
    if (event === DEVICE_EVENT.UNREGISTER) this.#deviceGone(device);
    else if (event === DEVICE_EVENT.UP) {
      if ((device.flags & DEVICE_FLAG.MULTICAST) !== 0) this.#listenAlways(device);
      links.up(device);
    } else if (event === DEVICE_EVENT.DOWN) links.down(device);
  }

  /** The layer goes: devices need not listen for it any more. */
  close(): void {
    for (const device of this.#listening) this.#listen(device, ALL_HOSTS_GROUP, false);
    this.#listening.clear();
  }

  letGo(membership: GroupMembership): void {
    this.members.release(membership);
    this.#forget(membership);
  }

  /** An older generation drains: memberships of sockets, which come to this one for all else, too. Those of others stay there to its end. */
  takeOver(older: JoinedGroups): void {
    for (const before of [...older.members]) {
      const sock = before.holdHolder as SockCommon | null;
      if (sock === null) continue;
      const now = this.#make(before.device, before.group, before);
      this.members.derive(now, sock, 'igmp.take-over');
      this.#enter(now);
      membershipMoved(sock, before, now);
      older.letGo(before);
    }
  }

  #make(device: NetDevice, group: AddressWords, { filter, sources }: SourceFilter): GroupMembership {
    if (!isMulticast(group[3])) throw refused('EINVAL', `${formatIpv4(group[3])} is no group: 224.0.0.0/4 are (RFC 1112 §4)`);
    if (device.ifindex === 0) throw refused('ENODEV', `${device.name || 'the device'} is not registered`);
    const membership = new GroupMembership(this.family, device, group, this);
    membership.filter = filter;
    membership.sources = sourceList(sources);
    return membership;
  }

  #enter(membership: GroupMembership): void {
    const { device, group } = membership;
    const state = this.#table.have(device, group);
    const before = state.filter.merged;
    state.filter.add(membership);
    this.#listen(device, group, true);
    if (state.filter.merged !== before) this.#parts.links.changed(device, group, state.filter.merged);
  }

  #exit(membership: GroupMembership): void {
    const { device, group } = membership;
    const now = this.#forget(membership);
    if (now !== null) this.#parts.links.changed(device, group, now);
  }

  /** What is wanted of the group now, where that is something else; null: it is not. */
  #forget(membership: GroupMembership): SourceFilter | null {
    const { device, group } = membership;
    const state = this.#table.find(device.ifindex, group[0], group[1], group[2], group[3]);
    if (state === null) return null;
    const before = state.filter.merged;
    state.filter.remove(membership);
    this.#listen(device, group, false);
    if (state.filter.users === 0) this.#table.drop(device.ifindex, state);
    return state.filter.merged === before ? null : state.filter.merged;
  }

  /** Its socket, if it was one's, has it no more. */
  #release(membership: GroupMembership): void {
    const { holdHolder } = membership;
    this.members.release(membership);
    forgetMembership(holdHolder as SockCommon | null, membership);
  }

  #deviceGone(device: NetDevice): void {
    const { links } = this.#parts;
    for (const membership of [...this.members]) {
      if (membership.device === device) this.#release(membership);
    }
    this.#table.dropDevice(device.ifindex);
    this.#listening.delete(device);
    links.drop(device);
  }

  #listenAlways(device: NetDevice): void {
    if (this.#listening.has(device)) return;
    this.#listening.add(device);
    this.#listen(device, ALL_HOSTS_GROUP, true);
  }

  #listen(device: NetDevice, group: AddressWords, wanted: boolean): void {
    if (device.addressLen !== 6 || device.ifindex === 0) return;
    const { linkGroups, current } = this.#parts;
    const caller = current.id;
    current.id = linkGroups.owner;
    if (wanted) linkGroups.current.add(device, groupMac(group));
    else linkGroups.current.remove(device, groupMac(group));
    current.id = caller;
  }

  #thaw({ ifindex, group, filter, sources }: FrozenMembership): GroupMembership {
    const device = this.#parts.traffic.current.byIndex(ifindex);
    if (device === null) throw refused('ENODEV', `a membership is on device ${ifindex}, which is not there`);
    return this.#make(device, ipv4Words(group), { filter, sources: sources.map(ipv4Words) });
  }
}

function freeze({ device, group, filter, sources }: GroupMembership): Frozen {
  return { version: 1, data: { ifindex: device.ifindex, group: group[3], filter, sources: sources.map(([, , , word]) => word) } };
}

function refused(code: 'EINVAL' | 'ENODEV' | 'ENOBUFS', why: string): NetError {
  return new NetError(code, why, { syscall: 'multicast' });
}
