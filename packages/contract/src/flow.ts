/**
 * Addresses of both families are four int32 words, most significant first, IPv4 as `0, 0, 0xffff, a` (RFC 4291
 * §2.5.5.2): no allocation to hold or pass one, records and call sites of one shape, dual-stack sockets compare without
 * a case, and a pseudo-header sums up the same with and without the prefix (0xffff is zero in one's complement).
 * `::` is the unspecified address of both families. In text and on the wire they are bytes: see the wire package.
 */
export const IPV4_WORD2 = 0xffff;

/**
 * What a packet is, and wants, seen from this host when it is sent: the question that {@link Route} answers and that
 * policies match. Its maker keeps one and fills it anew; nobody keeps another's. Linux's `struct flowi`.
 */
export class Flow {
  /** One of `ADDRESS_FAMILY`. */
  family = 0;
  /** IP protocol. */
  protocol = 0;
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  /** Host order. ICMP: the type. GRE: the key's high half. */
  srcPort = 0;
  /** Host order. ICMP: the code. GRE: the key's low half. */
  dstPort = 0;
  /** Firewall mark, int32. */
  mark = 0;
  /** Interface it must leave by (also the scope of a link-local address); 0: any. */
  oif = 0;
  /** Interface it came in by; 0: made here. */
  iif = 0;
  /** Routing table to ask instead of the rules; 0: none. */
  table = 0;
  /** DSCP << 2 | ECN (RFC 2474, 3168). */
  tos = 0;
  /** The IPv6 flow label, 20 bits. */
  label = 0;
  /** User on whose behalf it is sent. */
  uid = 0;
  /** Chooses among next hops of equal cost, stable for the flow; 0: computed from the rest. int32. */
  hash = 0;
}

/** Both ends of a flow as this host's sockets name it: what demux and steering look up. Kept and filled anew by its maker. */
export class FlowKey {
  /** IP protocol. */
  protocol = 0;
  local0 = 0;
  local1 = 0;
  local2 = 0;
  local3 = 0;
  remote0 = 0;
  remote1 = 0;
  remote2 = 0;
  remote3 = 0;
  /** Host order; what a protocol without ports puts here is its own matter (ICMP echo: the identifier). */
  localPort = 0;
  remotePort = 0;
  /** Interface that the packet came in by; matches sockets bound to it, or to none. */
  ifindex = 0;
}
