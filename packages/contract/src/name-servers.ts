import type { AddressWords } from './route-table.ts';
import { definePoint } from './token.ts';

/** A server of names that the network told this host of. */
export interface NameServer {
  readonly family: number;
  readonly address: AddressWords;
  /** Interface that it was heard on: the scope of a link-local address. */
  readonly ifindex: number;
  /** Kernel ms; Infinity: never. */
  readonly untilMs: number;
}

/** A domain that short names are looked for in. */
export interface SearchDomain {
  /** 'example.org', in ASCII. */
  readonly name: string;
  readonly ifindex: number;
  readonly untilMs: number;
}

/**
 * Who knows servers of names from the network: router advertisements (RFC 8106), DHCP later. A **corridor**; both lists are bounded, and
 * replaced whole at each change. Linux passes them to user space.
 */
export interface NameServers {
  readonly servers: readonly NameServer[];
  readonly searchDomains: readonly SearchDomain[];
}
export const NameServers = definePoint<NameServers>({ name: 'name-servers', version: '1.0.0' });
