import type { Hop, HopSpec } from './hop.ts';
import type { Hops } from './hops.ts';
import type { RouteInfoSpec, Shares } from './route-info.ts';
import { keyOfInfo, RouteInfo, sharesOf } from './route-info.ts';

/** Who gives infos their ways where a next-hop object does. */
export interface InfoBinder {
  /** How the ways of an object or group share. */
  sharesOf(id: number): Shares;
  /** The info uses the object of its `nextHopId`, until it is unbound. */
  bind(info: RouteInfo): void;
  unbind(info: RouteInfo): void;
}

/** All infos of routes, one of each kind: a million routes by one gateway have one. */
export class RouteInfos {
  readonly #hops: Hops;
  readonly #byKey = new Map<string, RouteInfo>();
  /** Set when both are made. */
  binder: InfoBinder | null = null;
  #serial = 0;

  constructor(hops: Hops) {
    this.#hops = hops;
  }

  get count(): number {
    return this.#byKey.size;
  }

  /** One more route uses the info that is like this; made if need be. */
  take(spec: RouteInfoSpec, hopSpecs: readonly HopSpec[]): RouteInfo {
    const hops = hopSpecs.map((hop) => this.#hops.take(hop));
    const key = keyOfInfo(spec, hops);
    let info = this.#byKey.get(key);
    if (info === undefined) {
      info = this.#make(key, spec, hops);
      this.#byKey.set(key, info);
    } else for (const hop of hops) this.#hops.give(hop);
    info.users++;
    return info;
  }

  give(info: RouteInfo): void {
    if (--info.users > 0) return;
    this.#byKey.delete(info.key);
    if (info.nextHopId !== 0) this.binder!.unbind(info);
    for (const hop of info.hops) this.#hops.give(hop);
  }

  /** Its next-hop object has changed: other ways from now on, for all routes that use it. */
  rebind(info: RouteInfo, hopSpecs: readonly HopSpec[], shares: Shares): void {
    const before = info.hops;
    info.hops = hopSpecs.map((hop) => this.#hops.take(hop));
    info.shares = shares;
    for (const hop of before) this.#hops.give(hop);
  }

  #make(key: string, spec: RouteInfoSpec, hops: readonly Hop[]): RouteInfo {
    const serial = ++this.#serial;
    if (spec.nextHopId === 0) return new RouteInfo(key, serial, spec, hops, sharesOf(hops, spec.weights));
    const info = new RouteInfo(key, serial, spec, hops, this.binder!.sharesOf(spec.nextHopId));
    this.binder!.bind(info);
    return info;
  }
}
