import type { Links, Surroundings } from './surroundings.ts';

/** Every link carries as much (RFC 8200 §5). */
export const IPV6_MIN_MTU = 1280;

/** Hop limit of packets whose socket and route say none: what a router said of the link (RFC 4861 §6.3.4), else the setting. */
export function hopLimitOn({ conf }: Surroundings, links: Links, ifindex: number): number {
  const said = links.of(ifindex)?.hopLimit ?? 0;
  return said > 0 ? said : conf.value(ifindex, 'hop_limit');
}

/** The narrower of what is known of the way and of the link: routers say it (RFC 4861 §6.3.4), or `net.ipv6.conf.*.mtu`; never below 1280. */
export function mtuOn({ conf }: Surroundings, links: Links, ifindex: number, mtuBytes: number): number {
  const said = links.of(ifindex)?.mtuBytes ?? 0;
  const set = conf.value(ifindex, 'mtu');
  let least = mtuBytes;
  if (said > 0 && said < least) least = said;
  if (set > 0 && set < least) least = set;
  return Math.max(least, IPV6_MIN_MTU);
}
