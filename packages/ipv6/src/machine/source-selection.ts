import type { InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FLAG } from '@softnet/contract';
import { commonPrefixLen, isMapped, isSame, needsInterface, SCOPE, scopeOf } from './address-kind.ts';

/** What a source is chosen for: kept and filled anew by its caller. */
export class SourceWish {
  /** The destination. */
  word0 = 0;
  word1 = 0;
  word2 = 0;
  word3 = 0;
  /** Interface that the packet leaves by; 0: not known. */
  ifindex = 0;
}

/** Whether the address may be a source at all for it (RFC 6724 §4). */
export function isCandidate({ address, flags, device }: InterfaceAddress, wish: SourceWish): boolean {
  if ((flags & (ADDRESS_FLAG.TENTATIVE | ADDRESS_FLAG.DAD_FAILED)) !== 0) return false;
  if (wish.ifindex === 0 || device.ifindex === wish.ifindex) return true;
  // To links and groups only what is on that interface; a link-local source means nothing on another one (RFC 4007 §6).
  return !needsInterface(wish.word0) && !needsInterface(address[0]);
}

/** Whether `a` is the better source of the two: RFC 6724 §5, rules 1, 2, 3, 5, 6 and 8; rules 4 and 7 need addresses that are not made here. */
export function isBetterSource(a: InterfaceAddress, b: InterfaceAddress, wish: SourceWish): boolean {
  const { word0, word1, word2, word3, ifindex } = wish;
  if (isSame(a.address, word0, word1, word2, word3)) return true;
  if (isSame(b.address, word0, word1, word2, word3)) return false;
  const scopes = byScope(ownScope(a), ownScope(b), scopeOf(word0, word1, word2, word3));
  if (scopes !== 0) return scopes > 0;
  const deprecated = (a.flags & ADDRESS_FLAG.DEPRECATED) - (b.flags & ADDRESS_FLAG.DEPRECATED);
  if (deprecated !== 0) return deprecated < 0;
  const outgoing = Number(a.device.ifindex === ifindex) - Number(b.device.ifindex === ifindex);
  if (outgoing !== 0) return outgoing > 0;
  const wanted = labelOf(word0, word1, word2, word3);
  const labels = Number(ownLabel(a) === wanted) - Number(ownLabel(b) === wanted);
  if (labels !== 0) return labels > 0;
  return prefixMatch(a, wish) > prefixMatch(b, wish);
}

/** Rule 2: the smallest scope that reaches the destination, else the widest. Above 0: a is better. */
function byScope(a: number, b: number, wanted: number): number {
  if (a === b) return 0;
  if (a < b) return a < wanted ? -1 : 1;
  return b < wanted ? 1 : -1;
}

/** Rule 8, up to the length of the source's prefix (RFC 6724 §2.2). */
function prefixMatch({ address, prefixLen }: InterfaceAddress, { word0, word1, word2, word3 }: SourceWish): number {
  return Math.min(prefixLen, commonPrefixLen(address, word0, word1, word2, word3));
}

function ownScope({ address }: InterfaceAddress): number {
  return scopeOf(address[0], address[1], address[2], address[3]);
}

function ownLabel({ address }: InterfaceAddress): number {
  return labelOf(address[0], address[1], address[2], address[3]);
}

/** The default policy table (RFC 6724 §2.1). */
export function labelOf(word0: number, word1: number, word2: number, word3: number): number {
  if ((word0 | word1 | word2) === 0) return word3 === 1 ? 0 : 3;
  if (isMapped(word0, word1, word2)) return 4;
  if (word0 >>> 16 === 0x2002) return 2;
  if (word0 === 0x20010000) return 5;
  if (word0 >>> 25 === 0xfc >>> 1) return 13;
  if (scopeOf(word0, word1, word2, word3) === SCOPE.SITE) return 11;
  return word0 >>> 16 === 0x3ffe ? 12 : 1;
}
