import type { InterfaceAddress, ModuleContext, Objects, SockCommon, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  Addresses,
  DEVICE_EVENT,
  DeviceListener,
  DeviceTraffic,
  DstUse,
  EthertypeHandler,
  HeaderParser,
  HOOK_FAMILY,
  HookQueue,
  IP_PROTOCOL,
  JoinedGroups,
  LinkGroups,
  MemoryAccounts,
  Module,
  MulticastGroups,
  NeighbourProtocol,
  Neighbours,
  NetworkLayer,
  OptionLevel,
  one,
  optional,
  PacketPolicy,
  Protocol,
  REFUSAL,
  Route,
  RouterAlert,
  RouteTables,
  SkbPool,
  SOCK_TYPE,
  SocketDemux,
  SocketHolder,
  SocketPorts,
  SocketProtocol,
} from '@softnet/contract';
import { DatagramSockets, Delivery, EchoProtocol, LayerHooks, ProtocolOffloads, SelfCopies, Unmerger } from '@softnet/inet';
import { formatIpv4 } from '@softnet/wire';
import type { AddressWays } from './address/address-parts.ts';
import { makeAddresses } from './address/address-parts.ts';
import type { Addresses as AddressDoor } from './address/addresses.ts';
import { Arp } from './arp/arp.ts';
import type { Ipv4Conf } from './conf.ts';
import { defineConf } from './conf.ts';
import { defineDrops } from './drops.ts';
import { Icmp } from './icmp/icmp.ts';
import { IcmpReplies } from './icmp/icmp-replies.ts';
import { IcmpReports } from './icmp/icmp-reports.ts';
import { IcmpSender } from './icmp/icmp-sender.ts';
import { RedirectSender } from './icmp/redirect-sender.ts';
import { Redirects } from './icmp/redirects.ts';
import type { IgmpWays } from './igmp/igmp-ways.ts';
import { makeIgmp } from './igmp/igmp-ways.ts';
import { Joints } from './joints.ts';
import { Ipv4Layer } from './layer.ts';
import { AddressBook } from './machine/address-book.ts';
import { Identification } from './machine/identification.ts';
import { PATH_MTU } from './machine/sock-options.ts';
import type { Ipv4Parts } from './parts.ts';
import { defineCounters } from './parts.ts';
import { Forwarding } from './path/forwarding.ts';
import { Fragmenter } from './path/fragmenter.ts';
import { Fragments } from './path/fragments.ts';
import { IPV4_PARSER } from './path/header-parser.ts';
import { Input } from './path/input.ts';
import { MartianLog } from './path/martian-log.ts';
import { Ipv4Offload } from './path/offload.ts';
import { Options } from './path/options.ts';
import { Output } from './path/output.ts';
import { defineSettings } from './settings.ts';
import type { GroupOptions } from './socket/group-options.ts';
import { IpAncillary } from './socket/ip-ancillary.ts';
import { IpOptions } from './socket/ip-options.ts';
import { pathMtuOf } from './socket/path-mtu.ts';

/** IPv4 with ARP, ICMP and IGMP: addresses, the way in and out, forwarding, fragments; ping sockets. */
@Module({
  name: 'ipv4',
  version: '1.0.0',
  summary: 'IPv4 with ARP, ICMP and IGMP: addresses, forwarding, fragments, ping sockets',
  requires: [
    one(SkbPool),
    one(MemoryAccounts),
    one(DeviceTraffic),
    one(Route),
    one(RouteTables),
    one(Neighbours),
    one(SocketDemux),
    one(SocketPorts),
    optional(LinkGroups),
    optional(PacketPolicy),
    optional(HookQueue),
  ],
  provides: [
    NetworkLayer,
    EthertypeHandler,
    NeighbourProtocol,
    Protocol,
    SocketHolder,
    SocketProtocol,
    Addresses,
    OptionLevel,
    DeviceListener,
    HeaderParser,
    MulticastGroups,
    JoinedGroups,
  ],
})
export class Ipv4Module implements SoftnetModule {
  #ctx!: ModuleContext;
  #joints!: Joints;
  #addresses!: AddressWays;
  #groups!: IgmpWays;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    const joints = new Joints();
    this.#joints = joints;
    const parts = partsOf(ctx, joints);
    const addresses = makeAddresses(ctx, parts);
    this.#addresses = addresses;
    joints.linkLocal = addresses.linkLocal;
    this.#watchLayers(ctx, addresses.door);
    this.#layer(ctx, parts, joints, addresses.objects);
    this.#groups = makeIgmp(ctx, parts, joints);
    const arp = new Arp(parts, joints, addresses.arp);
    ctx.contribute(NetworkLayer, joints.layer, 'corridor');
    ctx.contribute(EthertypeHandler, joints.layer as Ipv4Layer, 'corridor');
    ctx.contribute(EthertypeHandler, arp, 'corridor');
    ctx.contribute(HeaderParser, IPV4_PARSER, 'corridor');
    ctx.contribute(NeighbourProtocol, arp, 'corridor');
    ctx.contribute(Protocol, new Icmp(parts, new IcmpReplies(parts, joints), new IcmpReports(parts, joints)), 'corridor');
    ctx.contribute(OptionLevel, optionLevel(parts, this.#groups.options), 'corridor');
    ctx.contribute(Addresses, addresses.door, 'door');
    ctx.contribute(DeviceListener, parts.conf, 'corridor');
    ctx.contribute(DeviceListener, addresses.door, 'corridor');
    this.#pings(ctx, parts);
  }

  /** Who replaces it takes its addresses over in a turn of the softirq loop: they stay till then, though nobody holds it up. */
  withdraw(): Promise<void> | undefined {
    const ctx = this.#ctx;
    const newest = ctx.contributions(NetworkLayer).items.findLast(({ family }) => family === ADDRESS_FAMILY.INET);
    if (newest === this.#joints.layer) return undefined;
    return new Promise((resolve) => ctx.timer((taken: () => void) => taken(), resolve, 'ipv4.withdraw').arm(1));
  }

  stop(): void {
    // Leaves are still to be sent.
    this.#groups.close();
    this.#joints.hooks.close();
    this.#joints.fragments.close();
    this.#joints.selfCopies.close();
    this.#addresses.close();
  }

  /** A generation that is live while this one starts is replaced by it; one that leaves takes its own addresses along. */
  #watchLayers(ctx: ModuleContext, door: AddressDoor): void {
    const layers = ctx.contributions(NetworkLayer);
    const before = layers.items.findLast(({ family, uses }) => family === ADDRESS_FAMILY.INET && uses.open);
    if (before !== undefined) door.inherit(before);
    const changed = ctx.poll(
      {
        poll: () => {
          door.refresh();
          return 0;
        },
      },
      'ipv4.layers',
    );
    ctx.contributions(NetworkLayer, changed);
  }

  #layer(ctx: ModuleContext, parts: Ipv4Parts, joints: Joints, addresses: Objects<InterfaceAddress>): void {
    const { drops } = parts;
    const uses = ctx.objects<DstUse>('dst', {
      drain: 'wait',
      close: (use) => uses.release(use),
      ended: (use) => {
        use.dst = null;
      },
      describe: describeUse,
      // Whoever has one keeps it, and asks the next generation's layer at the next packet.
      freeze: () => ({ version: 1, data: null }),
      thaws: [1],
      thaw: () => new DstUse(),
    });
    const input = new Input(parts, joints, new MartianLog(ctx.log, ctx.clock, parts.conf));
    const forwarding = new Forwarding(parts, joints);
    const output = new Output(parts, joints, new Identification(ctx.random), new Fragmenter(parts, joints));
    const offload = new Ipv4Offload(parts, new ProtocolOffloads(ctx));
    const layer = new Ipv4Layer(parts, joints, { uses, addresses }, { input, forwarding, output, offload });
    joints.layer = layer;
    joints.output = output;
    joints.forwarding = forwarding;
    joints.selfCopies = new SelfCopies(ctx, 'ipv4.self-copies', parts.drops['ipv4.self-copies'], input.deliver);
    joints.options = new Options(parts, joints, ctx.contributions(RouterAlert));
    joints.unmerger = new Unmerger(layer.segment);
    joints.icmp = new IcmpSender(parts, joints, ctx.random);
    joints.redirects = new Redirects(parts);
    joints.redirectSender = new RedirectSender(parts, joints, ctx.random.u32());
    joints.hooks = new LayerHooks(ctx, HOOK_FAMILY.IPV4, layer.steps, drops['ipv4.hook-lost']);
    joints.delivery = new Delivery(ctx, layer, { noProtocol: drops['ipv4.no-protocol'], noPorts: drops['ipv4.no-ports'] }, joints.unmerger);
    joints.fragments = new Fragments(ctx, parts, (first) => joints.icmp.refuse(first, REFUSAL.REASSEMBLY_TIMEOUT, 0));
  }

  #pings(ctx: ModuleContext, { drops }: Ipv4Parts): void {
    const reasons = { truncated: drops['icmpv4.truncated'], checksum: drops['icmpv4.checksum'] };
    const echo = new EchoProtocol('ping', ADDRESS_FAMILY.INET, reasons);
    const sockets = new DatagramSockets(ctx, echo, {
      full: ctx.dropReason('ping.full', 'its user does not take what comes (SO_RCVBUF)'),
      shut: ctx.dropReason('ping.shut', 'its user has shut it'),
    });
    const protocol = { name: 'ping', family: ADDRESS_FAMILY.INET, type: SOCK_TYPE.DGRAM, protocol: IP_PROTOCOL.ICMP, usual: false };
    ctx.contribute(SocketProtocol, { ...protocol, open: (family, owner) => sockets.open(family, owner) }, 'door');
  }
}

function partsOf(ctx: ModuleContext, joints: Joints): Ipv4Parts {
  const traffic = ctx.port(DeviceTraffic);
  const route = ctx.port(Route);
  const conf: Ipv4Conf = defineConf(
    ctx.sysctl,
    (device, on) => {
      if (device !== null) return;
      // By whichever name it was set (Linux's `inet_forward_change`). A router heeds no redirects unless it is told so (RFC 1812 §5.2.7.2).
      conf.setEverywhere('forwarding', on);
      ctx.sysctl.set('net.ipv4.ip_forward', on !== 0);
      ctx.sysctl.set('net.ipv4.conf.all.accept_redirects', 1 - on);
    },
    () => joints.linkLocal?.lookAll(traffic.current.all()),
    () => route.current.changed(),
  );
  // Those that are there have theirs from the start, so that what was set in the last generation is set in this one.
  for (const device of traffic.current.all()) conf.deviceChanged(device, DEVICE_EVENT.REGISTER);
  return {
    current: ctx.current,
    clock: ctx.clock,
    settings: defineSettings(ctx.sysctl, (on) => conf.setEverywhere('forwarding', Number(on))),
    conf,
    drops: defineDrops((name, text) => ctx.dropReason(name, text)),
    counters: defineCounters((name) => ctx.counter(name)),
    book: new AddressBook(),
    pool: ctx.port(SkbPool),
    route,
    neighbours: ctx.port(Neighbours),
    traffic,
    policy: ctx.port(PacketPolicy),
  };
}

function optionLevel({ settings, route, book, traffic }: Ipv4Parts, groups: GroupOptions): OptionLevel {
  const usual = {
    ttl: () => settings.defaultTtl.value,
    mtuDiscover: () => (settings.noPathMtuDiscovery.value !== 0 ? PATH_MTU.DONT : PATH_MTU.WANT),
    pathMtu: (sock: SockCommon) => pathMtuOf(sock, route),
  };
  return new IpOptions(usual, groups, new IpAncillary(book, traffic), traffic);
}

/** 'by eth0 to 10.0.0.1' */
function describeUse({ dst }: DstUse): string {
  if (dst === null) return 'bound, not routed';
  const by = dst.device === null ? 'no device' : dst.device.name;
  return dst.gatewayFamily === ADDRESS_FAMILY.INET ? `by ${by} to ${formatIpv4(dst.gateway3)}` : `by ${by}`;
}
