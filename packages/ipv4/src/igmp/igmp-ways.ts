import type { AddressWords, GroupMembership, ModuleContext, NetDevice } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DeviceListener,
  JoinedGroups,
  LinkGroups,
  MulticastGroups,
  MulticastRouter,
  NetworkLayer,
  Protocol,
} from '@softnet/contract';
import type { ReporterHost } from '@softnet/inet';
import { followOlderGroups, GroupMemberships, GroupReporters, JoinedEverywhere, SocketMemberships } from '@softnet/inet';
import type { Joints } from '../joints.ts';
import { ALL_HOSTS } from '../machine/special-address.ts';
import type { Ipv4Parts } from '../parts.ts';
import { GroupTraffic } from '../path/group-traffic.ts';
import { GroupOptions } from '../socket/group-options.ts';
import { defineIgmpDrops } from './drops.ts';
import { groupMac } from './group-mac.ts';
import { Igmp } from './igmp.ts';
import { ALL_HOSTS_GROUP, IgmpSender } from './igmp-sender.ts';
import type { IgmpSettings } from './settings.ts';
import { defineIgmpSettings } from './settings.ts';
import { IGMP_TYPE } from './wire.ts';

/** Sources of a record in an Ethernet frame. */
const MAX_ASKED_SOURCES = 364;

/** Groups, as the module has them. */
export interface IgmpWays {
  readonly options: GroupOptions;
  /** The layer goes. */
  close(): void;
}

/** Makes what IPv4 has for groups, and publishes it: what the module does in `start`. */
export function makeIgmp(ctx: ModuleContext, parts: Ipv4Parts, joints: Joints): IgmpWays {
  const drops = defineIgmpDrops((name, text) => ctx.dropReason(name, text));
  const settings = defineIgmpSettings(ctx.sysctl);
  const sender = new IgmpSender(parts, joints, ctx.counter('igmp-out-msgs'));
  const links = new GroupReporters({
    clock: parts.clock,
    isLeaving: () => !joints.layer.uses.open,
    isReported: (_, group) => isReported(group, settings),
    hostOf: (device) => reporterHost(ctx, device, { parts, settings, sender }),
  });
  links.timer = ctx.timer(() => links.fire(), null, 'igmp.links');
  const memberships = defineMemberships(ctx, parts, links, settings);
  const joined = new JoinedEverywhere(ADDRESS_FAMILY.INET, ctx.contributions(JoinedGroups));
  joints.groups = new GroupTraffic(parts, joints, drops, { joined, routers: ctx.contributions(MulticastRouter) });
  const own = { drops, links, layers: ctx.contributions(NetworkLayer), received: ctx.counter('igmp-in-msgs') };
  ctx.contribute(Protocol, new Igmp(parts, joints, own), 'corridor');
  ctx.contribute(JoinedGroups, memberships, 'corridor');
  ctx.contribute(MulticastGroups, memberships, 'door');
  ctx.contribute(DeviceListener, memberships, 'corridor');
  const sockets = new SocketMemberships({
    joinFor: (sock, device, group, filter) => memberships.joinFor(sock, device, group, filter),
    maxMemberships: () => settings.maxMemberships.value,
    maxSources: () => settings.maxSources.value,
  });
  return {
    options: new GroupOptions(parts, sockets, memberships, settings),
    close: () => {
      memberships.close();
      links.close();
    },
  };
}

function defineMemberships(ctx: ModuleContext, parts: Ipv4Parts, reporters: GroupReporters, settings: IgmpSettings): GroupMemberships {
  const { traffic, current } = parts;
  const memberships = new GroupMemberships({
    ...{ family: ADDRESS_FAMILY.INET, reporters, traffic, current },
    linkGroups: ctx.port(LinkGroups),
    linkAddressOf: groupMac,
    maxSources: () => settings.maxSources.value,
    up: (device) => {
      // RFC 1112 §7.2: from the first time that it is up.
      if (!memberships.isOwn(device, ALL_HOSTS_GROUP)) memberships.joinOwn(device, ALL_HOSTS_GROUP);
    },
  });
  memberships.begin(ctx.objects<GroupMembership>('membership', memberships.spec));
  followOlderGroups(ctx, memberships, 'ipv4.joined-groups');
  return memberships;
}

/** Never 224.0.0.1 (RFC 3376 §5); others of 224.0.0.0/24, which switches flood, as it is set. */
function isReported(group: AddressWords, { linkLocalReports }: IgmpSettings): boolean {
  if (group[3] === ALL_HOSTS) return false;
  return group[3] >>> 8 !== 0xe00000 || linkLocalReports.value;
}

interface ReporterParts {
  readonly parts: Ipv4Parts;
  readonly settings: IgmpSettings;
  readonly sender: IgmpSender;
}

function reporterHost(ctx: ModuleContext, device: NetDevice, { parts: { conf }, settings, sender }: ReporterParts): ReporterHost {
  return {
    forcedVersion: () => conf.value(device.ifindex, 'force_igmp_version'),
    robustness: () => settings.robustness.value,
    unsolicitedUs: (version) =>
      1000 * conf.value(device.ifindex, version === 3 ? 'igmpv3_unsolicited_report_interval' : 'igmpv2_unsolicited_report_interval'),
    below: (bound) => ctx.random.below(bound),
    report: (records) => sender.report(device, records),
    reportAlone: (version, group) => sender.message(device, version === 1 ? IGMP_TYPE.REPORT_V1 : IGMP_TYPE.REPORT_V2, group),
    leave: (group) => sender.message(device, IGMP_TYPE.LEAVE, group),
    maxAskedSources: MAX_ASKED_SOURCES,
  };
}
