import type { DstUse, Frozen, ModuleContext, NetDevice, Objects, Poll, SoftnetModule } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DeviceListener,
  DeviceTraffic,
  LightweightTunnel,
  Module,
  Neighbours,
  NeighbourTable,
  NetworkLayer,
  NextHops,
  one,
  optional,
  PacketPolicy,
  Route,
  RouteListener,
  RouteTables,
  RoutingRules,
} from '@softnet/contract';
import { freezeRouter, thawRouter } from './frozen-router.ts';
import type { NeighbourPart } from './neighbour/start-neighbours.ts';
import { startNeighbours } from './neighbour/start-neighbours.ts';
import { Router } from './router.ts';

/**
 * Where packets go, and who is there: routing tables, next hops with their dsts, and the neighbour core. Replaced by hand-over:
 * routes, rules, next hops, exceptions and neighbours are plain data.
 */
@Module({
  name: 'route',
  version: '1.0.0',
  summary: 'routing tables, next hops, neighbours',
  requires: [one(DeviceTraffic), optional(PacketPolicy)],
  provides: [Route, RouteTables, RoutingRules, NextHops, Neighbours, NeighbourTable, DeviceListener],
  registry: true,
})
export class RouteModule implements SoftnetModule {
  #router!: Router;
  #neighbours!: NeighbourPart;

  start(ctx: ModuleContext): void {
    const changed = ctx.poll({ poll: () => this.#look() }, 'route.look');
    this.#neighbours = startNeighbours(ctx, changed);
    this.#router = this.#makeRouter(ctx, changed);
    ctx.corridor(Route, this.#router.service);
    ctx.door(RouteTables, this.#router.store);
    ctx.door(RoutingRules, this.#router.rules);
    ctx.door(NextHops, this.#router.nextHops);
    ctx.contribute(DeviceListener, { deviceChanged: (device, event) => this.#deviceChanged(device, event) }, 'corridor');
  }

  stop(): void {
    this.#neighbours.core.close();
    this.#router.close();
  }

  freeze(): Frozen {
    return freezeRouter(this.#router);
  }

  thaw(frozen: Frozen): void {
    thawRouter(frozen, this.#router);
  }

  #makeRouter(ctx: ModuleContext, changed: Poll): Router {
    const { sysctl, random } = ctx;
    const seconds = { type: 'int', default: 600, min: 1, max: 86_400 } as const;
    const summary = 'seconds until a path MTU or a redirect is forgotten';
    const ipv4 = sysctl.define('net.ipv4.route.mtu_expires', { ...seconds, summary });
    const ipv6 = sysctl.define('net.ipv6.route.mtu_expires', { ...seconds, summary });
    const limit = sysctl.define('net.route.max_exceptions', {
      ...{ type: 'int', default: 2048, min: 0, max: 1 << 20 },
      summary: 'destinations with a path MTU or a gateway of their own; an old one that nobody uses goes for a new one',
    });
    const limitOfHop = sysctl.define('net.route.max_exceptions_of_hop', {
      ...{ type: 'int', default: 1024, min: 0, max: 1 << 20 },
      summary: 'those behind one next hop; one of its own goes likewise',
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
      listeners: ctx.contributions(RouteListener),
      exceptionLimit: () => limit.value,
      exceptionLimitOfHop: () => limitOfHop.value,
      exceptionsVisited: ctx.counter('exceptions-visited'),
      lifetimeMs: (family) => (family === ADDRESS_FAMILY.INET6 ? ipv6 : ipv4).value * 1000,
      timer: (fire, place) => ctx.timer(fire, undefined, place),
      gateways: this.#neighbours.core,
      looked: () => this.#neighbours.core.look(),
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

  /** Layers or protocols have come or gone: nothing of theirs is kept. */
  #look(): number {
    this.#neighbours.core.look();
    this.#router.look();
    return 0;
  }

  #deviceChanged(device: NetDevice, event: number): void {
    this.#neighbours.deviceChanged(device, event);
    this.#router.deviceChanged(device, event);
  }
}
