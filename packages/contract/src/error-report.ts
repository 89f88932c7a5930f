/** Who reports. Linux's `SO_EE_ORIGIN_*`. */
export const ERROR_ORIGIN = Object.freeze({ NONE: 0, LOCAL: 1, ICMP: 2, ICMPV6: 3, TRANSMIT_STATUS: 4, ZEROCOPY: 5 } as const);

/**
 * An error on a flow's way, as ICMP or this host reports it. Filled anew for each by the network layer; who wants it for
 * longer copies it (the error queue). Linux's `struct sock_extended_err`.
 */
export class ErrorReport {
  /** A positive number of `ERRNO`: what the socket's user is told. 0: no error, a gateway names a shorter way (ICMP redirect). */
  errno = 0;
  /** One of {@link ERROR_ORIGIN}. */
  origin = 0;
  /** ICMP type and code, of the family's own ICMP. */
  type = 0;
  code = 0;
  /** Packet too big: the MTU. Parameter problem: the pointer. Redirect of IPv4: the gateway. */
  info = 0;
  /** Connections end by it (RFC 1122 §4.2.3.9, RFC 5461); else it is a hint. */
  fatal = false;
  /** Who says so: four words. */
  offender0 = 0;
  offender1 = 0;
  offender2 = 0;
  offender3 = 0;
  /**
   * Set by a socket whose flow cannot have sent the packet quoted (RFC 5927 §4: a sequence number that is not in flight): then no
   * route believes the report. A path MTU is learnt behind `error`, so that only what a flow confirms is.
   */
  refused = false;
}
