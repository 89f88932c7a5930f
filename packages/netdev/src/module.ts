import type { Frozen, ModuleContext, NetDevice, Objects, Poll, SoftnetModule } from '@softnet/contract';
import {
  Backlog,
  DeviceListener,
  Devices,
  DeviceTraffic,
  EthertypeHandler,
  Ethtool,
  FlowSteering,
  HeaderParser,
  HeaderSplit,
  HOOK_POINT,
  Hook,
  HookQueue,
  LinkGroups,
  Module,
  NetError,
  NetworkLayer,
  optional,
  Tap,
} from '@softnet/contract';
import { deviceHooks } from './device-hooks.ts';
import { DeviceListeners } from './device-listeners.ts';
import { DeviceTable } from './device-table.ts';
import { EthertypeTable } from './ethertype-table.ts';
import { FlowHash } from './flow-hash.ts';
import { HeaderWalk } from './header-split/header-walk.ts';
import { linkParsers } from './header-split/link-parsers.ts';
import { ParserTable } from './header-split/parser-table.ts';
import { LinkState } from './link-state.ts';
import { Outgoing } from './outgoing.ts';
import type { Reasons } from './reasons.ts';
import { registerReasons } from './reasons.ts';
import { ReceiveBacklog } from './receive-backlog.ts';
import { Receiver } from './receiver.ts';
import { Registration } from './registration.ts';
import { Registry } from './registry.ts';
import { SendBacklog } from './send-backlog.ts';
import { SendList } from './send-list.ts';
import { DeviceSettings } from './settings/device-settings.ts';
import { FlowSteerer } from './steering/flow-steerer.ts';
import { Taps } from './taps.ts';
import { Traffic } from './traffic.ts';
import { Transmitter } from './transmitter.ts';

/**
 * Keeps the devices, and brings packets from drivers to layers and back. Devices are their drivers' objects, and drivers need this
 * module: so it goes after the last of them. Packets that wait on its queues are tallies.
 */
@Module({
  name: 'netdev',
  version: '1.0.0',
  summary: 'devices: registry, queues, the way between drivers and layers',
  requires: [optional(HookQueue)],
  provides: [Devices, DeviceTraffic, Ethtool, Backlog, FlowSteering, HeaderSplit, HeaderParser, LinkGroups],
  registry: true,
})
export class NetdevModule implements SoftnetModule {
  #table!: DeviceTable;
  #ethertypes!: EthertypeTable;
  #parsers!: ParserTable;
  #listeners!: DeviceListeners;
  #registry!: Registry;
  #receiver!: Receiver;
  #transmitter!: Transmitter;
  #sendBacklog!: SendBacklog;

  start(ctx: ModuleContext): void {
    const { current } = ctx;
    const changed = ctx.poll({ poll: () => this.#changed() }, 'netdev.changes');
    const reasons = registerReasons(ctx);
    this.#table = new DeviceTable();
    this.#ethertypes = new EthertypeTable(ctx.contributions(EthertypeHandler, changed));
    this.#ways(ctx, changed, reasons);
    const parts = { table: this.#table, transmitter: this.#transmitter, current };
    this.#listeners = new DeviceListeners(ctx.contributions(DeviceListener, changed), this.#table, current);
    const link = new LinkState(this.#table, this.#listeners, this.#transmitter);
    const held = this.#registrations(ctx);
    const registry = { ...parts, listeners: this.#listeners, link, held, registrations: new Map<NetDevice, Registration>() };
    this.#registry = new Registry(registry, false);
    // Behind the door a corridor: drivers that leave with this module take their devices out by it. The newer of both is the one that is seen.
    ctx.corridor(Devices, new Registry(registry, true));
    ctx.door(Devices, this.#registry);
    ctx.door(Ethtool, new DeviceSettings(this.#registry, this.#transmitter, ctx.random));
    ctx.corridor(LinkGroups, this.#registry.groups);
    ctx.corridor(DeviceTraffic, new Traffic(this.#table, this.#receiver, this.#transmitter, link));
    this.#backlogs(ctx, changed, reasons);
    this.#forDrivers(ctx, changed);
  }

  stop(): void {
    this.#receiver.close();
    this.#transmitter.close();
  }

  freeze(): Frozen {
    // The next generation takes it that all who listen know of all devices.
    this.#listeners.catchUp();
    return { version: 1, data: { lastIfindex: this.#table.lastIfindex } };
  }

  /** No ifindex is used twice in a kernel. */
  thaw({ version, data }: Frozen): void {
    if (version !== 1) throw new NetError('EBUSY', `its state is of layout ${version}; this build knows 1`);
    this.#table.lastIfindex = (data as { lastIfindex: number }).lastIfindex;
    this.#listeners.allKnow();
  }

  /** That devices are registered. Kept: drivers, who need this module, end before it. */
  #registrations(ctx: ModuleContext): Objects<Registration> {
    // While the next generation thaws, this is the last one's.
    const traffic = ctx.port(DeviceTraffic);
    return ctx.objects<Registration>('device', {
      drain: 'keep',
      close: ({ device }) => this.#registry.unregister(device),
      describe: ({ device: { name, kind, ifindex } }) => `${name}, ${kind}, ifindex ${ifindex}`,
      freeze: ({ device: { ifindex } }) => ({ version: 1, data: { ifindex } }),
      thaws: [1],
      thaw: ({ data }) => new Registration(traffic.current.byIndex((data as { ifindex: number }).ifindex)!),
      left: ({ device }) => {
        this.#transmitter.leave(device);
        this.#listeners.leave();
      },
      settle: (registration) => this.#registry.adopt(registration),
    });
  }

  /** In and out. */
  #ways(ctx: ModuleContext, changed: Poll, reasons: Reasons): void {
    const { current } = ctx;
    const ethertypes = this.#ethertypes;
    const shared = { ethertypes, taps: new Taps(ctx.contributions(Tap), current), current, reasons };
    const source = { hooks: ctx.contributions(Hook, changed), queue: ctx.port(HookQueue), current, lost: reasons['netdev.hook'] };
    const gro = { offered: ctx.counter('gro.offered'), merged: ctx.counter('gro.merged') };
    this.#receiver = new Receiver({ ...shared, gro, ingress: (okay) => deviceHooks(source, HOOK_POINT.INGRESS, okay) });
    const list = new SendList();
    list.poller = ctx.poll(list, 'netdev.send');
    this.#transmitter = new Transmitter({
      ...shared,
      outgoing: new Outgoing({ ...shared, cut: ctx.counter('gso.cut'), segments: ctx.counter('gso.segments') }),
      hash: new FlowHash(ethertypes, current, ctx.random),
      waiting: ctx.tally('skb', 'netdev.queue'),
      list,
      egress: (okay) => deviceHooks(source, HOOK_POINT.EGRESS, okay),
    });
  }

  /** In and out again. */
  #backlogs(ctx: ModuleContext, changed: Poll, reasons: Reasons): void {
    const limit = ctx.sysctl.define('net.core.netdev_max_backlog', {
      type: 'int',
      default: 1000,
      min: 0,
      max: 1_000_000,
      summary: 'packets that may wait to be received anew (loopback, tunnels), and as many to be sent anew',
    });
    const parts = { reasons, waiting: ctx.tally('skb', 'netdev.backlog'), maxPackets: () => limit.value };
    const received = new ReceiveBacklog(parts, this.#table, this.#receiver, ctx.clock);
    received.poller = ctx.poll(received, 'netdev.backlog-receive');
    const sent = new SendBacklog(parts, ctx.contributions(NetworkLayer, changed), ctx.current);
    sent.poller = ctx.poll(sent, 'netdev.backlog-send');
    this.#sendBacklog = sent;
    ctx.corridor(Backlog, {
      receive: (skb, device) => received.add(skb, device),
      send: (skb, layer) => sent.add(skb, layer),
    });
  }

  /** What drivers are told and ask: where flows are read, where headers end. */
  #forDrivers(ctx: ModuleContext, changed: Poll): void {
    const counters = {
      steered: ctx.counter('steering.steered'),
      refused: ctx.counter('steering.refused'),
      evicted: ctx.counter('steering.evicted'),
    };
    ctx.corridor(FlowSteering, new FlowSteerer(this.#table, ctx.current, counters));
    for (const parser of linkParsers) ctx.contribute(HeaderParser, parser, 'corridor');
    this.#parsers = new ParserTable(ctx.contributions(HeaderParser, changed));
    ctx.corridor(HeaderSplit, new HeaderWalk(this.#parsers, ctx.current));
  }

  /** Others have come or gone: nothing of who went is kept, and who begins to listen is told of the devices that are there. */
  #changed(): number {
    this.#ethertypes.refresh();
    this.#parsers.refresh();
    this.#receiver.refresh();
    this.#transmitter.refresh();
    this.#sendBacklog.refresh();
    this.#listeners.catchUp();
    return 0;
  }
}
