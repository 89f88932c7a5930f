import type { InterfaceAddress, ModuleContext, Objects } from '@softnet/contract';
import { AddressListener, RouteTables } from '@softnet/contract';
import { AddressLives } from '@softnet/inet';
import { AddressClaims } from '../acd/address-claims.ts';
import type { ArpWays } from '../arp/arp.ts';
import { ArpProxy } from '../arp/arp-proxy.ts';
import { ArpSender } from '../arp/arp-sender.ts';
import { ProxyAnswers } from '../arp/proxy-answers.ts';
import { LinkLocalDevices } from '../link-local/link-local-devices.ts';
import type { Ipv4Parts } from '../parts.ts';
import { AddressSet } from './address-set.ts';
import { Addresses } from './addresses.ts';
import { LinkRoutes } from './link-routes.ts';
import { LostRoutes } from './lost-routes.ts';

/** Linux's unit of `proxy_delay`: 1/100 s. */
const TICK_US = 10_000;

/** What the module needs of addresses and ARP. */
export interface AddressWays {
  readonly door: Addresses;
  readonly objects: Objects<InterfaceAddress>;
  readonly linkLocal: LinkLocalDevices;
  readonly arp: ArpWays;
  /** No timer of theirs is armed any more. */
  close(): void;
}

/** Addresses with what follows from them, put together. */
export function makeAddresses(ctx: ModuleContext, parts: Ipv4Parts): AddressWays {
  const { book, clock, conf, route, traffic, current, settings } = parts;
  const { random } = ctx;
  const timer = (place: string) => (fire: () => void) => ctx.timer(fire, undefined, place);
  const sender = new ArpSender(parts);
  const tables = ctx.port(RouteTables);
  const routes = new LinkRoutes(tables, (message, fields) => ctx.log.warn(message, fields));
  const lostRoutes = new LostRoutes(route, tables, book);
  const listeners = ctx.contributions(AddressListener);
  const set = new AddressSet({ book, conf, current, arp: sender, route, routes, lostRoutes, listeners });
  const linkLocal = new LinkLocalDevices({ book, conf, set, owner: ctx });
  const lives = new AddressLives({
    ...{ clock, timer: timer('ipv4.lives'), entries: () => book.entries },
    changed: (entry) => set.changed(entry),
    expired: (entry) => door.expire(entry),
  });
  const claims = new AddressClaims({
    ...{ clock, random, arp: sender, timer: timer('ipv4.claims') },
    probed: (entry) => set.probed(entry),
    claimed: (entry) => set.claimed(entry),
    lost: (entry) => {
      if (!linkLocal.lost(entry)) set.lost(entry);
    },
  });
  set.claims = claims;
  set.looked = () => {
    lives.look();
    linkLocal.lookAll(traffic.current.all());
  };
  const door = new Addresses({ book, conf, clock, set, claims, lives, linkLocal, routes, traffic, owner: ctx });
  const objects = ctx.objects<InterfaceAddress>('address', door.spec);
  door.begin(objects);
  const delayUs = (): number => settings.proxyDelayTicks.value * TICK_US;
  const delayed = new ProxyAnswers({ clock, random, arp: sender, timer: timer('ipv4.proxy'), delayUs });
  const close = (): void => {
    door.close();
    delayed.close();
  };
  return { door, objects, linkLocal, arp: { sender, delayed, claims, proxy: new ArpProxy(parts) }, close };
}
