import type { AddressWords, NetDevice, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, NetError, ROUTE_TYPE } from '@softnet/contract';
import { isSame } from '../machine/address-kind.ts';

/** Linux's RTPROT_RA. */
const ROUTER_ADVERTISEMENT = 9;
/** Of one link. RFC 4861 §6.3.4 wants two at least. */
const MAX_ROUTERS = 16;
const MAX_ROUTES = 64;
/** Routing tables count in int32 ms; what lives longer is told to them anew. */
const MAX_LIFETIME_MS = 0x3fffffff;
/** A router that repeats itself makes no cached dst stale as long as the time differs by less. */
const SAME_MS = 1000;

/** A way by a router that it has said itself; with a prefix of no bits: it is a default router. */
export interface RouterRoute {
  readonly prefix: AddressWords;
  readonly prefixLen: number;
  /** The router's link-local address. */
  readonly router: AddressWords;
  /** RFC 4191 §2.1: -1, 0, 1. */
  readonly preference: number;
  readonly metric: number;
  /** Kernel ms; Infinity: for ever. */
  readonly untilMs: number;
}

/** One in the tables. */
export interface RankedRoute extends RouterRoute {
  /** 0: its router answers, as far as is known; else behind all that do, and the more so the later it has failed. */
  readonly rank: number;
}

/** The routing tables, as routers' routes need them. */
export interface RouteEdits {
  replace(entry: RouteEntry): void;
  remove(entry: RouteEntry): void;
}

/** What routers of one link say is behind them (RFC 4861 §6.3.4, RFC 4191 §3.1): their routes in the tables. Bounded. */
export class RouterRoutes {
  items: readonly RankedRoute[] = [];
  /** Those that found no place. */
  refused = 0;
  readonly #device: NetDevice;
  readonly #edits: RouteEdits;
  /** When the tables are told anew of what lives longer than they can count. */
  #renewMs = Number.POSITIVE_INFINITY;

  constructor(device: NetDevice, edits: RouteEdits) {
    this.#device = device;
    this.#edits = edits;
  }

  /** When something is to be done; Infinity: never. */
  get nextMs(): number {
    return this.items.reduce((least, { untilMs }) => Math.min(least, untilMs), this.#renewMs);
  }

  /** Each once. */
  get routers(): readonly AddressWords[] {
    const all = this.items.map(({ router }) => router);
    return all.filter((router, index) => all.findIndex((each) => isSame(each, ...router)) === index);
  }

  /** @param route whose time is over: there is none any more. Returns whether it counts. */
  hear(route: RouterRoute, nowMs: number): boolean {
    const index = this.items.findIndex((each) => isOne(each, route));
    const known = this.items[index];
    if (route.untilMs <= nowMs) {
      if (known !== undefined) this.#drop((each) => each === known);
      return known !== undefined;
    }
    if (known === undefined) return this.#begin({ ...route, rank: this.#rankOf(route.router) }, nowMs);
    if (known.preference === route.preference && known.metric === route.metric) {
      const differsMs = Math.abs(known.untilMs - route.untilMs);
      if (differsMs < SAME_MS || known.untilMs === route.untilMs) return true;
    }
    this.#change(known, { ...route, rank: known.rank }, nowMs);
    return true;
  }

  /**
   * A router does not answer, or does so again: those that do go first (RFC 4861 §6.3.6, RFC 4191 §3.2). While none does, each has its turn, as the
   * one that failed last goes to the end. Its routes stand in the tables with a higher metric meanwhile.
   */
  rank(router: AddressWords, isSilent: boolean, nowMs: number): void {
    const others = [...new Set(this.items.filter((each) => !isSame(each.router, ...router)).map(({ rank }) => rank))].filter(
      (rank) => rank > 0,
    );
    others.sort((a, b) => a - b);
    for (const item of this.items) {
      const isIt = isSame(item.router, ...router);
      const rank = isIt ? (isSilent ? others.length + 1 : 0) : others.indexOf(item.rank) + 1;
      if (rank !== item.rank) this.#change(item, { ...item, rank }, nowMs);
    }
  }

  /** It is no router any more (RFC 4861 §7.2.5). */
  dropRouter(router: AddressWords): void {
    this.#drop((each) => isSame(each.router, ...router));
  }

  /** What is over goes; what lives longer than tables can count is told to them again. */
  expire(nowMs: number): void {
    this.#drop(({ untilMs }) => untilMs <= nowMs);
    if (nowMs < this.#renewMs) return;
    this.#renewMs = Number.POSITIVE_INFINITY;
    for (const route of this.items) if (route.untilMs - nowMs > MAX_LIFETIME_MS / 4) this.#install(route, nowMs);
  }

  clear(): void {
    this.#drop(() => true);
  }

  /** Of the last generation, whose routes are in the tables. */
  thaw(items: readonly RankedRoute[]): void {
    this.items = items;
    this.#renewMs = 0;
  }

  #rankOf(router: AddressWords): number {
    return this.items.find((each) => isSame(each.router, ...router))?.rank ?? 0;
  }

  /** The place of a route with another metric is another. */
  #change(from: RankedRoute, to: RankedRoute, nowMs: number): void {
    if (from.metric + from.rank !== to.metric + to.rank) this.#remove(from);
    this.items = this.items.map((each) => (each === from ? to : each));
    this.#install(to, nowMs);
  }

  #begin(route: RankedRoute, nowMs: number): boolean {
    const isDefault = route.prefixLen === 0;
    const others = this.items.filter(({ prefixLen }) => (prefixLen === 0) === isDefault);
    if (others.length >= (isDefault ? MAX_ROUTERS : MAX_ROUTES)) {
      this.refused++;
      return false;
    }
    this.items = [...this.items, route];
    this.#install(route, nowMs);
    return true;
  }

  #drop(isMeant: (route: RankedRoute) => boolean): void {
    const gone = this.items.filter(isMeant);
    if (gone.length === 0) return;
    this.items = this.items.filter((each) => !isMeant(each));
    for (const route of gone) this.#remove(route);
  }

  /** Those behind it that are alike are told again, so that it keeps its place: it may be told anew every few seconds. */
  #install(route: RankedRoute, nowMs: number): void {
    const behind = this.items.slice(this.items.indexOf(route));
    for (const each of behind) if (isAlike(each, route)) this.#put(each, nowMs);
  }

  #put(route: RankedRoute, nowMs: number): void {
    const leftMs = Math.min(route.untilMs - nowMs, MAX_LIFETIME_MS);
    if (leftMs === MAX_LIFETIME_MS) this.#renewMs = Math.min(this.#renewMs, nowMs + MAX_LIFETIME_MS / 2);
    this.#edit(() => this.#edits.replace({ ...this.#entryOf(route), expiresMs: (nowMs + leftMs) | 0 }));
  }

  #remove(route: RankedRoute): void {
    this.#edit(() => this.#edits.remove(this.#entryOf(route)));
  }

  #entryOf({ prefix, prefixLen, router, preference, metric, rank }: RankedRoute): RouteEntry {
    const gateway = { family: ADDRESS_FAMILY.INET6, address: router };
    return {
      ...{ family: ADDRESS_FAMILY.INET6, prefix, prefixLen, type: ROUTE_TYPE.UNICAST, priority: metric + rank, preference },
      nextHops: [{ ifindex: this.#device.ifindex, gateway }],
      source: ROUTER_ADVERTISEMENT,
    };
  }

  /** Somebody may have taken it by hand, or it has expired, or the device is going. */
  #edit(edit: () => void): void {
    try {
      edit();
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
    }
  }
}

function isOne(a: RouterRoute, b: RouterRoute): boolean {
  return a.prefixLen === b.prefixLen && isSame(a.router, ...b.router) && isSame(a.prefix, ...b.prefix);
}

/** Whichever stands first in the tables is taken. */
function isAlike(a: RankedRoute, b: RankedRoute): boolean {
  if (a.prefixLen !== b.prefixLen || !isSame(a.prefix, ...b.prefix)) return false;
  return a.metric + a.rank === b.metric + b.rank && a.preference === b.preference;
}
