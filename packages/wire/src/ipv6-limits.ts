/** How much of options headers a host bears (RFC 8504 §5.3). */
export interface Ipv6OptionLimits {
  /** Bytes of one header; as many as its format allows: 2048. */
  readonly headerBytes: number;
  /** Options in one header that are not padding. */
  readonly options: number;
  /** Bytes of padding in a row, PadN's own two included: 7 align anything. */
  readonly paddingBytes: number;
}

/** How much of extension headers a host bears (RFC 8504 §5.3): each makes work, and a packet has room for hundreds. */
export interface Ipv6Limits {
  /** Extension headers in a packet; RFC 8200 §4.1 has six, one of them twice. */
  readonly headers: number;
  readonly hopByHop: Ipv6OptionLimits;
  readonly destinationOptions: Ipv6OptionLimits;
}

const OPTIONS: Ipv6OptionLimits = Object.freeze({ headerBytes: 2048, options: 8, paddingBytes: 7 });

/** The RFC's defaults; and 8 headers. */
export const IPV6_LIMITS: Ipv6Limits = Object.freeze({ headers: 8, hopByHop: OPTIONS, destinationOptions: OPTIONS });
