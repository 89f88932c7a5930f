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
import { ADDRESS_FAMILY, DEVICE_EVENT, DEVICE_FLAG, GROUP_FILTER, GroupMembership, isGroup, NetError } from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import type { SourceFilter } from './group-filter.ts';
import type { GroupReporters } from './group-reporters.ts';
import type { JoinedGroupState } from './group-table.ts';
import { GroupTable, takesSource } from './group-table.ts';
import { forgetMembership, membershipMoved } from './socket-groups.ts';
import { sourceKey, sourceList } from './source-list.ts';

/** What memberships work with. */
export interface MembershipParts {
  readonly family: number;
  readonly reporters: GroupReporters;
  readonly linkGroups: Port<LinkGroups>;
  readonly traffic: Port<DeviceTraffic>;
  readonly current: CurrentOwner;
  /** Where frames to a group go, 6 bytes. */
  readonly linkAddressOf: (group: AddressWords) => Uint8Array;
  /** How many sources a filter may have (`igmp_max_msf`, `mld_max_msf`). */
  readonly maxSources: () => number;
  /** A device with MULTICAST is up: groups of the host's own are joined. */
  readonly up: (device: NetDevice) => void;
}

/** A membership as plain data, layout {@link LAYOUT}. */
interface FrozenMembership {
  readonly ifindex: number;
  readonly group: AddressWords;
  readonly filter: number;
  readonly sources: readonly AddressWords[];
}
const LAYOUT = 2;

/** A group that the host itself is in, whatever its programs want. */
interface OwnGroup {
  readonly device: NetDevice;
  readonly group: AddressWords;
  users: number;
}

const WHOLE: SourceFilter = Object.freeze({ filter: GROUP_FILTER.EXCLUDE, sources: Object.freeze([] as const) });

/** Who is in which group on which device; what follows from it for links and devices (RFC 3376 §3, RFC 3810 §4; Linux's `ip_mc_inc_group`). */
export class GroupMemberships implements MulticastGroups, JoinedGroups, DeviceListener {
  readonly family: number;
  readonly #parts: MembershipParts;
  readonly #table = new GroupTable();
  /** By device and group. */
  readonly #own = new Map<string, OwnGroup>();
  members!: Objects<GroupMembership>;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.family = parts.family;
  }

  /** How the kernel manages them. */
  get spec(): ObjectSpec<GroupMembership> {
    return {
      drain: 'keep',
      close: (membership) => this.leave(membership),
      // Its socket has ended, by force at that.
      ended: (membership) => this.#exit(membership),
      describe: ({ group, device }) => `${this.#text(group)} on ${device.name}`,
      freeze,
      thaws: [LAYOUT],
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
    this.members.hold(membership, owner, 'multicast.join');
    this.#enter(membership);
    return membership;
  }

  /** A socket's own, which ends with it. @throws NetError as {@link join}. */
  joinFor(sock: SockCommon, device: NetDevice, group: AddressWords, filter: SourceFilter): GroupMembership {
    const membership = this.#make(device, group, filter);
    this.members.derive(membership, sock, 'multicast.join-by-option');
    this.#enter(membership);
    return membership;
  }

  setFilter(membership: GroupMembership, filter: number, sources: readonly AddressWords[]): void {
    this.members.check(membership);
    const maxSources = this.#parts.maxSources();
    if (filter !== GROUP_FILTER.INCLUDE && filter !== GROUP_FILTER.EXCLUDE) throw refused('EINVAL', `a filter is 0 or 1, not ${filter}`);
    if (sources.length > maxSources) {
      throw refused('ENOBUFS', `${sources.length} sources: net.ipv4.igmp_max_msf or net.ipv6.mld_max_msf allows ${maxSources}`);
    }
    const { device, group } = membership;
    const state = this.#table.have(device, group);
    const before = state.filter.merged;
    const now = { filter, sources: sourceList(sources) };
    state.filter.replace(membership, now);
    membership.filter = now.filter;
    membership.sources = now.sources;
    if (state.filter.merged !== before) this.#parts.reporters.changed(device, group, state.filter.merged);
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
    return this.#table.list().map(({ device, group, filter }) => ({ device, group, users: filter.users }));
  }

  /** One more reason of the host itself to be in the group: no object, and it ends by {@link leaveOwn} only. */
  joinOwn(device: NetDevice, group: AddressWords): void {
    const key = keyOf(device, group);
    const own = this.#own.get(key);
    if (own !== undefined) own.users++;
    else {
      this.#own.set(key, { device, group, users: 1 });
      this.#add(device, group, WHOLE);
    }
  }

  leaveOwn(device: NetDevice, group: AddressWords): void {
    const key = keyOf(device, group);
    const own = this.#own.get(key);
    if (own === undefined || --own.users > 0) return;
    this.#own.delete(key);
    const now = this.#remove(device, group, WHOLE);
    if (now !== null) this.#parts.reporters.changed(device, group, now);
  }

  isOwn(device: NetDevice, group: AddressWords): boolean {
    return this.#own.has(keyOf(device, group));
  }

  deviceChanged(device: NetDevice, event: number): void {
    const { reporters, up } = this.#parts;
    if (event === DEVICE_EVENT.UNREGISTER) this.#deviceGone(device);
    else if (event === DEVICE_EVENT.UP) {
      if ((device.flags & DEVICE_FLAG.MULTICAST) !== 0) up(device);
      reporters.up(device);
    } else if (event === DEVICE_EVENT.DOWN) reporters.down(device);
  }

  /** Which groups the link is told of is another matter now. @param device null: on all devices. */
  reportedChanged(device: NetDevice | null): void {
    for (const state of this.#table.list(device?.ifindex ?? 0))
      this.#parts.reporters.reportedChanged(state.device, state.group, state.filter.merged);
  }

  /** The layer goes: devices need not listen for it any more. */
  close(): void {
    for (const { device, group } of this.#own.values()) this.#listen(device, group, false);
    this.#own.clear();
  }

  letGo(membership: GroupMembership): void {
    this.members.release(membership);
    const { device, group } = membership;
    const now = this.#forget(membership);
    if (now !== null) this.#parts.reporters.passedOn(device, group, now);
  }

  /** An older generation drains: memberships of sockets, which come to this one for all else, too. Those of others stay there to its end. */
  takeOver(older: JoinedGroups): void {
    for (const before of [...older.members]) {
      const sock = before.holdHolder as SockCommon | null;
      if (sock === null) continue;
      const now = this.#make(before.device, before.group, before);
      this.members.derive(now, sock, 'multicast.take-over');
      this.#enter(now);
      membershipMoved(sock, before, now);
      older.letGo(before);
    }
  }

  #make(device: NetDevice, group: AddressWords, { filter, sources }: SourceFilter): GroupMembership {
    const isOfFamily = (group[0] === 0) === (this.family === ADDRESS_FAMILY.INET);
    if (!isOfFamily || !isGroup(...group))
      throw refused('EINVAL', `${this.#text(group)} is no group: 224.0.0.0/4 and ff00::/8 are (RFC 1112 §4, RFC 4291 §2.7)`);
    if (device.ifindex === 0) throw refused('ENODEV', `${device.name || 'the device'} is not registered`);
    const membership = new GroupMembership(this.family, device, group, this);
    membership.filter = filter;
    membership.sources = sourceList(sources);
    return membership;
  }

  #enter(membership: GroupMembership): void {
    this.#add(membership.device, membership.group, membership);
  }

  #add(device: NetDevice, group: AddressWords, filter: SourceFilter): void {
    const state = this.#table.have(device, group);
    const before = state.filter.merged;
    state.filter.add(filter);
    this.#listen(device, group, true);
    if (state.filter.merged !== before) this.#parts.reporters.changed(device, group, state.filter.merged);
  }

  #exit(membership: GroupMembership): void {
    const { device, group } = membership;
    const now = this.#forget(membership);
    if (now !== null) this.#parts.reporters.changed(device, group, now);
  }

  /** What is wanted of the group now, where that is something else; null: it is not. */
  #forget(membership: GroupMembership): SourceFilter | null {
    return this.#remove(membership.device, membership.group, membership);
  }

  #remove(device: NetDevice, group: AddressWords, filter: SourceFilter): SourceFilter | null {
    const state: JoinedGroupState | null = this.#table.find(device.ifindex, group[0], group[1], group[2], group[3]);
    if (state === null) return null;
    const before = state.filter.merged;
    state.filter.remove(filter);
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
    for (const membership of [...this.members]) {
      if (membership.device === device) this.#release(membership);
    }
    for (const [key, own] of this.#own) if (own.device === device) this.#own.delete(key);
    this.#table.dropDevice(device.ifindex);
    this.#parts.reporters.drop(device);
  }

  #listen(device: NetDevice, group: AddressWords, wanted: boolean): void {
    if (device.addressLen !== 6 || device.ifindex === 0) return;
    const { linkGroups, linkAddressOf, current } = this.#parts;
    const caller = current.id;
    current.id = linkGroups.owner;
    if (wanted) linkGroups.current.add(device, linkAddressOf(group));
    else linkGroups.current.remove(device, linkAddressOf(group));
    current.id = caller;
  }

  #thaw({ ifindex, group, filter, sources }: FrozenMembership): GroupMembership {
    const device = this.#parts.traffic.current.byIndex(ifindex);
    if (device === null) throw refused('ENODEV', `a membership is on device ${ifindex}, which is not there`);
    return this.#make(device, group, { filter, sources });
  }

  #text(group: AddressWords): string {
    return formatAddress(this.family, ...group);
  }
}

function keyOf({ ifindex }: NetDevice, group: AddressWords): string {
  return `${ifindex} ${sourceKey(group)}`;
}

function freeze({ device, group, filter, sources }: GroupMembership): Frozen {
  return { version: LAYOUT, data: { ifindex: device.ifindex, group, filter, sources } };
}

function refused(code: 'EINVAL' | 'ENODEV' | 'ENOBUFS', why: string): NetError {
  return new NetError(code, why, { syscall: 'multicast' });
}
