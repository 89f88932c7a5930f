import { isOwn } from '../destination.ts';
import type { Hop } from '../hop.ts';
import type { RouteInfo } from '../route-info.ts';

/**
 * The hop for a flow, by weight, the same for the same `hash`; with carrier rather than without. `ifindex`: only on this
 * device; 0: any. `loopback`: LOCAL ways match it too. Null: none is alive there. Allocates nothing.
 *
 * The flow draws a lot for each way, and the best one wins (highest random weight): a way that dies or is taken out moves its own flows only,
 * wherever it stood among the others, and nothing needs to be remembered for it.
 */
export function pickHop(info: RouteInfo, hash: number, ifindex: number, loopback: number): Hop | null {
  const { hops, shares } = info;
  if (hops.length === 1) {
    const hop = hops[0]!;
    return usable(hop, ifindex, loopback) ? hop : null;
  }
  if (shares.buckets !== null) {
    const hop = hops[shares.buckets.pick(hash)];
    if (hop?.running && usable(hop, ifindex, loopback)) return hop;
  }
  return drawAmong(info, hash, ifindex, loopback, true) ?? drawAmong(info, hash, ifindex, loopback, false);
}

/** Whether some way of the route leaves by this device: RFC 3704's question. */
export function leavesBy({ hops }: RouteInfo, ifindex: number): boolean {
  for (let i = 0; i < hops.length; i++) if (hops[i]!.ifindex === ifindex && hops[i]!.alive) return true;
  return false;
}

function drawAmong({ hops, shares }: RouteInfo, hash: number, ifindex: number, loopback: number, running: boolean): Hop | null {
  const { weights, salts, even } = shares;
  let best: Hop | null = null;
  let bestCost = 0;
  for (let i = 0; i < hops.length; i++) {
    const hop = hops[i]!;
    if (!usable(hop, ifindex, loopback) || (running && !hop.running)) continue;
    const lot = draw(hash, salts[i]!) >>> 0;
    // Least of exponential waits, at rates that are the weights; without weights the order is the same without the logarithm.
    const cost = even ? -lot : -Math.log((lot + 0.5) / 0x1_0000_0000) / weights[i]!;
    if (best !== null && cost >= bestCost) continue;
    best = hop;
    bestCost = cost;
  }
  return best;
}

function draw(hash: number, salt: number): number {
  let lot = Math.imul(hash ^ salt, 0x9e3779b1);
  lot = Math.imul(lot ^ (lot >>> 16), 0x85ebca6b) ^ salt;
  lot = Math.imul(lot ^ (lot >>> 13), 0xc2b2ae35);
  return lot ^ (lot >>> 16);
}

/** A LOCAL way is on the device of its address, and on the one that takes packets there. */
function usable(hop: Hop, ifindex: number, loopback: number): boolean {
  return hop.alive && (ifindex === 0 || hop.ifindex === ifindex || (loopback === ifindex && isOwn(hop.spec.type)));
}
