import type { Flow } from '@softnet/contract';
import { ADDRESS_FAMILY, ROUTE_TYPE } from '@softnet/contract';

/**
 * IPv4 destinations that are a group whatever the tables say: 255.255.255.255 and 224.0.0.0/4 (RFC 919, 1112). One of
 * `ROUTE_TYPE`; 0: none. IPv6's have routes of their own.
 */
export function groupType(flow: Flow): number {
  if (flow.family !== ADDRESS_FAMILY.INET) return 0;
  if (flow.dst3 === -1) return ROUTE_TYPE.BROADCAST;
  return flow.dst3 >>> 28 === 0xe ? ROUTE_TYPE.MULTICAST : 0;
}

/** Whether the destination means something on one link only: link-local unicast, all multicast (RFC 4007 §6). */
export function isScoped(flow: Flow): boolean {
  if (flow.family !== ADDRESS_FAMILY.INET6) return false;
  return flow.dst0 >>> 24 === 0xff || isLinkLocal(flow.dst0);
}

/** Whether packets of a route of this type are for this host. */
export function isOwn(type: number): boolean {
  return type === ROUTE_TYPE.LOCAL || type === ROUTE_TYPE.ANYCAST;
}

/** fe80::/10. */
export function isLinkLocal(word0: number): boolean {
  return word0 >>> 22 === 0xfe80 >>> 6;
}

export function isUnspecified(word0: number, word1: number, word2: number, word3: number): boolean {
  return (word0 | word1 | word2 | word3) === 0;
}
