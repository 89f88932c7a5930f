import type { DropReason, ModuleContext, Objects, Skb, SockCommon, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  Addresses,
  AddressLabels,
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
  MulticastRouter,
  NameServers,
  NeighbourListener,
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
  RouterAdvertisements,
  RouteTables,
  SkbPool,
  SOCK_TYPE,
  SocketDemux,
  SocketHolder,
  SocketPorts,
  SocketProtocol,
  TRANSMIT,
} from '@softnet/contract';
import type { LayerSteps } from '@softnet/inet';
import { DatagramSockets, Delivery, EchoProtocol, LayerHooks, ProtocolOffloads, Reassembly, Unmerger } from '@softnet/inet';
import { formatIpv6, ICMPV6_TYPE, ICMPV6_UNREACHABLE, readIpv6Ends } from '@softnet/wire';
import type { Ipv6Conf } from './conf.ts';
import { defineConf } from './conf.ts';
import { AddressParts } from './device/address-parts.ts';
import { LabelDoor } from './device/label-door.ts';
import { needsInterface } from './machine/address-kind.ts';
import { defineCounters } from './machine/counters.ts';
import { ExtensionHeaders } from './machine/extension-headers.ts';
import { FlowLabels } from './machine/flow-labels.ts';
import { Ipv6Forward } from './machine/forward.ts';
import { Ipv6Fragments } from './machine/fragments.ts';
import { Ipv6Parser } from './machine/header-parser.ts';
import { IcmpErrors } from './machine/icmp-errors.ts';
import { IcmpInput } from './machine/icmp-input.ts';
import { IcmpLimits } from './machine/icmp-limits.ts';
import { IcmpOutput } from './machine/icmp-output.ts';
import { Ipv6Input } from './machine/input.ts';
import { LabelTable } from './machine/label-table.ts';
import { Ipv6Layer } from './machine/layer.ts';
import { NeighbourDiscovery } from './machine/neighbour-discovery.ts';
import { NeighbourSender } from './machine/neighbour-sender.ts';
import { Ipv6Offload } from './machine/offload.ts';
import { Ipv6Output } from './machine/output.ts';
import type { Ipv6Reasons } from './machine/reasons.ts';
import { IPV6_REASON } from './machine/reasons.ts';
import { SentEchoes } from './machine/sent-echoes.ts';
import { defineSettings } from './machine/settings.ts';
import type { Surroundings } from './machine/surroundings.ts';
import { GroupTraffic } from './mld/group-traffic.ts';
import { MldWays } from './mld/mld-ways.ts';
import { RouterParts } from './router/router-parts.ts';
import { Ipv6Options } from './socket/ipv6-options.ts';
import { pathMtuOf } from './socket/path-mtu.ts';

/**
 * IPv6 with its ICMP, Neighbor Discovery, fragments and addresses. All that it has of others it gives back: addresses take their routes
 * along, fragments are dropped, neighbours and dsts are forgotten by route. Replaced, its addresses move to the next generation, also
 * while sockets of this one drain.
 */
@Module({
  name: 'ipv6',
  version: '1.0.0',
  summary: 'IPv6, ICMPv6, Neighbor Discovery and addresses (RFC 8200, 4443, 4861, 4291)',
  requires: [
    one(SkbPool),
    one(MemoryAccounts),
    one(DeviceTraffic),
    one(Route),
    one(RouteTables),
    one(Neighbours),
    one(SocketDemux),
    one(SocketPorts),
    optional(PacketPolicy),
    optional(HookQueue),
    optional(LinkGroups),
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
    JoinedGroups,
    MulticastGroups,
    NeighbourListener,
    NameServers,
    RouterAdvertisements,
    AddressLabels,
  ],
})
export class Ipv6Module implements SoftnetModule {
  #ctx!: ModuleContext;
  #around!: Surroundings;
  #layer!: Ipv6Layer;
  #addresses!: AddressParts;
  #hooks!: LayerHooks;
  #reassembly!: Reassembly;
  #discovery!: NeighbourDiscovery;
  #routers!: RouterParts;
  #icmp!: IcmpInput;
  #groups!: MldWays;
  #labels!: LabelDoor;

  start(ctx: ModuleContext): void {
    this.#ctx = ctx;
    this.#around = this.#surroundings(ctx);
    this.#addresses = this.#defineAddresses(ctx);
    const offload = new Ipv6Offload(this.#around.reasons, new ProtocolOffloads(ctx), this.#around.settings.limits);
    this.#layer = new Ipv6Layer(this.#around, this.#addresses.links, this.#defineUses(ctx), this.#addresses.objects, offload);
    this.#labels = new LabelDoor(ctx, this.#around.labels, this.#around.route);
    this.#groups = new MldWays(ctx, this.#around, this.#layer, this.#addresses);
    this.#compose(ctx);
    this.#publish(ctx);
  }

  stop(): void {
    const others = this.#ctx.contributions(NetworkLayer).items;
    this.#addresses.close(others.some((layer) => layer.family === this.#layer.family && layer !== this.#layer));
    this.#hooks.close();
    this.#reassembly.close();
    this.#routers.close();
    this.#groups.close();
    // Dsts and neighbours of ours are let go of.
    this.#around.route.current.changed();
  }

  #surroundings(ctx: ModuleContext): Surroundings {
    const named = Object.entries(IPV6_REASON).map(([name, text]): [string, DropReason] => [name, ctx.dropReason(name, text)]);
    const reasons = Object.fromEntries(named) as Ipv6Reasons;
    return {
      current: ctx.current,
      random: ctx.random,
      pool: ctx.port(SkbPool),
      route: ctx.port(Route),
      neighbours: ctx.port(Neighbours),
      traffic: ctx.port(DeviceTraffic),
      policy: ctx.port(PacketPolicy),
      routers: ctx.contributions(MulticastRouter),
      reasons,
      settings: defineSettings(ctx.sysctl),
      counters: defineCounters((name) => ctx.counter(name)),
      conf: this.#defineConf(ctx),
      labels: new LabelTable(),
      groups: new GroupTraffic(ctx, reasons['ipv6.not-a-member'], (skb) => this.#layer.path.input.takeCopy(skb)),
    };
  }

  #defineConf(ctx: ModuleContext): Ipv6Conf {
    const conf: Ipv6Conf = defineConf(ctx.sysctl, {
      forwardingChanged: (device, value) => {
        if (device === null) conf.setEverywhere('forwarding', value);
        else this.#addresses.links.forwardingChanged(device, value !== 0);
      },
      disableChanged: (device) => this.#addresses.links.disableChanged(device, this.#around.traffic.current.all()),
      linkdownChanged: () => this.#around.route.current.changed(),
      genModeChanged: (device) => this.#addresses.modeChanged(device),
      // While it starts settings are taken over, and there are no parts yet.
      reportsChanged: (device) => this.#groups?.memberships.reportedChanged(device),
      proxyChanged: () => this.#routers?.proxyChanged(),
    });
    // Those that are there have theirs from the start, so that what was set in the last generation is set in this one.
    for (const device of ctx.port(DeviceTraffic).current.all()) conf.deviceChanged(device, DEVICE_EVENT.REGISTER);
    return conf;
  }

  #defineUses(ctx: ModuleContext): Objects<DstUse> {
    const uses: Objects<DstUse> = ctx.objects<DstUse>('dst', {
      drain: 'wait',
      close: (use) => uses.release(use),
      ended: (use) => {
        use.dst = null;
      },
      describe: describeUse,
      // Whoever has one keeps it, and asks the next generation at its next packet.
      freeze: () => ({ version: 1, data: null }),
      thaws: [1],
      thaw: () => new DstUse(),
    });
    return uses;
  }

  #defineAddresses(ctx: ModuleContext): AddressParts {
    const { reasons } = this.#around;
    return new AddressParts({
      ctx,
      around: this.#around,
      prepare: (dst) => this.#layer.prepare(dst),
      groups: () => this.#groups.memberships,
      discard: (skb) => {
        skb.memory.pool.drop(skb, reasons['ipv6.no-route']);
        return TRANSMIT.DROPPED;
      },
    });
  }

  /** The parts of the way know one another by the layer. */
  #compose(ctx: ModuleContext): void {
    const around = this.#around;
    const { links, autoconf, searches } = this.#addresses;
    const layer = this.#layer;
    const { reasons, settings } = around;
    const hooks = this.#defineHooks(ctx, layer);
    const unmerger = new Unmerger(layer.segment);
    const output = new Ipv6Output(around, links, layer, hooks, unmerger, new FlowLabels(ctx.random.u32(), settings.autoLabels));
    const sent = new SentEchoes(ctx.random.u32());
    const icmpOutput = new IcmpOutput(around, links, output, unmerger, new IcmpLimits(ctx.clock, ctx.random, settings), sent);
    const errors = new IcmpErrors(icmpOutput);
    this.#reassembly = this.#defineReassembly(ctx);
    const headers = new ExtensionHeaders(reasons, errors, new Ipv6Fragments(around, errors, this.#reassembly), settings.limits);
    const delivery = new Delivery(ctx, layer, { noProtocol: reasons['ipv6.no-protocol'], noPorts: reasons['ipv6.no-ports'] }, unmerger);
    const input = new Ipv6Input(around, layer, hooks, links, headers, delivery);
    const forward = new Ipv6Forward(around, links, layer, hooks, errors, unmerger);
    layer.path = { input, output, forward, errors, delivery };
    this.#hooks = hooks;
    const sender = new NeighbourSender(around, output);
    this.#addresses.begin(sender);
    this.#routers = new RouterParts({
      ctx,
      around,
      links,
      output,
      prefixes: autoconf,
      sender,
      accept: input.accept,
      solicit: (neighbour) => this.#discovery.solicit(neighbour, null),
    });
    forward.aids = this.#routers;
    links.listen(this.#routers);
    links.listen(this.#groups);
    this.#discovery = new NeighbourDiscovery(around, links, sender, searches, this.#routers, {
      unreachable: (skb) => this.#unreachable(skb),
    });
    this.#icmp = new IcmpInput(around, links, delivery, icmpOutput, this.#discovery, this.#groups, sent);
  }

  #defineHooks(ctx: ModuleContext, layer: Ipv6Layer): LayerHooks {
    const steps: LayerSteps = {
      prerouting: (skb) => layer.path.input.route(skb),
      input: (skb) => layer.path.input.admit(skb),
      forward: (skb) => skb.dst!.output(skb),
      output: (skb) => skb.dst!.output(skb),
      postrouting: (skb) => layer.path.output.cut(skb),
    };
    return new LayerHooks(ctx, HOOK_FAMILY.IPV6, steps, this.#around.reasons['ipv6.lost']);
  }

  /** Who sent a packet whose neighbour did not answer: another host, or a socket of this one. */
  #unreachable(skb: Skb): void {
    if (skb.ifindex !== 0) this.#layer.refuse(skb, REFUSAL.HOST_UNREACHABLE, 0);
    else this.#icmp.refuseOwn(skb, ICMPV6_TYPE.DESTINATION_UNREACHABLE, ICMPV6_UNREACHABLE.ADDRESS);
  }

  #defineReassembly(ctx: ModuleContext): Reassembly {
    const { reasons, settings } = this.#around;
    return new Reassembly(ctx, {
      readAddresses: (skb, key) => {
        readIpv6Ends(skb.memory.view, skb.network, key);
        key.ifindex = needsInterface(key.local0) ? skb.ifindex : 0;
      },
      timeoutMs: () => settings.fragmentTimeS.value * 1000,
      limitBytes: () => settings.fragmentBytes.value,
      limitDatagrams: () => settings.fragmentDatagrams.value,
      limitPieces: () => settings.fragmentPieces.value,
      // Identifications have 32 bits: nobody has come round while fragments wait.
      limitDistance: () => 0,
      abandons: true,
      maxBytes: 65535,
      reasons: {
        overlap: reasons['ipv6.fragment-overlap'],
        duplicate: reasons['ipv6.fragment-duplicate'],
        tooBig: reasons['ipv6.fragment-too-big'],
        timeout: reasons['ipv6.fragment-timeout'],
        distance: reasons['ipv6.fragment-limit'],
        ecn: reasons['ipv6.fragment-ecn'],
        limit: reasons['ipv6.fragment-limit'],
        malformed: reasons['ipv6.fragment-length'],
      },
      expired: (first) => this.#layer.refuse(first, REFUSAL.REASSEMBLY_TIMEOUT, 0),
    });
  }

  #publish(ctx: ModuleContext): void {
    ctx.contribute(NetworkLayer, this.#layer, 'corridor');
    ctx.contribute(EthertypeHandler, this.#layer, 'corridor');
    ctx.contribute(HeaderParser, new Ipv6Parser(this.#around.settings.limits), 'corridor');
    ctx.contribute(NeighbourProtocol, this.#discovery, 'corridor');
    ctx.contribute(Protocol, this.#icmp, 'corridor');
    ctx.contribute(OptionLevel, this.#makeOptions(), 'corridor');
    ctx.contribute(DeviceListener, this.#around.conf, 'corridor');
    ctx.contribute(DeviceListener, this.#addresses.secrets, 'corridor');
    ctx.contribute(DeviceListener, this.#addresses.links, 'corridor');
    this.#groups.publish(ctx);
    ctx.contribute(Addresses, this.#addresses.door, 'door');
    ctx.door(AddressLabels, this.#labels);
    this.#routers.publish();
    const ping = { name: 'ping', family: ADDRESS_FAMILY.INET6, type: SOCK_TYPE.DGRAM, protocol: IP_PROTOCOL.ICMPV6, usual: false };
    const pings = this.#definePings(ctx);
    ctx.contribute(SocketProtocol, { ...ping, open: (family, owner) => pings.open(family, owner) }, 'door');
    // Where a generation that left has taken routes along, ours are made.
    ctx.contributions(NetworkLayer, ctx.poll({ poll: () => this.#addresses.refresh() }, 'ipv6.routes'));
  }

  #makeOptions(): Ipv6Options {
    const { settings, traffic, route, conf } = this.#around;
    const usual = {
      autoLabels: settings.autoLabels,
      hopLimit: () => conf.value(0, 'hop_limit'),
      pathMtu: (sock: SockCommon) => pathMtuOf(sock, route),
    };
    return new Ipv6Options(usual, this.#groups.options, traffic);
  }

  #definePings(ctx: ModuleContext): DatagramSockets {
    const { reasons } = this.#around;
    const echo = new EchoProtocol('ping', ADDRESS_FAMILY.INET6, {
      truncated: reasons['icmpv6.truncated'],
      checksum: reasons['icmpv6.checksum'],
    });
    return new DatagramSockets(ctx, echo, { full: reasons['ping.full'], shut: reasons['ping.shut'] });
  }
}

function describeUse({ dst }: DstUse): string {
  if (dst === null) return 'bound, not routed';
  return `by ${dst.device?.name ?? 'no device'}${dst.gatewayFamily === 0 ? '' : ` to ${formatIpv6(dst.gateway0, dst.gateway1, dst.gateway2, dst.gateway3)}`}`;
}
