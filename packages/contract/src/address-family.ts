/**
 * Address families, with Linux's numbers (`AF_*`). The registry is open: a module that brings a family takes a number
 * that is free; wherever a family is asked for, it is a number.
 */
export const ADDRESS_FAMILY = Object.freeze({
  UNSPEC: 0,
  INET: 2,
  INET6: 10,
  /** PF_KEYv2, RFC 2367. */
  KEY: 15,
  NETLINK: 16,
  PACKET: 17,
  MPLS: 28,
} as const);
