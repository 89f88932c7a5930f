/** Protocols that have a word in filters. */
export const FILTER_PROTOCOLS = Object.freeze(['ip', 'ip6', 'arp', 'udp', 'tcp', 'icmp', 'icmp6'] as const);
export type FilterProtocol = (typeof FILTER_PROTOCOLS)[number];

/** Which end of a packet is meant; without it: either. */
export type FilterSide = 'src' | 'dst';

/**
 * Which packets are meant, as plain data: `{ and: [{ proto: 'udp' }, { port: 53 }] }`. Each object has exactly one of the
 * tests, with `side` beside `net`, `port` and `ether` where one end is meant. `parseFilter` makes it of text.
 */
export type PacketFilter =
  /** Both all and any of nothing: all packets, and none. */
  | { readonly and: readonly PacketFilter[] }
  | { readonly or: readonly PacketFilter[] }
  | { readonly not: PacketFilter }
  | { readonly proto: FilterProtocol }
  /** An address or a prefix of IPv4 or IPv6: '10.0.0.1', 'fd00::/8'; of ARP, the addresses that it tells and asks for. */
  | { readonly net: string; readonly side?: FilterSide }
  /** Of UDP and TCP, 0 to 65,535; not of a fragment that has no ports. */
  | { readonly port: number; readonly side?: FilterSide }
  /** A link address: '02:00:00:00:00:01'. */
  | { readonly ether: string; readonly side?: FilterSide }
  /** Tagged: with this VLAN (0 to 4,095) in the outermost tag, or with any. */
  | { readonly vlan: number | 'any' }
  /** Length of the frame, with its link header: so many bytes or more, or at most. */
  | { readonly minBytes: number }
  | { readonly maxBytes: number }
  /** Dropped by the stack. */
  | { readonly dropped: true };
