import type { AddressWords, NextHop } from '@softnet/contract';
import { isOwn } from './destination.ts';

import type { Hop } from './hop.ts';

/** What many routes have alike: type, next hops and how they share. One of each kind. Linux's `struct fib_info`. */
export class RouteInfo {
  readonly type: number;
  /** Empty for the types that need none. */
  readonly hops: readonly Hop[];
  /** By hop, 1 to 256. */
  readonly weights: readonly number[];
  readonly metrics: Int32Array | null;
  readonly realms: number;
  readonly preferredSource: AddressWords | null;
  readonly source: number;
  readonly key: string;
  users = 0;

  constructor(key: string, spec: RouteInfoSpec, hops: readonly Hop[]) {
    this.key = key;
    this.type = spec.type;
    this.hops = hops;
    this.weights = spec.weights;
    this.metrics = spec.metrics;
    this.realms = spec.realms;
    this.preferredSource = spec.preferredSource;
    this.source = spec.source;
  }

  /** The next hops as they were configured. */
  get nextHops(): NextHop[] {
    return this.hops.flatMap(({ spec, ifindex }, index) => {
      if (ifindex === 0) return [];
      const { gatewayFamily, gateway, encap } = spec;
      const weight = this.weights[index]!;
      return {
        ifindex,
        ...(gatewayFamily === 0 ? {} : { gateway: { family: gatewayFamily, address: gateway } }),
        ...(weight === 1 ? {} : { weight }),
        ...(encap === null ? {} : { encap }),
      };
    });
  }
}

export interface RouteInfoSpec {
  readonly type: number;
  readonly weights: readonly number[];
  readonly metrics: Int32Array | null;
  readonly realms: number;
  readonly preferredSource: AddressWords | null;
  readonly source: number;
}

/** Equal for equal infos, and for no others. */
export function keyOfInfo({ type, weights, metrics, realms, preferredSource, source }: RouteInfoSpec, hops: readonly Hop[]): string {
  const serials = hops.map(({ serial }) => serial);
  return JSON.stringify([type, weights, metrics === null ? 0 : [...metrics], realms, preferredSource, source, serials]);
}

/**
 * The hop for a flow, by weight, the same for the same `hash`; with carrier rather than without. `ifindex`: only on this
 * device; 0: any. `loopback`: LOCAL ways match it too. Null: none is alive there. The remaining ways take over the flows
 * of one that dies. Allocates nothing.
 */
export function pickHop(info: RouteInfo, hash: number, ifindex: number, loopback: number): Hop | null {
  const { hops } = info;
  if (hops.length === 1) {
    const hop = hops[0]!;
    return usable(hop, ifindex, loopback) ? hop : null;
  }
  return pickAmong(info, hash, ifindex, loopback, true) ?? pickAmong(info, hash, ifindex, loopback, false);
}

function pickAmong(info: RouteInfo, hash: number, ifindex: number, loopback: number, running: boolean): Hop | null {
  const { hops, weights } = info;
  let total = 0;
  for (let i = 0; i < hops.length; i++) {
    if (usable(hops[i]!, ifindex, loopback) && (!running || hops[i]!.running)) total += weights[i]!;
  }
  if (total === 0) return null;
  let left = Math.floor(((hash >>> 1) * total) / 0x80000000);
  for (let i = 0; i < hops.length; i++) {
    const hop = hops[i]!;
    if (!usable(hop, ifindex, loopback) || (running && !hop.running)) continue;
    left -= weights[i]!;
    if (left < 0) return hop;
  }
  return null;
}

/** A LOCAL way is on the device of its address, and on the one that takes packets there. */
function usable(hop: Hop, ifindex: number, loopback: number): boolean {
  return hop.alive && (ifindex === 0 || hop.ifindex === ifindex || (loopback === ifindex && isOwn(hop.spec.type)));
}
