import type { AddressWords } from '@softnet/contract';
import { IPV4_WORD2 } from '@softnet/contract';

/** Scopes as groups say them (RFC 4291 §2.7, RFC 7346); of unicast addresses by RFC 6724 §3.1. */
export const SCOPE = Object.freeze({ INTERFACE: 1, LINK: 2, SITE: 5, GLOBAL: 14 } as const);

export const ALL_NODES: AddressWords = Object.freeze([0xff020000 | 0, 0, 0, 1] as const);
export const ALL_ROUTERS: AddressWords = Object.freeze([0xff020000 | 0, 0, 0, 2] as const);
/** The same of this interface and of the site: groups that nodes, and routers, are in (RFC 4291 §2.7.1, §2.8). */
export const NODE_GROUPS: readonly AddressWords[] = Object.freeze([ALL_NODES, Object.freeze([0xff010000 | 0, 0, 0, 1] as const)]);
export const ROUTER_GROUPS: readonly AddressWords[] = Object.freeze([
  ALL_ROUTERS,
  Object.freeze([0xff010000 | 0, 0, 0, 2] as const),
  Object.freeze([0xff050000 | 0, 0, 0, 2] as const),
]);
export const LOOPBACK: AddressWords = Object.freeze([0, 0, 0, 1] as const);
/** ff00::/8. */
export const MULTICAST_PREFIX: AddressWords = Object.freeze([0xff000000 | 0, 0, 0, 0] as const);

/** @param word0 the address's first word, as everywhere here. */
export function isMulticast(word0: number): boolean {
  return word0 >>> 24 === 0xff;
}

/** fe80::/10. */
export function isLinkLocal(word0: number): boolean {
  return (word0 & 0xffc00000) === (0xfe800000 | 0);
}

export function isUnspecified(word0: number, word1: number, word2: number, word3: number): boolean {
  return (word0 | word1 | word2 | word3) === 0;
}

export function isLoopback(word0: number, word1: number, word2: number, word3: number): boolean {
  return (word0 | word1 | word2) === 0 && word3 === 1;
}

/** ::ffff:0:0/96: an IPv4 address, which never stands in an IPv6 header (RFC 4291 §2.5.5.2, RFC 4942 §2.2). */
export function isMapped(word0: number, word1: number, word2: number): boolean {
  return (word0 | word1) === 0 && word2 === IPV4_WORD2;
}

/** Of a group. */
export function multicastScope(word0: number): number {
  return (word0 >>> 16) & 0xf;
}

/** One of {@link SCOPE}, or another that a group says (RFC 6724 §3.1). */
export function scopeOf(word0: number, word1: number, word2: number, word3: number): number {
  if (isMulticast(word0)) return multicastScope(word0);
  if (isLinkLocal(word0) || isLoopback(word0, word1, word2, word3)) return SCOPE.LINK;
  return (word0 & 0xffc00000) === (0xfec00000 | 0) ? SCOPE.SITE : SCOPE.GLOBAL;
}

/** Means nothing without an interface: link-local addresses, and groups, which are joined by interface. Linux's `rt6_need_strict`. */
export function needsInterface(word0: number): boolean {
  return isLinkLocal(word0) || isMulticast(word0);
}

/** Fourth word of the solicited-node group, ff02::1:ffXX:XXXX (RFC 4291 §2.7.1); the first three: {@link SOLICITED_NODE}. */
export function solicitedNodeWord3(word3: number): number {
  return (word3 & 0xffffff) | 0xff000000;
}
export const SOLICITED_NODE: readonly [number, number, number] = Object.freeze([0xff020000 | 0, 0, 1] as const);

/** The whole group. */
export function solicitedNodeOf(address: AddressWords): AddressWords {
  return [SOLICITED_NODE[0], SOLICITED_NODE[1], SOLICITED_NODE[2], solicitedNodeWord3(address[3])];
}

/** The Ethernet address of a group: 33:33 and its last word (RFC 2464 §7). */
export function writeMulticastMac(bytes: Uint8Array, word3: number): void {
  bytes[0] = 0x33;
  bytes[1] = 0x33;
  bytes[2] = word3 >>> 24;
  bytes[3] = word3 >>> 16;
  bytes[4] = word3 >>> 8;
  bytes[5] = word3;
}

/** Bits in which two addresses agree from the left, 0 to 128. */
export function commonPrefixLen(a: AddressWords, word0: number, word1: number, word2: number, word3: number): number {
  if (a[0] !== word0) return Math.clz32(a[0] ^ word0);
  if (a[1] !== word1) return 32 + Math.clz32(a[1] ^ word1);
  if (a[2] !== word2) return 64 + Math.clz32(a[2] ^ word2);
  return a[3] === word3 ? 128 : 96 + Math.clz32(a[3] ^ word3);
}

/** The address with zeros behind its prefix. */
export function prefixOf(address: AddressWords, prefixLen: number): AddressWords {
  const word = (index: 0 | 1 | 2 | 3) => {
    const bits = Math.min(32, Math.max(0, prefixLen - 32 * index));
    return bits === 0 ? 0 : address[index] & (-1 << (32 - bits));
  };
  return [word(0), word(1), word(2), word(3)];
}

export function isSame(a: AddressWords, word0: number, word1: number, word2: number, word3: number): boolean {
  return a[3] === word3 && a[2] === word2 && a[1] === word1 && a[0] === word0;
}
