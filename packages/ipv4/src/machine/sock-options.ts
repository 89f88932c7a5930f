import type { SockCommon } from '@softnet/contract';
import { SockOptions } from '@softnet/contract';
import type { OptionBlock } from './option-block.ts';

/** Linux's SOL_IP. */
export const SOL_IP = 0;

/** Linux's `IP_PMTUDISC_*`: values of IP_MTU_DISCOVER. */
export const PATH_MTU = Object.freeze({ DONT: 0, WANT: 1, DO: 2, PROBE: 3, INTERFACE: 4, OMIT: 5 } as const);

/** What a socket has set of SOL_IP: hangs on `SockOptions.layer`. */
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
}

/** Those of a socket; null: it has set none. */
export function optionsOf(sock: SockCommon): Ipv4SockOptions | null {
  const options = sock.options?.layer as Ipv4SockOptions | null | undefined;
  return options != null && options.level === SOL_IP ? options : null;
}

/** To set one; null: the other family's are there (a dual-stack socket's). */
export function makeOptions(sock: SockCommon): Ipv4SockOptions | null {
  sock.options ??= new SockOptions();
  sock.options.layer ??= new Ipv4SockOptions();
  return optionsOf(sock);
}
