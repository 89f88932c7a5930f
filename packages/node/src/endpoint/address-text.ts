import type { SockAddress } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO } from '@softnet/contract';
import { formatAddress, parseAddress } from '@softnet/wire';

const { INET6 } = ADDRESS_FAMILY;

/** An interface by its name, or its number in digits; 0: there is none. */
export type ScopeOf = (name: string) => number;

/** Fills an address of the family from its text. 0, or -EINVAL: it is none of that family. */
export function fillAddress(into: SockAddress, family: number, text: string, port: number, scopeOf: ScopeOf): number {
  // Zones are IPv6's only.
  const percent = family === INET6 ? text.indexOf('%') : -1;
  const parsed = parseAddress(percent < 0 ? text : text.slice(0, percent));
  if (parsed === null || parsed.family !== family) return -ERRNO.EINVAL;
  into.family = family;
  into.port = port;
  into.ifindex = percent < 0 ? 0 : scopeOf(text.slice(percent + 1));
  [into.address0, into.address1, into.address2, into.address3] = parsed.words;
  return 0;
}

/** The address as Node writes it (RFC 5952). */
export function addressText({ family, address0, address1, address2, address3 }: SockAddress): string {
  return formatAddress(family, address0, address1, address2, address3);
}

export function familyName(family: number): 'IPv4' | 'IPv6' {
  return family === INET6 ? 'IPv6' : 'IPv4';
}
