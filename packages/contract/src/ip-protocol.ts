/** IP protocol numbers (IANA), as IPv4's Protocol and IPv6's last Next Header say them. Open: any number to 255. */
export const IP_PROTOCOL = Object.freeze({
  ICMP: 1,
  IGMP: 2,
  IPIP: 4,
  TCP: 6,
  UDP: 17,
  DCCP: 33,
  IPV6: 41,
  GRE: 47,
  ESP: 50,
  AH: 51,
  ICMPV6: 58,
  COMP: 108,
  SCTP: 132,
  UDPLITE: 136,
  MPLS: 137,
  RAW: 255,
} as const);
