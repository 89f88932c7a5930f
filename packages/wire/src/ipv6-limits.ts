/** How much of extension headers a host bears (RFC 8504 §5.3): each makes work, and a packet has room for hundreds. */
export interface Ipv6Limits {
  /** Extension headers in a packet; RFC 8200 §4.1 has six, one of them twice. */
  readonly headers: number;
  /** Bytes of one hop-by-hop or destination options header; as many as its format allows: 2048. */
  readonly optionsHeaderBytes: number;
  /** Options in one such header that are not padding. */
  readonly options: number;
  /** Bytes of padding in a row, PadN's own two included: 7 align anything. */
  readonly paddingBytes: number;
}

/** The RFC's defaults; and 8 headers. */
export const IPV6_LIMITS: Ipv6Limits = Object.freeze({ headers: 8, optionsHeaderBytes: 2048, options: 8, paddingBytes: 7 });
