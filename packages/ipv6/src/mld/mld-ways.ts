import type { AddressWords, GroupMembership, NetworkLayer as Layer, ModuleContext, NetDevice, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, DeviceListener, JoinedGroups, LinkGroups, MulticastGroups, NetworkLayer } from '@softnet/contract';
import type { ReporterHost } from '@softnet/inet';
import { followOlderGroups, GroupMemberships, GroupReporters, SocketMemberships } from '@softnet/inet';
import { ICMPV6_TYPE } from '@softnet/wire';
import type { Anycasts } from '../device/anycasts.ts';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import type { Ipv6Links } from '../device/ipv6-links.ts';
import type { LinkListener } from '../device/link-listener.ts';
import { LINK_EVENT } from '../device/link-listener.ts';
import { writeMulticastMac } from '../machine/address-kind.ts';
import type { Surroundings } from '../machine/surroundings.ts';
import { AnycastMemberships } from '../socket/anycast-memberships.ts';
import { GroupOptions } from '../socket/group-options.ts';
import { isReportable, Mld } from './mld.ts';
import { MldSender } from './mld-sender.ts';
import type { MldSettings } from './settings.ts';
import { defineMldSettings } from './settings.ts';

/** Sources of a record in an Ethernet frame. */
const MAX_ASKED_SOURCES = 89;

/** Groups, as the module has them: MLD's host side (RFC 3810, RFC 2710), memberships, and options of sockets about them. */
export class MldWays implements LinkListener {
  readonly memberships: GroupMemberships;
  readonly options: GroupOptions;
  readonly #anycasts: AnycastMemberships;
  readonly #around: Surroundings;
  readonly #settings: MldSettings;
  readonly #reporters: GroupReporters;
  readonly #sender: MldSender;
  readonly #mld: Mld;

  /** Declares what it has. */
  constructor(ctx: ModuleContext, around: Surroundings, layer: Layer, parts: { readonly links: Ipv6Links; readonly anycasts: Anycasts }) {
    const { links } = parts;
    this.#around = around;
    this.#settings = defineMldSettings(ctx.sysctl);
    const { maxMemberships, maxSources } = this.#settings;
    const isLeaving = (): boolean => !layer.uses.open;
    this.#sender = new MldSender({ around, links, layer, isLeaving, sent: ctx.counter('mld-out-msgs') });
    this.#reporters = new GroupReporters({
      clock: ctx.clock,
      isLeaving,
      isReported: ({ ifindex }, group) => isReportable(group) && around.conf.value(ifindex, 'mld_reports') !== 0,
      hostOf: (device) => this.#hostOf(device, ctx),
    });
    const reporters = this.#reporters;
    reporters.timer = ctx.timer(() => reporters.fire(), null, 'mld.links');
    const { traffic, current } = around;
    this.memberships = new GroupMemberships({
      ...{ family: ADDRESS_FAMILY.INET6, reporters, traffic, current, linkAddressOf },
      linkGroups: ctx.port(LinkGroups),
      maxSources: () => maxSources.value,
      up: () => {},
    });
    this.memberships.begin(ctx.objects<GroupMembership>('membership', this.memberships.spec));
    followOlderGroups(ctx, this.memberships, 'ipv6.joined-groups');
    const own = { reporters, clock: ctx.clock, layers: ctx.contributions(NetworkLayer), received: ctx.counter('mld-in-msgs') };
    this.#mld = new Mld({ around, links, layer, drops: around.groups.drops, ...own });
    this.#anycasts = new AnycastMemberships(ctx, { around, ...parts, max: () => maxMemberships.value });
    const sockets = this.#sockets(maxMemberships, maxSources);
    this.options = new GroupOptions(around, this.memberships, this.#settings, { sockets, anycasts: this.#anycasts });
  }

  publish(ctx: ModuleContext): void {
    ctx.contribute(JoinedGroups, this.memberships, 'corridor');
    ctx.contribute(MulticastGroups, this.memberships, 'door');
    ctx.contribute(DeviceListener, this.memberships, 'corridor');
  }

  /** A message of MLD, `data` = `transport`. True: it is taken. */
  receive(skb: Skb): boolean {
    return this.#mld.receive(skb);
  }

  /** Reports from `::` routers do not believe: all is said again from the first address that may be used (RFC 3590 §4). */
  linkChanged(link: Ipv6Link, event: number): void {
    if (event === LINK_EVENT.READY) this.#reporters.again(link.device);
    this.#anycasts.linkChanged(link, event);
  }

  /** The layer goes. */
  close(): void {
    this.memberships.close();
    this.#reporters.close();
    this.#around.groups.close();
  }

  #sockets(maxMemberships: { readonly value: number }, maxSources: { readonly value: number }): SocketMemberships {
    return new SocketMemberships({
      joinFor: (sock, device, group, filter) => this.memberships.joinFor(sock, device, group, filter),
      maxMemberships: () => maxMemberships.value,
      maxSources: () => maxSources.value,
    });
  }

  /** The reporter's versions are IGMP's: MLD's and one. */
  #hostOf(device: NetDevice, ctx: ModuleContext): ReporterHost {
    const { conf } = this.#around;
    const { ifindex } = device;
    return {
      forcedVersion: () => {
        const forced = conf.value(ifindex, 'force_mld_version');
        return forced === 0 ? 0 : forced + 1;
      },
      robustness: () => this.#settings.robustness.value,
      unsolicitedUs: (version) =>
        1000 * conf.value(ifindex, version === 3 ? 'mldv2_unsolicited_report_interval' : 'mldv1_unsolicited_report_interval'),
      below: (bound) => ctx.random.below(bound),
      report: (records) => this.#sender.report(device, records),
      reportAlone: (_, group) => this.#sender.message(device, ICMPV6_TYPE.MLD_REPORT, group),
      leave: (group) => this.#sender.message(device, ICMPV6_TYPE.MLD_DONE, group),
      maxAskedSources: MAX_ASKED_SOURCES,
    };
  }
}

/** RFC 2464 §7. */
function linkAddressOf(group: AddressWords): Uint8Array {
  const bytes = new Uint8Array(6);
  writeMulticastMac(bytes, group[3]);
  return bytes;
}
