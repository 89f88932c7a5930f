/** The MSS that a cookie can say, as Linux has them (RFC 4987 §3.6, appendix A). */
export const COOKIE_MSS_IPV4: readonly number[] = Object.freeze([536, 1300, 1440, 1460]);
export const COOKIE_MSS_IPV6: readonly number[] = Object.freeze([1220, 1420, 1440, 8940]);
/** A cookie's clock, s, and for how many of its ticks one is taken. */
export const COOKIE_TICK_S = 60;
const COOKIE_TICKS = 2;
const LOW_24 = 0xffffff;

/** A keyed hash of the connection's addresses and ports with this number, int32; two keys: 0 and 1. */
export type CookieHash = (key: 0 | 1, count: number) => number;

/** Index of the largest MSS that is not above the peer's. */
export function cookieMssIndex(table: readonly number[], mssBytes: number): number {
  let index = table.length - 1;
  while (index > 0 && table[index]! > mssBytes) index--;
  return index;
}

/**
 * The ISN that stands for a connection not kept. @param peerIsn SEG.SEQ of the SYN. @param tick now / {@link COOKIE_TICK_S}.
 */
export function makeCookie(hash: CookieHash, peerIsn: number, tick: number, mssIndex: number): number {
  return (hash(0, 0) + peerIsn + (tick << 24) + ((hash(1, tick) + mssIndex) & LOW_24)) | 0;
}

/** The index of the MSS; -1: not one of ours, or too old. @param cookie SEG.ACK - 1. @param peerIsn SEG.SEQ - 1. @param mssCount in the table. */
export function readCookie(hash: CookieHash, cookie: number, peerIsn: number, tick: number, mssCount: number): number {
  const plain = (cookie - hash(0, 0) - peerIsn) | 0;
  const age = (tick - (plain >>> 24)) & 0xff;
  if (age >= COOKIE_TICKS) return -1;
  const index = (plain - hash(1, (tick - age) | 0)) & LOW_24;
  return index < mssCount ? index : -1;
}

const STAMP_BITS = 6;
const STAMP_MASK = (1 << STAMP_BITS) - 1;
const SCALE_MASK = 0xf;
const SACK_BIT = 0x10;
const ECN_BIT = 0x20;

/** What a cookie's timestamp says of the SYN's options. Kept, and filled anew. */
export class CookieOptions {
  /** -1: none. */
  windowScale = -1;
  sackPermitted = false;
  ecn = false;
}

/** TSval of a SYN-ACK that keeps the options in its low bits, as Linux: now, or a little before, never later. */
export function cookieTimestamp(nowMs: number, said: CookieOptions): number {
  const scale = said.windowScale < 0 ? SCALE_MASK : said.windowScale;
  const bits = scale | (said.sackPermitted ? SACK_BIT : 0) | (said.ecn ? ECN_BIT : 0);
  const stamp = (nowMs & ~STAMP_MASK) | bits;
  return ((stamp - nowMs) | 0) > 0 ? (stamp - (1 << STAMP_BITS)) | 0 : stamp;
}

/** @param tsEcr as it came back; its bits are to be trusted only behind a cookie that was right. */
export function readCookieTimestamp(tsEcr: number, into: CookieOptions): void {
  const scale = tsEcr & SCALE_MASK;
  into.windowScale = scale > 14 ? -1 : scale;
  into.sackPermitted = (tsEcr & SACK_BIT) !== 0;
  into.ecn = (tsEcr & ECN_BIT) !== 0;
}
