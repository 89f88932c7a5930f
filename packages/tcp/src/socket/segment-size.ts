import type { Dst, NetworkLayer, SockCommon } from '@softnet/contract';
import { DST_METRIC } from '@softnet/contract';
import { TCP_HEADER_BYTES } from '@softnet/wire';
import type { Connection } from '../machine/connection.ts';
import type { TcpSettings } from '../machine/tcp-settings.ts';

/** Linux's `ip_rt_min_advmss`: no MSS below this is told. */
const LEAST_TOLD_BYTES = 256;
const MOST_MSS_BYTES = 65535;

/** MSS_S of RFC 9293 §3.7.1: what a packet of this way has room for behind both headers. @param mtuBytes of the way. */
export function mssOfMtu(mtuBytes: number, { headerBytes }: NetworkLayer): number {
  return Math.max(0, Math.min(mtuBytes - headerBytes - TCP_HEADER_BYTES, MOST_MSS_BYTES));
}

/** Eff.snd.MSS (RFC 9293 §3.7.1): by the way, the peer and the user. */
export function effectiveMss(
  { peerMssBytes, userMssBytes }: Connection,
  mtuBytes: number,
  layer: NetworkLayer,
  { minSndMss }: Pick<TcpSettings, 'minSndMss'>,
): number {
  const asked = userMssBytes === 0 ? peerMssBytes : Math.min(peerMssBytes, userMssBytes);
  return Math.max(minSndMss, Math.min(asked, mssOfMtu(mtuBytes, layer)));
}

/** The MSS that a SYN tells: what can come by this way, or its route says (`advmss`), or less where the user wants it (TCP_MAXSEG). */
export function toldMss(dst: Dst, layer: NetworkLayer, userMssBytes: number): number {
  const said = dst.metrics === null ? 0 : dst.metrics[DST_METRIC.ADVMSS]!;
  const told = said > 0 ? said : Math.max(LEAST_TOLD_BYTES, mssOfMtu(dst.mtuBytes, layer));
  return userMssBytes > 0 ? Math.min(told, userMssBytes) : told;
}

/** The MTU of a socket's way; 0: it has none at present. */
export function mtuOf({ dst: use }: SockCommon): number {
  return use === null || use.dst === null || use.dst.error !== 0 ? 0 : use.dst.mtuBytes;
}
