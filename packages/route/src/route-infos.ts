import type { HopSpec } from './hop.ts';
import type { Hops } from './hops.ts';
import type { RouteInfoSpec } from './route-info.ts';
import { keyOfInfo, RouteInfo } from './route-info.ts';

/** All infos of routes, one of each kind: a million routes by one gateway have one. */
export class RouteInfos {
  readonly #hops: Hops;
  readonly #byKey = new Map<string, RouteInfo>();

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
      info = new RouteInfo(key, spec, hops);
      this.#byKey.set(key, info);
    } else for (const hop of hops) this.#hops.give(hop);
    info.users++;
    return info;
  }

  give(info: RouteInfo): void {
    if (--info.users > 0) return;
    this.#byKey.delete(info.key);
    for (const hop of info.hops) this.#hops.give(hop);
  }
}
