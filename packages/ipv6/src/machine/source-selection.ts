import type { InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FLAG } from '@softnet/contract';
import { commonPrefixLen, isLoopback, isSame, needsInterface, scopeOf } from './address-kind.ts';
import { AddressState } from './address-state.ts';
import { isSettled, isUsable } from './address-use.ts';
import type { Labels } from './label-table.ts';
import { USUAL_LABELS } from './label-table.ts';

/** What a source is chosen for: kept and filled anew by its caller. */
export class SourceWish {
  /** The destination. */
  word0 = 0;
  word1 = 0;
  word2 = 0;
  word3 = 0;
  /** Interface that the packet leaves by; 0: not known. */
  ifindex = 0;
  /** By which router it goes. */
  hasGateway = false;
  gateway0 = 0;
  gateway1 = 0;
  gateway2 = 0;
  gateway3 = 0;
  /** `use_tempaddr` of 2, `use_optimistic`. */
  prefersTemporary = false;
  takesOptimistic = false;
  /** The policy table. */
  labels: Labels = USUAL_LABELS;
}

/** Not the first choice: RFC 6724 §5, rule 3, and RFC 4429 §3.1. */
const AVOIDED = ADDRESS_FLAG.DEPRECATED | ADDRESS_FLAG.OPTIMISTIC;

/** Whether the address may be a source at all for it (RFC 6724 §4). */
export function isCandidate(candidate: InterfaceAddress, wish: SourceWish): boolean {
  if (!(wish.takesOptimistic ? isUsable(candidate) : isSettled(candidate))) return false;
  const { address, device } = candidate;
  if (wish.ifindex === 0 || device.ifindex === wish.ifindex) return true;
  // Nobody outside may see ::1 (RFC 4291 §2.5.3).
  if (isLoopback(address[0], address[1], address[2], address[3])) return false;
  // To links and groups only what is on that interface; a link-local source means nothing on another one (RFC 4007 §6).
  return !needsInterface(wish.word0) && !needsInterface(address[0]);
}

/** Whether `a` is the better source of the two: RFC 6724 §5; rule 4 needs home addresses, which are not made here. */
export function isBetterSource(a: InterfaceAddress, b: InterfaceAddress, wish: SourceWish): boolean {
  const { word0, word1, word2, word3, ifindex } = wish;
  if (isSame(a.address, word0, word1, word2, word3)) return true;
  if (isSame(b.address, word0, word1, word2, word3)) return false;
  const scopes = byScope(ownScope(a), ownScope(b), scopeOf(word0, word1, word2, word3));
  if (scopes !== 0) return scopes > 0;
  const avoided = Number((a.flags & AVOIDED) !== 0) - Number((b.flags & AVOIDED) !== 0);
  if (avoided !== 0) return avoided < 0;
  const outgoing = Number(a.device.ifindex === ifindex) - Number(b.device.ifindex === ifindex);
  if (outgoing !== 0) return outgoing > 0;
  const advertised = Number(isOfGateway(a, wish)) - Number(isOfGateway(b, wish));
  if (advertised !== 0) return advertised > 0;
  const wanted = wish.labels.labelOf(word0, word1, word2, word3, ifindex);
  const labels = Number(ownLabel(a, wish) === wanted) - Number(ownLabel(b, wish) === wanted);
  if (labels !== 0) return labels > 0;
  const temporary = (a.flags & ADDRESS_FLAG.TEMPORARY) - (b.flags & ADDRESS_FLAG.TEMPORARY);
  if (temporary !== 0) return temporary > 0 === wish.prefersTemporary;
  return prefixMatch(a, wish) > prefixMatch(b, wish);
}

/** Rule 5.5: its prefix was advertised by the router that the packet goes by, which else might drop it. */
function isOfGateway({ ext }: InterfaceAddress, { hasGateway, gateway0, gateway1, gateway2, gateway3 }: SourceWish): boolean {
  if (!hasGateway || !(ext instanceof AddressState)) return false;
  const { advertisers } = ext;
  for (let i = 0; i < advertisers.length; i++) if (isSame(advertisers[i]!, gateway0, gateway1, gateway2, gateway3)) return true;
  return false;
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

function ownLabel({ address, device }: InterfaceAddress, { labels }: SourceWish): number {
  return labels.labelOf(address[0], address[1], address[2], address[3], device.ifindex);
}
