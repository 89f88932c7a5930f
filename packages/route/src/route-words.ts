import type { AddressWords, NextHop, RouteEntry } from '@softnet/contract';
import { ADDRESS_FAMILY, ROUTE_TYPE } from '@softnet/contract';
import { formatAddress, formatPrefix } from '@softnet/wire';

/** Gives a device's name; null: there is none with this index. */
export type NameOf = (ifindex: number) => string | null;

/** A route in the words of `ip route`: `10.0.0.0/24 via 10.1.0.1 dev eth0 metric 100`. For errors. */
export function routeWords(entry: RouteEntry, nameOf: NameOf): string {
  const { family, prefix, prefixLen, type, nextHops, tos = 0, priority = 0 } = entry;
  const name =
    Object.entries(ROUTE_TYPE)
      .find(([, number]) => number === type)?.[0]
      .toLowerCase() ?? `type ${type}`;
  const words = type === ROUTE_TYPE.UNICAST || type === ROUTE_TYPE.UNSPEC ? [] : [name];
  words.push(prefixLen === 0 ? 'default' : prefixText(family, prefix, prefixLen));
  if (tos !== 0) words.push(`tos 0x${tos.toString(16)}`);
  for (const hop of nextHops) words.push(...(nextHops.length > 1 ? ['nexthop'] : []), hopWords(hop, nameOf));
  if (priority !== 0) words.push(`metric ${priority}`);
  return words.join(' ');
}

function hopWords({ ifindex, gateway, encap }: NextHop, nameOf: NameOf): string {
  const words: string[] = [];
  if (encap !== undefined) words.push(`encap ${encap.name}`);
  if (gateway !== undefined) words.push(`via ${formatAddress(gateway.family, ...gateway.address)}`);
  words.push(`dev ${nameOf(ifindex) ?? `if${ifindex}`}`);
  return words.join(' ');
}

function prefixText(family: number, words: AddressWords, prefixLen: number): string {
  return formatPrefix({ family, words: family === ADDRESS_FAMILY.INET ? [0, 0, 0xffff, words[3]] : words, prefixLen });
}
