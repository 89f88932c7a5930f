/** What stands in the type field of a frame (IEEE 802 numbers; host order), as `skb.protocol`. Open: any number to 0xffff. */
export const ETHERTYPE = Object.freeze({
  /** Not a wire value: a {@link Tap} that wants every frame. Linux's ETH_P_ALL. */
  ALL: 0x0003,
  IPV4: 0x0800,
  ARP: 0x0806,
  VLAN: 0x8100,
  IPV6: 0x86dd,
  /** RFC 3032, unicast labels. */
  MPLS: 0x8847,
  /** IEEE 802.1ad, the outer tag. */
  QINQ: 0x88a8,
} as const);
