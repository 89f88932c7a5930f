import type { Message, SockCommon } from '@softnet/contract';
import type { PathMtu } from './mtu-info.ts';
import type { SentHeaders } from './sent-headers.ts';

/** Linux's `SOL_IPV6`. */
export const SOL_IPV6 = 41;

/** Linux's `IPV6_PMTUDISC_*`. */
export const MTU_DISCOVER = Object.freeze({ DONT: 0, WANT: 1, DO: 2, PROBE: 3, INTERFACE: 4, OMIT: 5 } as const);

/** Of `Ipv6SockOptions.ancillary`: IPV6_RECVPATHMTU. */
export const WANTS_PATH_MTU = 0x2000;

/** A socket's options of this level, where one was set: `sock.options.layer`. */
export class Ipv6SockOptions {
  /** Tells it from another layer's, and from another build's: a dual-stack socket has one place for both. */
  readonly level = SOL_IPV6;
  /** 0 to 255; -1: the route's, or the host's. */
  unicastHops = -1;
  multicastHops = 1;
  multicastLoop = true;
  /** 0 to 255. */
  trafficClass = 0;
  /** Rather nothing than fragments (RFC 3542 §11.2). */
  dontFragment = false;
  /** 1: packets are labelled by their flow (RFC 6437 §3), 0: they are not; -1: as `net.ipv6.auto_flowlabels` has it. */
  autoFlowLabel = -1;
  /** One of {@link MTU_DISCOVER}. */
  mtuDiscover: number = MTU_DISCOVER.WANT;
  /** Bits of `ANCILLARY_BIT`: what it wants to be told of each packet. */
  ancillary = 0;
  /** Extension headers of each packet (RFC 3542 §6 to §9); null: none. */
  headers: SentHeaders | null = null;
  /** What a stream was last told, in `control` (IPV6_2292PKTOPTIONS); null: nothing. */
  latest: Message | null = null;
  /** Of the last packet that was refused as it might not be cut, where it wants to know (IPV6_RECVPATHMTU); null: none since it was told. */
  tooBig: PathMtu | null = null;
  /** IPV6_MINHOPCOUNT: kept, and looked at by streams (RFC 5082). */
  minHopCount = 0;
  /** IPV6_FREEBIND, IPV6_TRANSPARENT: either is SOCK_FLAG.FREEBIND. */
  freebind = false;
  transparent = false;
  /** IPV6_RECVERR_RFC4884, IPV6_FLOWINFO_SEND: kept. */
  moreOfErrors = false;
  sendsFlowInfo = false;
}

/** Null: all as usual. */
export function sockOptions(sock: SockCommon | null): Ipv6SockOptions | null {
  const layer = sock?.options?.layer as { readonly level?: number } | null | undefined;
  return layer != null && layer.level === SOL_IPV6 ? (layer as Ipv6SockOptions) : null;
}
