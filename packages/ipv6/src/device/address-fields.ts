import type { AddressOptions, InterfaceAddress } from '@softnet/contract';
import { ADDRESS_FLAG, ADDRESS_SCOPE, NetError } from '@softnet/contract';
import { setLifetimes } from '@softnet/inet';
import { isLinkLocal, isLoopback } from '../machine/address-kind.ts';

const { NODAD, OPTIMISTIC, MANAGETEMPADDR, NOPREFIXROUTE } = ADDRESS_FLAG;
/** What may be asked for; all else are the layer's own words. */
const ASKED = NODAD | OPTIMISTIC | MANAGETEMPADDR | NOPREFIXROUTE;
/** Bits of an address that a temporary one has another of (RFC 8981 §3.3). */
const TEMPORARY_PREFIX_LEN = 64;

/** Fields of a new address. @throws NetError EINVAL. */
export function setFields(entry: InterfaceAddress, options: AddressOptions, nowMs: number): void {
  const { address } = entry;
  const usual = isLoopback(...address) ? ADDRESS_SCOPE.HOST : isLinkLocal(address[0]) ? ADDRESS_SCOPE.LINK : ADDRESS_SCOPE.UNIVERSE;
  entry.scope = options.scope ?? usual;
  changeFields(entry, options, nowMs);
}

/** What may be another later; flags, metric and peer that are not named stay, lifetimes are for ever. @throws NetError EINVAL. */
export function changeFields(entry: InterfaceAddress, options: AddressOptions, nowMs: number): void {
  const { flags = entry.flags & ASKED, metric = entry.metric, validMs = Number.POSITIVE_INFINITY, preferredMs = validMs } = options;
  if (options.broadcast !== undefined) throw refused('IPv6 has no broadcast addresses: it has groups');
  if ((flags & ~ASKED) !== 0) {
    throw refused(`flags 0x${flags.toString(16)}: nodad, optimistic, mngtmpaddr and noprefixroute may be asked for`);
  }
  if ((flags & MANAGETEMPADDR) !== 0 && entry.prefixLen !== TEMPORARY_PREFIX_LEN) {
    throw refused(`temporary addresses are made in a prefix of 64 bits, not of ${entry.prefixLen} (RFC 8981 §3.3)`);
  }
  if (!Number.isInteger(metric) || metric < 0 || metric > 0xffffffff) throw refused(`a metric is 0 to 4294967295, not ${metric}`);
  if (!(validMs > 0) || !(preferredMs >= 0)) throw refused('an address lives for more than 0 ms, and is preferred for 0 or more');
  if (preferredMs > validMs) throw refused(`it cannot be preferred for ${preferredMs} ms, longer than it is valid: ${validMs} ms`);
  entry.metric = metric;
  entry.label = options.label ?? entry.label;
  entry.peer = options.peer ?? entry.peer;
  entry.flags = (entry.flags & ~(NODAD | MANAGETEMPADDR | NOPREFIXROUTE)) | (flags & ~OPTIMISTIC);
  setLifetimes(entry, preferredMs, validMs, nowMs);
}

function refused(why: string): NetError {
  return new NetError('EINVAL', why, { syscall: 'address' });
}
