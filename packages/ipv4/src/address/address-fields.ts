import type { AddressOptions, AddressWords, InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FLAG, ADDRESS_SCOPE, IPV4_WORD2, NetError } from '@softnet/contract';
import { setLifetimes } from '@softnet/inet';
import { formatIpv4 } from '@softnet/wire';
import { broadcastOf } from '../machine/address-book.ts';
import { isLinkLocal, isLoopback, isMulticast, LIMITED_BROADCAST } from '../machine/special-address.ts';

/** What may be asked for; all else are the layer's own words. */
const ASKED = ADDRESS_FLAG.NODAD | ADDRESS_FLAG.NOPREFIXROUTE;
/** IFNAMSIZ. */
const LABEL_CHARS = 15;

/** As far as it is known, by its number (RFC 3927 §2.2; Linux's `rtm_scope` by default). */
function scopeOf(address: number): number {
  if (isLoopback(address)) return ADDRESS_SCOPE.HOST;
  return isLinkLocal(address) ? ADDRESS_SCOPE.LINK : ADDRESS_SCOPE.UNIVERSE;
}

/** Fields of a new address. @throws NetError EINVAL. */
export function setFields(entry: InterfaceAddress, options: AddressOptions, nowMs: number): void {
  const { scope = scopeOf(entry.address[3]), peer } = options;
  if (!Number.isInteger(scope) || scope < 0 || scope > 255) throw refused(`a scope is 0 to 255, not ${scope}`);
  entry.scope = scope;
  // A peer that is the address itself is none: so `ip addr` says that there is none.
  entry.peer = peer === undefined || peer[3] === entry.address[3] ? null : checkedOther(peer, 'the other end');
  const computed = broadcastOf(entry);
  entry.broadcast = computed === 0 ? null : [0, 0, IPV4_WORD2, computed];
  changeFields(entry, options, nowMs);
}

/** Lifetimes, flags, broadcast, metric and label of an address; what is not said of its life is for ever. @throws NetError EINVAL. */
export function changeFields(entry: InterfaceAddress, options: AddressOptions, nowMs: number): void {
  const { flags = entry.flags & ASKED, metric = entry.metric, label = entry.label, preferredMs, validMs } = options;
  const { broadcast = entry.broadcast } = options;
  if ((flags & ~ASKED) !== 0) throw refused(`flags 0x${flags.toString(16)}: of IPv4 addresses nodad and noprefixroute may be asked for`);
  if (!Number.isInteger(metric) || metric < 0 || metric > 0xffffffff) throw refused(`a metric is 0 to 4294967295, not ${metric}`);
  if (label.length > LABEL_CHARS) throw refused(`the label '${label}' is longer than ${LABEL_CHARS} characters`);
  const valid = validMs ?? Number.POSITIVE_INFINITY;
  const preferred = preferredMs ?? valid;
  if (!(valid > 0) || !(preferred >= 0)) throw refused('an address lives for more than 0 ms, and is preferred for 0 or more');
  if (preferred > valid) throw refused(`it cannot be preferred for ${preferred} ms, longer than it is valid: ${valid} ms`);
  entry.broadcast = broadcast === null ? null : checkedOther(broadcast, 'the broadcast address');
  entry.metric = metric;
  entry.label = label;
  entry.flags = (entry.flags & ~ASKED) | flags;
  setLifetimes(entry, preferred, valid, nowMs);
}

/** @throws NetError EINVAL: no unicast address, or no prefix of it. */
export function checkedAddress(address: AddressWords, prefixLen: number): number {
  const [word0, word1, word2, word] = address;
  if (word0 === 0 && word1 === 0 && word2 === 0 && word === 0) throw refused('0.0.0.0 is no address of a host (RFC 1122 §3.2.1.3)');
  if (!isIpv4(address)) throw refused('this is no IPv4 address: its words are 0, 0, 0xffff and the address');
  if (!Number.isInteger(prefixLen) || prefixLen < 0 || prefixLen > 32) throw refused(`a prefix of IPv4 has 0 to 32 bits, not ${prefixLen}`);
  if (isMulticast(word)) throw refused(`${formatIpv4(word)} is a group: sockets join groups, devices have addresses of their own`);
  if (word >>> 24 === 0 || word === LIMITED_BROADCAST) throw refused(`${formatIpv4(word)} is no address of a host (RFC 1122 §3.2.1.3)`);
  return word;
}

function checkedOther(address: AddressWords, what: string): AddressWords {
  if (!isIpv4(address)) throw refused(`${what} is no IPv4 address: its words are 0, 0, 0xffff and the address`);
  return address;
}

function isIpv4([word0, word1, word2]: AddressWords): boolean {
  return word0 === 0 && word1 === 0 && word2 === IPV4_WORD2;
}

function refused(why: string): NetError {
  return new NetError('EINVAL', why, { syscall: 'address' });
}
