import type { DstUse, Frozen, ModuleContext, Neighbour, NetDevice, Objects, Poll, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DEVICE_EVENT,
  DeviceListener,
  DeviceTraffic,
  LightweightTunnel,
  Module,
  NeighbourProtocol,
  Neighbours,
  NeighbourTable,
  NetworkLayer,
  one,
  optional,
  PacketPolicy,
  Route,
  RouteTables,
} from '@softnet/contract';
import { freezeRoutes, thawRoutes } from './frozen-routes.ts';
import { describeNeighbour, deviceOf, FROZEN_NEIGHBOUR, freezeNeighbour, thawNeighbour } from './neighbour/frozen-neighbour.ts';
import { NeighbourCore } from './neighbour/neighbour-core.ts';
import type { NeighbourSettings } from './neighbour/neighbour-settings.ts';
import { defineNeighbourSettings } from './neighbour/neighbour-settings.ts';
import { Router } from './router.ts';

/**
 * Where packets go, and who is there: routing tables, next hops with their dsts, and the neighbour core. Replaced by hand-over:
 * routes and neighbours are plain data.
 */
@Module({
  name: 'route',
  version: '1.0.0',
  summary: 'routing tables, next hops, neighbours',
  requires: [one(DeviceTraffic), optional(PacketPolicy)],
  provides: [Route, RouteTables, Neighbours, NeighbourTable, DeviceListener],
  registry: true,
})
export class RouteModule implements SoftnetModule {
  #router!: Router;
  #core!: NeighbourCore;

  start(ctx: ModuleContext): void {
    const changed = ctx.poll({ poll: () => this.#look() }, 'route.look');
    this.#core = this.#makeCore(ctx, changed);
    this.#router = this.#makeRouter(ctx, changed);
    ctx.corridor(Route, this.#router.service);
    ctx.corridor(Neighbours, this.#core);
    ctx.door(RouteTables, this.#router.store);
    ctx.door(NeighbourTable, this.#core);
    ctx.contribute(DeviceListener, { deviceChanged: (device, event) => this.#deviceChanged(device, event) }, 'corridor');
  }

  stop(): void {
    this.#core.close();
    this.#router.close();
  }

  freeze(): Frozen {
    return freezeRoutes(this.#router.store);
  }

  thaw(frozen: Frozen): void {
    thawRoutes(frozen, this.#router.store);
  }

  #makeRouter(ctx: ModuleContext, changed: Poll): Router {
    const { sysctl, random } = ctx;
    const seconds = { type: 'int', default: 600, min: 1, max: 86_400 } as const;
    const summary = 'seconds until a path MTU or a redirect is forgotten';
    const ipv4 = sysctl.define('net.ipv4.route.mtu_expires', { ...seconds, summary });
    const ipv6 = sysctl.define('net.ipv6.route.mtu_expires', { ...seconds, summary });
    const limit = sysctl.define('net.route.max_exceptions', {
      ...{ type: 'int', default: 2048, min: 0, max: 1 << 20 },
      summary: 'destinations with a path MTU or a gateway of their own; the oldest goes for a new one',
    });
    return new Router({
      ...{ clock: ctx.clock, current: ctx.current },
      layers: ctx.contributions(NetworkLayer, changed),
      tunnels: ctx.contributions(LightweightTunnel, changed),
      policy: ctx.port(PacketPolicy),
      traffic: ctx.port(DeviceTraffic),
      uses: this.#declareUses(ctx),
      reason: (name, text) => ctx.dropReason(name, text),
      routesLost: ctx.counter('routes-lost'),
      seed: () => random.u32(),
      exceptionLimit: () => limit.value,
      lifetimeMs: (family) => (family === ADDRESS_FAMILY.INET6 ? ipv6 : ipv4).value * 1000,
      timer: (fire, place) => ctx.timer(fire, undefined, place),
      looked: () => this.#core.look(),
    });
  }

  /** Of dsts that hold nobody up. */
  #declareUses(ctx: ModuleContext): Objects<DstUse> {
    const uses: Objects<DstUse> = ctx.objects<DstUse>('idle-use', {
      drain: 'keep',
      close: (use) => {
        use.dst = null;
        uses.release(use);
      },
      ended: (use) => {
        use.dst = null;
      },
    });
    return uses;
  }

  #makeCore(ctx: ModuleContext, changed: Poll): NeighbourCore {
    const { sysctl, clock, current, random } = ctx;
    const resize = (): void => this.#core?.resize();
    const ipv4 = defineNeighbourSettings(sysctl, 'ipv4', resize);
    const ipv6 = defineNeighbourSettings(sysctl, 'ipv6', resize);
    const settings = (family: number): NeighbourSettings => (family === ADDRESS_FAMILY.INET6 ? ipv6 : ipv4);
    const traffic = ctx.port(DeviceTraffic);
    return new NeighbourCore({
      ...{ clock, current, traffic, settings },
      protocols: ctx.contributions(NeighbourProtocol, changed),
      objects: this.#declareNeighbours(ctx),
      owner: ctx,
      seed: () => random.u32(),
      timer: (fire, arg, place) => ctx.timer(fire, arg, place),
      collected: ctx.counter('neighbours-collected'),
      reasons: {
        queueFull: ctx.dropReason('neighbour.queue-full', 'too many packets wait for a neighbour: the oldest goes (RFC 4861 §7.2.2)'),
        gone: ctx.dropReason('neighbour.gone', 'its neighbour was forgotten, or the device went down, while it waited'),
        noRoom: ctx.dropReason('neighbour.no-room', 'no memory for the link header'),
        tableFull: ctx.dropReason('neighbour.table-full', 'there are as many neighbours as may be: see net.ipv4.neigh.default.gc_thresh3'),
      },
    });
  }

  #declareNeighbours(ctx: ModuleContext): Objects<Neighbour> {
    const { clock } = ctx;
    const traffic = ctx.port(DeviceTraffic);
    return ctx.objects<Neighbour>('neighbour', {
      drain: 'keep',
      close: (neighbour) => this.#core.end(neighbour),
      describe: describeNeighbour,
      freeze: (neighbour) => freezeNeighbour(neighbour, clock.nowMs),
      thaws: [FROZEN_NEIGHBOUR],
      thaw: (frozen) => thawNeighbour(frozen, clock.nowMs, (ifindex) => this.#core.thawed(deviceOf(traffic.current, ifindex))),
      settle: (neighbour) => this.#core.settle(neighbour, neighbour.state),
      left: (neighbour) => this.#core.left(neighbour),
    });
  }

  /** Layers or protocols have come or gone: nothing of theirs is kept. */
  #look(): number {
    this.#core.look();
    this.#router.look();
    return 0;
  }

  #deviceChanged(device: NetDevice, event: number): void {
    if (event === DEVICE_EVENT.DOWN || event === DEVICE_EVENT.UNREGISTER) this.#core.deviceGone(device);
    else if (event === DEVICE_EVENT.ADDRESS || (event === DEVICE_EVENT.CHANGE && !device.carrier)) this.#core.flush(device);
    this.#router.deviceChanged(device, event);
  }
}
