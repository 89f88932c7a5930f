import type {
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
  Timer,
} from '@softnet/contract';
import { ADDRESS_FAMILY, DEVICE_EVENT, DEVICE_FLAG, Generation } from '@softnet/contract';
import { DstMaker } from './dst-maker.ts';
import { DstUses } from './dst-uses.ts';
import type { Reasons } from './error-dsts.ts';
import { ErrorDsts } from './error-dsts.ts';
import { Exceptions, forgetDst } from './exceptions.ts';
import { Fib } from './fib.ts';
import { Groups } from './groups.ts';
import type { Hop } from './hop.ts';
import { HopSpecs } from './hop-specs.ts';
import { Hops } from './hops.ts';
import { Layers } from './layers.ts';
import { Lookups } from './lookups.ts';
import { bump, RouteService } from './route-service.ts';
import { RouteStore } from './route-store.ts';
import { RuleBook } from './rules.ts';

/** What routing needs of its kernel. */
export interface RouterHost {
  readonly clock: Clock;
  readonly current: CurrentOwner;
  readonly layers: Contributions<NetworkLayer>;
  readonly tunnels: Contributions<LightweightTunnel>;
  readonly policy: Port<PacketPolicy>;
  readonly traffic: Port<DeviceTraffic>;
  /** Of dsts that nobody waits for. */
  readonly uses: Objects<DstUse>;
  readonly reason: Reasons;
  readonly routesLost: Counter;
  readonly seed: () => number;
  readonly exceptionLimit: () => number;
  readonly lifetimeMs: (family: number) => number;
  readonly timer: (fire: () => void, place: string) => Timer;
  /** Somebody said that something has changed: neighbour protocols may have. */
  readonly looked: () => void;
}

/** Tables, next hops, dsts and exceptions, put together. */
export class Router {
  readonly service: RouteService;
  readonly store: RouteStore;
  readonly lookups: Lookups;
  readonly hops: Hops;
  readonly exceptions: Exceptions;
  readonly generation = new Generation();
  readonly #host: RouterHost;
  readonly #fib: Fib;
  readonly #groups: Groups;
  readonly #layers: Layers;
  readonly #errors: ErrorDsts;
  readonly #expiry: Timer;

  constructor(host: RouterHost) {
    const { generation } = this;
    const { traffic, current, policy, tunnels } = host;
    const book = new RuleBook();
    this.#host = host;
    this.#errors = new ErrorDsts(generation, host.uses, host.reason);
    this.#layers = new Layers(host.layers, host.tunnels, current);
    this.#fib = new Fib(book, host.seed() | 0);
    this.#expiry = host.timer(() => this.exceptions.sweep(), 'route.exceptions');
    this.exceptions = new Exceptions({
      clock: host.clock,
      seed: host.seed() | 0,
      limit: host.exceptionLimit,
      wake: (delayMs) => this.#expiry.arm(delayMs * 1000),
    });
    this.hops = new Hops({
      forget: (hop) => this.#forget(hop),
      end: (hop) => this.exceptions.end(hop),
    });
    this.#groups = new Groups(this.hops, traffic);
    const [fib, layers, errors, exceptions] = [this.#fib, this.#layers, this.#errors, this.exceptions];
    const maker = new DstMaker({ generation, errors, layers, tunnels, traffic, current });
    this.lookups = new Lookups({
      ...{ fib, layers, errors, exceptions, maker, policy, current },
      groups: this.#groups,
      relayer: () => this.look(),
    });
    this.store = new RouteStore({
      ...{ book, traffic, hops: this.hops },
      specs: new HopSpecs(book, traffic),
      tryOut: (spec) => {
        this.look();
        maker.tryOut(spec);
      },
      changed: () => this.service.changed(),
    });
    this.service = new RouteService({
      ...{ generation, fib, layers, exceptions, lookups: this.lookups, store: this.store },
      uses: new DstUses(this.lookups, errors, host.uses),
      lifetimeMs: host.lifetimeMs,
      look: () => {
        this.look();
        host.looked();
      },
    });
    this.#findLoopback(null);
  }

  /** Layers that have come or gone: their dsts are made anew. */
  look(): void {
    if (!this.#layers.changed) return;
    const families = this.#layers.look();
    for (const family of families) this.hops.forget(family);
    if (families.length > 0) bump(this.generation);
  }

  /** @param event one of `DEVICE_EVENT`. */
  deviceChanged(device: NetDevice, event: number): void {
    const isLoopback = (device.flags & DEVICE_FLAG.LOOPBACK) !== 0;
    let matters = this.hops.deviceChanged(device, event === DEVICE_EVENT.MTU, event === DEVICE_EVENT.UNREGISTER);
    if (event === DEVICE_EVENT.UNREGISTER) {
      this.#host.routesLost.value += this.store.dropGone();
      this.#groups.deviceGone(device);
    }
    if (isLoopback && (event === DEVICE_EVENT.REGISTER || event === DEVICE_EVENT.UNREGISTER || event === DEVICE_EVENT.MTU)) {
      this.#findLoopback(event === DEVICE_EVENT.UNREGISTER ? device : null);
      this.hops.forget(ADDRESS_FAMILY.UNSPEC);
      matters = true;
    }
    if (matters) bump(this.generation);
  }

  /** Who has a dst of ours asks whoever routes then. */
  close(): void {
    this.#expiry.cancel();
    this.hops.forget(ADDRESS_FAMILY.UNSPEC);
    this.#errors.close();
    bump(this.generation);
  }

  #forget(hop: Hop): void {
    forgetDst(hop);
    this.exceptions.forget(hop);
  }

  #findLoopback(gone: NetDevice | null): void {
    const devices = this.#host.traffic.current.all();
    this.#fib.loopback = devices.find((device) => device !== gone && (device.flags & DEVICE_FLAG.LOOPBACK) !== 0)?.ifindex ?? 0;
  }
}
