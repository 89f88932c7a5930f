import type { Dst, InterfaceAddress, ModuleContext, NetDevice, Objects, SkbStep } from '@softnet/contract';
import { ADDRESS_FAMILY, AddressListener, NetworkLayer, RouteTables } from '@softnet/contract';
import { AddressLives } from '@softnet/inet';
import { Autoconf, GEN_MODE } from '../autoconf/autoconf.ts';
import { StableSecrets } from '../autoconf/stable-secrets.ts';
import { TemporaryAddresses } from '../autoconf/temporary-addresses.ts';
import { DuplicateSearches } from '../dad/duplicate-searches.ts';
import { OwnAddressSender } from '../dad/own-address-sender.ts';
import type { NeighbourSender } from '../machine/neighbour-sender.ts';
import type { Surroundings } from '../machine/surroundings.ts';
import { AddressIndex } from './address-index.ts';
import { AddressRoutes } from './address-routes.ts';
import { AddressSet } from './address-set.ts';
import { Addresses } from './addresses.ts';
import { Anycasts } from './anycasts.ts';
import type { OwnGroups } from './ipv6-link.ts';
import { Ipv6Links } from './ipv6-links.ts';

export interface AddressPartsHost {
  readonly ctx: ModuleContext;
  readonly around: Surroundings;
  /** `NetworkLayer.prepare`. */
  readonly prepare: (dst: Dst) => void;
  /** Of packets that meet a link's dst before it is prepared. */
  readonly discard: SkbStep;
  /** Where links join the groups that they must be in: asked once the parts are together. */
  readonly groups: () => OwnGroups;
}

/** Devices and addresses with what follows from them, put together. */
export class AddressParts {
  readonly links: Ipv6Links;
  readonly door: Addresses;
  readonly objects: Objects<InterfaceAddress>;
  readonly searches: DuplicateSearches;
  readonly autoconf: Autoconf;
  readonly anycasts: Anycasts;
  readonly secrets: StableSecrets;
  readonly #host: AddressPartsHost;
  readonly #set: AddressSet;
  readonly #routes: AddressRoutes;
  readonly #temporary: TemporaryAddresses;
  readonly #lives: AddressLives;
  #sender: OwnAddressSender | null = null;
  /** What was set by hand before is carried over already. */
  #isLive = false;

  constructor(host: AddressPartsHost) {
    const { ctx, around, prepare, discard, groups } = host;
    const { route, current, conf, traffic } = around;
    const { clock } = ctx;
    this.#host = host;
    const index = new AddressIndex();
    const linkOf = (ifindex: number) => this.links.of(ifindex);
    const routes = new AddressRoutes(ctx.port(RouteTables), clock);
    this.#routes = routes;
    const set = new AddressSet({ index, routes, route, current, listeners: ctx.contributions(AddressListener), linkOf });
    this.#set = set;
    this.links = new Ipv6Links({ index, set, routes, route, prepare, discard, conf, groups });
    this.searches = this.#makeSearches();
    set.searches = this.searches;
    const before = ctx.contributions(NetworkLayer).items.findLast(({ family }) => family === ADDRESS_FAMILY.INET6);
    const isBeside = before !== undefined && !before.uses.open;
    this.door = new Addresses({ clock, conf, links: this.links, set, routes, traffic, isBeside });
    this.objects = ctx.objects<InterfaceAddress>('address', this.door.spec);
    set.objects = this.objects;
    this.secrets = new StableSecrets(ctx.sysctl, (device, isBorn) => this.#secretSet(device, isBorn));
    for (const device of traffic.current.all()) this.secrets.know(device);
    this.autoconf = this.#makeAutoconf();
    this.#temporary = this.#makeTemporary();
    this.anycasts = new Anycasts({ conf, routes, route });
    this.#lives = this.#makeLives();
    this.#join();
  }

  /** Neighbor Discovery is there: what is said of addresses can be sent. */
  begin(sender: NeighbourSender): void {
    const { ctx, around } = this.#host;
    const { clock, random } = ctx;
    this.#sender = new OwnAddressSender({
      ...{ clock, random, conf: around.conf, links: this.links, sender },
      timer: (fire) => ctx.timer(fire, undefined, 'ipv6.anycast'),
    });
    this.searches.sender = this.#sender;
  }

  /** Layers have come or gone. Work of a poll. */
  refresh(): number {
    this.#isLive = true;
    return this.links.refresh();
  }

  /** `addr_gen_mode` was set. @param device null: for all, which says nothing of those there are. */
  modeChanged(device: NetDevice | null): void {
    const link = device === null ? null : this.links.of(device.ifindex);
    if (link !== null) this.autoconf.modeChanged(link);
  }

  /** The layer stops. @param succeeded another generation is there, and has the devices' routes. */
  close(succeeded: boolean): void {
    this.links.close(succeeded);
    this.searches.close();
    this.#temporary.close();
    this.#lives.close();
    this.#sender?.close();
  }

  #makeSearches(): DuplicateSearches {
    const { ctx, around } = this.#host;
    const { clock, random, log } = ctx;
    return new DuplicateSearches({
      ...{ clock, random, log, conf: around.conf },
      timer: (fire) => ctx.timer(fire, undefined, 'ipv6.dad'),
      conflicts: ctx.counter('address-conflicts'),
      linkOf: (ifindex) => this.links.of(ifindex),
      settled: (address) => this.#set.settled(address),
      failed: (address) => this.#failed(address),
      contested: (address) => this.#set.changed(address),
    });
  }

  #makeAutoconf(): Autoconf {
    const { ctx, around } = this.#host;
    const { clock, random, log } = ctx;
    return new Autoconf({
      ...{ clock, random, log, conf: around.conf, set: this.#set, secrets: this.secrets, owner: ctx },
      crowded: ctx.counter('addresses-refused'),
      routes: this.#routes,
      objects: () => this.objects,
    });
  }

  #makeTemporary(): TemporaryAddresses {
    const { ctx, around } = this.#host;
    const { clock, random, log } = ctx;
    return new TemporaryAddresses({
      ...{ clock, random, log, conf: around.conf, set: this.#set, owner: ctx },
      timer: (fire) => ctx.timer(fire, undefined, 'ipv6.temporary'),
      objects: () => this.objects,
      links: () => this.links.all,
    });
  }

  #makeLives(): AddressLives {
    const { ctx } = this.#host;
    return new AddressLives({
      clock: ctx.clock,
      timer: (fire) => ctx.timer(fire, undefined, 'ipv6.lives'),
      entries: () => this.links.addresses,
      changed: (entry) => this.#set.changed(entry),
      expired: (entry) => this.#set.take(entry),
    });
  }

  /** Who follows whom: link-local addresses are there before others hear of a link. */
  #join(): void {
    this.#set.follow({ addressChanged: () => this.#lives.look() });
    this.#set.follow(this.links);
    this.#set.follow(this.anycasts);
    this.#set.follow(this.#temporary);
    this.links.listen(this.autoconf);
    this.links.listen(this.anycasts);
  }

  #failed(address: InterfaceAddress): void {
    this.#set.failed(address);
    const link = this.links.of(address.device.ifindex);
    if (link === null || address.holdNext === null) return;
    if (!this.autoconf.failed(link, address)) this.#temporary.failed(link, address);
  }

  /** As in Linux: who sets a secret wants addresses of it, on all devices that are there. New ones follow by the secret, not by a mode of `default`. */
  #secretSet(device: NetDevice | null, isBorn: boolean): void {
    const { around } = this.#host;
    // A value of the last generation, or from the start, comes with its own mode.
    if (!this.#isLive && !isBorn) return;
    for (const { ifindex } of device === null ? around.traffic.current.all() : [device]) {
      around.conf.set(ifindex, 'addr_gen_mode', GEN_MODE.STABLE);
    }
  }
}
