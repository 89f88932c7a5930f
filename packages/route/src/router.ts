import type {
  AddressWords,
  Clock,
  Contributions,
  Counter,
  CurrentOwner,
  DeviceTraffic,
  DstUse,
  LightweightTunnel,
  NetDevice,
  NetworkLayer,
  Objects,
  PacketPolicy,
  Port,
  RouteListener,
  Timer,
} from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, DEVICE_FLAG, Generation, ROUTE_TYPE } from '@softnet/contract';
import { DstMaker } from './dst-maker.ts';
import { DstUses } from './dst-uses.ts';
import type { Reasons } from './error-dsts.ts';
import { ErrorDsts } from './error-dsts.ts';
import type { Destination, RouteException } from './exceptions.ts';
import { Exceptions, forgetDst } from './exceptions.ts';
import { Fib } from './fib.ts';
import { Groups } from './groups.ts';
import type { Hop, HopSpec } from './hop.ts';
import { HopSpecs } from './hop-specs.ts';
import { Hops } from './hops.ts';
import { Layers } from './layers.ts';
import { Lookups } from './lookups.ts';
import { NextHopStore } from './next-hop/next-hop-store.ts';
import { RouteExpiry } from './route-expiry.ts';
import { RouteInfos } from './route-infos.ts';
import { RouteListeners } from './route-listeners.ts';
import { bump, RouteService } from './route-service.ts';
import { RouteStore } from './route-store.ts';
import { RuleStore } from './rule/rule-store.ts';
import { RuleBook } from './rules.ts';

/** Who is told which neighbours next hops lead by. */
interface GatewayWatch {
  hopBegins(device: NetDevice, family: number, address: AddressWords): void;
  hopEnds(device: NetDevice, family: number, address: AddressWords): void;
}

/** What routing needs of its kernel. */
export interface RouterHost {
  readonly clock: Clock;
  readonly current: CurrentOwner;
  readonly layers: Contributions<NetworkLayer>;
  readonly tunnels: Contributions<LightweightTunnel>;
  readonly policy: Port<PacketPolicy>;
  readonly listeners: Contributions<RouteListener>;
  readonly traffic: Port<DeviceTraffic>;
  readonly gateways: GatewayWatch;
  /** Of dsts that nobody waits for. */
  readonly uses: Objects<DstUse>;
  readonly reason: Reasons;
  readonly routesLost: Counter;
  readonly seed: () => number;
  readonly exceptionLimit: () => number;
  readonly exceptionLimitOfHop: () => number;
  /** How many exceptions were looked at to drop some. */
  readonly exceptionsVisited: Counter;
  readonly lifetimeMs: (family: number) => number;
  readonly timer: (fire: () => void, place: string) => Timer;
  /** Somebody said that something has changed: neighbour protocols may have. */
  readonly looked: () => void;
}

/** Tables, next hops, dsts and exceptions, put together. */
export class Router {
  readonly service: RouteService;
  readonly store: RouteStore;
  readonly rules: RuleStore;
  readonly nextHops: NextHopStore;
  readonly lookups: Lookups;
  readonly hops: Hops;
  readonly exceptions: Exceptions;
  readonly generation = new Generation();
  readonly fib: Fib;
  readonly #host: RouterHost;
  readonly #book: RuleBook;
  readonly #listeners: RouteListeners;
  readonly #expiry: RouteExpiry;
  readonly #groups: Groups;
  readonly #layers: Layers;
  readonly #errors: ErrorDsts;
  readonly #aging: Timer;

  constructor(host: RouterHost) {
    const { generation } = this;
    const { traffic, current, policy, tunnels, clock } = host;
    this.#host = host;
    this.#book = new RuleBook(host.seed);
    this.#listeners = new RouteListeners(host.listeners, current);
    this.#errors = new ErrorDsts(generation, host.uses, host.reason);
    this.#layers = new Layers(host.layers, host.tunnels, current);
    this.#aging = host.timer(() => this.exceptions.sweep(), 'route.exceptions');
    this.exceptions = new Exceptions({
      ...{ clock, seed: host.seed() | 0, limit: host.exceptionLimit, limitOfHop: host.exceptionLimitOfHop },
      visited: host.exceptionsVisited,
      wake: (delayMs) => this.#aging.arm(delayMs * 1000),
    });
    this.hops = this.#makeHops(host);
    this.fib = new Fib(this.#book, this.hops, host.seed() | 0);
    this.#groups = new Groups(this.hops, traffic);
    const maker = new DstMaker({ generation, errors: this.#errors, layers: this.#layers, tunnels, traffic, current });
    this.lookups = new Lookups({
      ...{ fib: this.fib, layers: this.#layers, errors: this.#errors, exceptions: this.exceptions, maker, policy, current },
      groups: this.#groups,
      relayer: () => this.look(),
    });
    this.rules = new RuleStore({ book: this.#book, listeners: this.#listeners, changed: () => this.#publish() });
    this.#expiry = new RouteExpiry(clock, host.timer, (table, prefix, over) => this.store.expire(table, prefix, over));
    const infos = new RouteInfos(this.hops);
    const specs = new HopSpecs(this.#book, traffic, (id, family) => this.nextHops.hopsFor(id, family));
    const tryOut = (spec: HopSpec): void => {
      this.look();
      maker.tryOut(spec);
    };
    this.store = this.#makeStore(infos, specs, tryOut);
    this.nextHops = this.#makeNextHops(infos, specs, tryOut);
    infos.binder = this.nextHops;
    this.service = this.#makeService();
    this.#nameDevices(null);
    this.#findLoopback(null);
  }

  /** Layers that have come or gone: their dsts are made anew. */
  look(): void {
    if (!this.#layers.changed) return;
    const families = this.#layers.look();
    for (const family of families) this.hops.forget(family);
    if (families.length === 0) return;
    this.hops.refresh();
    bump(this.generation);
  }

  /** @param event one of `DEVICE_EVENT`. */
  deviceChanged(device: NetDevice, event: number): void {
    const isLoopback = (device.flags & DEVICE_FLAG.LOOPBACK) !== 0;
    let matters = this.hops.deviceChanged(device, event === DEVICE_EVENT.MTU, event === DEVICE_EVENT.UNREGISTER);
    const gone = event === DEVICE_EVENT.UNREGISTER ? device : null;
    const news = gone === null ? [] : this.#lose(gone);
    if (event === DEVICE_EVENT.REGISTER || event === DEVICE_EVENT.NAME || gone !== null) matters = this.#nameDevices(gone) || matters;
    if (isLoopback && (event === DEVICE_EVENT.REGISTER || event === DEVICE_EVENT.UNREGISTER || event === DEVICE_EVENT.MTU)) {
      this.#findLoopback(event === DEVICE_EVENT.UNREGISTER ? device : null);
      this.hops.forget(ADDRESS_FAMILY.UNSPEC);
      matters = true;
    }
    if (matters) bump(this.generation);
    this.#listeners.several(news);
  }

  /** What the last generation knew of a destination behind the hop of this key. Null: there is no such hop, or its time is over. */
  restoreException(key: string, realms: number, destination: Destination, expiresMs: number): RouteException | null {
    const hop = this.hops.find(key);
    const leftMs = (expiresMs - this.#host.clock.nowMs) | 0;
    if (hop === null || leftMs <= 0) return null;
    return this.exceptions.learn(this.hops.withRealms(hop, realms), destination, leftMs);
  }

  /** Who has a dst of ours asks whoever routes then. */
  close(): void {
    this.#aging.cancel();
    this.#expiry.close();
    this.nextHops.close();
    this.hops.forget(ADDRESS_FAMILY.UNSPEC);
    this.#errors.close();
    bump(this.generation);
  }

  /** Of what is configured here. What others may have changed is looked at when they say so. */
  #publish(): void {
    this.look();
    bump(this.generation);
  }

  #makeHops(host: RouterHost): Hops {
    return new Hops({
      forget: (hop) => this.#forget(hop),
      begin: ({ spec: { device, gatewayFamily, gateway } }) => {
        if (device !== null && gatewayFamily !== 0) host.gateways.hopBegins(device, gatewayFamily, gateway);
      },
      end: (hop) => {
        const { device, gatewayFamily, gateway } = hop.spec;
        this.exceptions.end(hop);
        if (device !== null && gatewayFamily !== 0) host.gateways.hopEnds(device, gatewayFamily, gateway);
      },
      needsCarrier: (family, device) => this.#layers.needsCarrier(family, device),
    });
  }

  #makeStore(infos: RouteInfos, specs: HopSpecs, tryOut: (spec: HopSpec) => void): RouteStore {
    return new RouteStore({
      ...{ infos, specs, tryOut, traffic: this.#host.traffic, generation: this.generation },
      ...{ book: this.#book, expiry: this.#expiry, listeners: this.#listeners },
      layerLeaves: (family) => this.#layers.leaves(family),
      changed: () => this.#publish(),
    });
  }

  #makeNextHops(infos: RouteInfos, specs: HopSpecs, tryOut: (spec: HopSpec) => void): NextHopStore {
    return new NextHopStore({
      ...{ clock: this.#host.clock, listeners: this.#listeners, timer: this.#host.timer },
      checkHop: (object, hop, trusted) => {
        const checked = specs.ofHop(object, hop, trusted);
        const like = { family: object.family, type: ROUTE_TYPE.UNICAST };
        if (!trusted) for (const spec of specs.ofObject(like, [checked])) tryOut(spec);
        return checked;
      },
      specsOf: (info, hops) => specs.ofObject(info, hops),
      rebind: (info, hopSpecs, shares) => infos.rebind(info, hopSpecs, shares),
      dropRoutes: (of) => this.store.dropOf(of),
      changed: () => this.#publish(),
    });
  }

  #makeService(): RouteService {
    const { generation, fib, lookups, exceptions, hops, store, nextHops } = this;
    return new RouteService({
      ...{ generation, fib, lookups, exceptions, hops, store, nextHops, layers: this.#layers, book: this.#book },
      ruleStore: this.rules,
      uses: new DstUses(this.lookups, this.#errors, this.#host.uses),
      lifetimeMs: this.#host.lifetimeMs,
      look: () => {
        this.look();
        this.#host.looked();
        if (this.#layers.carrierMatters) this.hops.refresh();
      },
    });
  }

  /** The device is gone, with its next hops and routes. Returns what listeners are to be told. */
  #lose(device: NetDevice): readonly (() => void)[] {
    const news = this.nextHops.dropGone(device.ifindex);
    const lost = this.store.dropGone();
    this.#host.routesLost.value += lost.length;
    this.#groups.deviceGone(device);
    return [...news, ...lost.map((entry) => () => this.#listeners.route('remove', entry))];
  }

  /** Rules know devices by their names. @param gone its name is free. Returns whether lookups may answer otherwise. */
  #nameDevices(gone: NetDevice | null): boolean {
    const devices = this.#host.traffic.current.all();
    return this.#book.devicesNamed((name) => devices.find((device) => device !== gone && device.name === name)?.ifindex ?? 0);
  }

  #forget(hop: Hop): void {
    forgetDst(hop);
    this.exceptions.forget(hop);
  }

  #findLoopback(gone: NetDevice | null): void {
    const devices = this.#host.traffic.current.all();
    this.fib.loopback = devices.find((device) => device !== gone && (device.flags & DEVICE_FLAG.LOOPBACK) !== 0)?.ifindex ?? 0;
  }
}
