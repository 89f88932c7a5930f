import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, SockOptions } from '@softnet/contract';
import type { OptionBlock } from './option-block.ts';

/** Linux's SOL_IP. */
export const SOL_IP = 0;

/** Linux's `IP_PMTUDISC_*`: values of IP_MTU_DISCOVER. */
export const PATH_MTU = Object.freeze({ DONT: 0, WANT: 1, DO: 2, PROBE: 3, INTERFACE: 4, OMIT: 5 } as const);

/** What a socket has set of SOL_IP: hangs on `SockOptions.layer`, of an IPv6 socket on `mappedLayer`. */
export class Ipv4SockOptions {
  /** Tells it from the other family's, whichever generation made it. */
  readonly level: number = SOL_IP;
  /** 1 to 255; 0: the route's, or the setting's. */
  ttl = 0;
  tos = 0;
  /** One of {@link PATH_MTU}; -1: the setting's. */
  mtuDiscover = -1;
  multicastTtl = 1;
  /** Members on this host have copies of what it sends to groups. */
  multicastLoop = true;
  /** IP_OPTIONS, ready to be sent; and as they were set. Null: none. */
  header: OptionBlock | null = null;
  headerAsSet: Uint8Array | null = null;
  /** Bits of `ANCILLARY_BIT`: what it wants to be told of each packet. */
  ancillary = 0;
  /** Interface, TTL and TOS of the latest packet, of streams that want to be told of them (IP_PKTOPTIONS). */
  latestIfindex = 0;
  latestTtl = 1;
  latestTos = 0;
  /** IP_MINTTL: kept, and looked at by streams (RFC 5082). */
  minTtl = 0;
  /** IP_FREEBIND, IP_TRANSPARENT: either is SOCK_FLAG.FREEBIND. */
  freebind = false;
  transparent = false;
  /** IP_RECVERR_RFC4884: kept. */
  moreOfErrors = false;
}

/** Those of a socket; null: it has set none. */
export function optionsOf({ family, options }: SockCommon): Ipv4SockOptions | null {
  if (options === null) return null;
  const own = (family === ADDRESS_FAMILY.INET6 ? options.mappedLayer : options.layer) as Ipv4SockOptions | null;
  return own !== null && own.level === SOL_IP ? own : null;
}

/** To set one. */
export function makeOptions(sock: SockCommon): Ipv4SockOptions {
  const known = optionsOf(sock);
  if (known !== null) return known;
  sock.options ??= new SockOptions();
  const made = new Ipv4SockOptions();
  if (sock.family === ADDRESS_FAMILY.INET6) sock.options.mappedLayer = made;
  else sock.options.layer = made;
  return made;
}
