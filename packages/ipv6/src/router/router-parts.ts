import type { AddressWords, Change, Dst, ModuleContext, Neighbour, NetDevice, Skb, SkbStep } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  DEVICE_EVENT,
  DeviceListener,
  DeviceTraffic,
  NameServers,
  NEIGHBOUR_STATE,
  NeighbourListener,
  NetError,
  RouterAdvertisements,
  RouteTables,
} from '@softnet/contract';
import type { AdvertisedLink } from '../advertiser/advertised-link.ts';
import { FROZEN_ADVERTISED, freezeAdvertised, thawAdvertised } from '../advertiser/advertised-link.ts';
import { Advertiser } from '../advertiser/advertiser.ts';
import { NeighbourProxy } from '../advertiser/neighbour-proxy.ts';
import { ProxyGroups } from '../advertiser/proxy-groups.ts';
import { RedirectSender } from '../advertiser/redirect-sender.ts';
import type { Ipv6Link } from '../device/ipv6-link.ts';
import type { Ipv6Links } from '../device/ipv6-links.ts';
import type { LinkListener } from '../device/link-listener.ts';
import { LINK_EVENT } from '../device/link-listener.ts';
import type { NeighbourSender } from '../machine/neighbour-sender.ts';
import type { Ipv6Output } from '../machine/output.ts';
import type { Ipv6Reason } from '../machine/reasons.ts';
import type { ForwardAids, RouterMessages } from '../machine/router-messages.ts';
import type { Surroundings } from '../machine/surroundings.ts';
import type { NdMessage } from '../wire/neighbour-message.ts';
import type { PrefixListener } from './heed-advertisement.ts';
import { FROZEN_ROUTERS, freezeRouters, frozenIfindex, LinkRouters, thawRouters } from './link-routers.ts';
import { NdSender } from './nd-sender.ts';
import { Redirects } from './redirects.ts';
import { RouterDiscovery } from './router-discovery.ts';
import type { RouteEdits } from './router-routes.ts';
import { hasLinkAddress } from './router-watch.ts';
import { solicitRouters } from './solicit-routers.ts';

/** What discovery of routers needs of the rest of the module. */
export interface RouterPartsHost {
  readonly ctx: ModuleContext;
  readonly around: Surroundings;
  readonly links: Ipv6Links;
  readonly output: Ipv6Output;
  readonly prefixes: PrefixListener;
  readonly sender: NeighbourSender;
  /** `Dst.input` of what is for this host. */
  readonly accept: SkbStep;
  /** Asks for a neighbour, by a group. */
  readonly solicit: (neighbour: Neighbour) => void;
}

/** Router discovery in its module, both sides of it: its objects, timers and points, put together (RFC 4861 §6, §8). */
export class RouterParts implements RouterMessages, ForwardAids, LinkListener, NeighbourListener, DeviceListener {
  readonly accept: SkbStep;
  readonly discovery: RouterDiscovery;
  readonly advertiser: Advertiser;
  readonly #redirectSender: RedirectSender;
  readonly #proxy: NeighbourProxy;
  readonly #proxyGroups: ProxyGroups;
  readonly #host: RouterPartsHost;
  readonly #redirects: Redirects;

  constructor(host: RouterPartsHost) {
    const { ctx, around, links, output } = host;
    const sender = new NdSender(around, output);
    this.#host = host;
    this.discovery = this.#makeDiscovery(sender);
    this.discovery.timer = ctx.timer(() => this.discovery.fire(), null, 'ipv6.routers');
    this.advertiser = this.#makeAdvertiser(sender);
    this.advertiser.timer = ctx.timer(() => this.advertiser.fire(), null, 'ipv6.advertise');
    this.#redirects = new Redirects({ around, links });
    this.#redirectSender = new RedirectSender({ around, links, sender, clock: ctx.clock, secret: ctx.random.u32() });
    this.accept = host.accept;
    this.#proxy = new NeighbourProxy({
      ...{ around, links, sender: host.sender, clock: ctx.clock, delayTicks: around.settings.proxyDelayTicks },
      timer: (fire) => ctx.timer(fire, undefined, 'ipv6.proxy'),
    });
    this.#proxyGroups = new ProxyGroups({ around, links, poll: (look) => ctx.poll({ poll: look }, 'ipv6.proxy-groups') });
  }

  publish(): void {
    const { ctx } = this.#host;
    ctx.contribute(NameServers, this.discovery, 'corridor');
    ctx.contribute(NeighbourListener, this, 'corridor');
    ctx.contribute(DeviceListener, this, 'corridor');
    ctx.door(RouterAdvertisements, this.advertiser);
  }

  // RouterMessages.

  solicited(skb: Skb, { device }: { readonly device: NetDevice }, message: NdMessage): Ipv6Reason | null {
    return this.advertiser.solicited(skb, this.#linkOf(device), message);
  }

  advertised(skb: Skb, { device }: { readonly device: NetDevice }, message: NdMessage): Ipv6Reason | null {
    const link = this.#linkOf(device);
    this.advertiser.advertised(skb, link);
    return this.discovery.advertised(skb, link, message);
  }

  redirected(skb: Skb, { device }: { readonly device: NetDevice }, message: NdMessage): Ipv6Reason | null {
    return this.#redirects.redirected(skb, this.#linkOf(device), message);
  }

  askedForOther(skb: Skb, { device }: { readonly device: NetDevice }, message: NdMessage): Ipv6Reason | null {
    return this.#proxy.asked(skb, this.#linkOf(device), message);
  }

  isAwaited({ device }: { readonly device: NetDevice }, word0: number, word1: number, word2: number, word3: number): boolean {
    return this.discovery.isAwaited(device, word0, word1, word2, word3);
  }

  // ForwardAids.

  isAsked(skb: Skb): boolean {
    return this.#proxy.isAsked(skb);
  }

  goesBack(skb: Skb, dst: Dst): void {
    this.#redirectSender.consider(skb, dst);
  }

  /** The layer stops. */
  close(): void {
    this.#proxy.close();
  }

  linkChanged(link: Ipv6Link, event: number): void {
    this.discovery.linkChanged(link, event);
    this.advertiser.linkChanged(link, event);
    if (event === LINK_EVENT.END) this.#proxyGroups.linkEnded(link);
    if (event === LINK_EVENT.BEGIN || event === LINK_EVENT.FORWARDING) this.proxyChanged();
  }

  deviceChanged(device: NetDevice, event: number): void {
    if (event === DEVICE_EVENT.GOING_DOWN) this.advertiser.goingDown(device);
  }

  neighbourChanged(change: Change, neighbour: Neighbour): void {
    this.discovery.neighbourChanged(change, neighbour);
    const { family, state, address0, address1, address2, address3 } = neighbour;
    if (family !== ADDRESS_FAMILY.INET6) return;
    if (state === NEIGHBOUR_STATE.FAILED) this.#redirects.failed([address0, address1, address2, address3]);
    else if (change !== 'remove' && hasLinkAddress(neighbour)) this.#redirects.heard(neighbour);
  }

  /** Also: `proxy_ndp` was set. */
  proxyChanged(): void {
    this.#proxyGroups.changed();
  }

  #linkOf({ ifindex }: NetDevice): Ipv6Link {
    return this.#host.links.of(ifindex)!;
  }

  #makeDiscovery(sender: NdSender): RouterDiscovery {
    const { ctx, around, links, prefixes } = this.#host;
    const edits = editsOf(ctx);
    const make = (device: NetDevice): LinkRouters => new LinkRouters(device, edits, () => around.random.fraction());
    const objects = ctx.objects<LinkRouters>('routers', {
      drain: 'park',
      inherited: true,
      close: (state) => this.discovery.close(state),
      describe: ({ device, routes }) => `${routes.items.length} routes by routers on ${device.name}`,
      freeze: (state) => freezeRouters(state, links.of(state.device.ifindex)?.onLink ?? []),
      thaws: [FROZEN_ROUTERS],
      thaw: (frozen) => thawRouters(frozen, make(deviceOf(ctx, frozenIfindex(frozen)))),
      settle: (state) => this.discovery.settle(state),
      left: (state) => this.discovery.left(state),
    });
    return new RouterDiscovery({
      ...{ around, objects, make, prefixes, owner: ctx, clock: ctx.clock },
      linkOf: (ifindex) => links.of(ifindex),
      isOurs: (address, ifindex) => links.find(...address, ifindex) !== null,
      solicit: (link) => solicitRouters(sender, link),
      probe: (link, router) => this.#probe(link, router),
      refused: ctx.counter('routers-refused'),
    });
  }

  #makeAdvertiser(sender: NdSender): Advertiser {
    const { ctx, around, links } = this.#host;
    const fraction = (): number => around.random.fraction();
    const objects = ctx.objects<AdvertisedLink>('advertisement', {
      drain: 'park',
      park: (link) => this.advertiser.park(link),
      resume: (link) => this.advertiser.resume(link),
      close: (link) => this.advertiser.end(link),
      describe: ({ device }) => `router advertisements on ${device.name}`,
      freeze: freezeAdvertised,
      thaws: [FROZEN_ADVERTISED],
      thaw: (frozen) => thawAdvertised(frozen, (ifindex) => deviceOf(ctx, ifindex), fraction),
      settle: (link) => this.advertiser.settle(link),
      left: (link) => this.advertiser.left(link),
    });
    return new Advertiser({
      ...{ around, objects, sender, fraction, owner: ctx, clock: ctx.clock },
      linkOf: (ifindex) => links.of(ifindex),
      warn: (message) => ctx.log.warn(message),
    });
  }

  #probe({ device }: Ipv6Link, router: AddressWords): void {
    const { around, solicit } = this.#host;
    const neighbour = around.neighbours.current.find(device, ADDRESS_FAMILY.INET6, ...router);
    if (neighbour?.state === NEIGHBOUR_STATE.FAILED) solicit(neighbour);
  }
}

/** While route leaves, its tables go anyhow. */
function editsOf(ctx: ModuleContext): RouteEdits {
  const tables = ctx.port(RouteTables);
  return {
    replace: (entry) => {
      if (tables.present) tables.current.replace(entry);
    },
    remove: (entry) => {
      if (tables.present) tables.current.remove(entry);
    },
  };
}

/** @throws NetError ENODEV. */
function deviceOf(ctx: ModuleContext, ifindex: number): NetDevice {
  const device = ctx.port(DeviceTraffic).current.byIndex(ifindex);
  if (device === null) throw new NetError('ENODEV', `device ${ifindex}, whose routers were known, is not there`);
  return device;
}
