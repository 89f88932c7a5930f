import type { SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, IP_OPTION, IP_PROTOCOL, IPV6_OPTION, SO, SOL } from '@softnet/contract';
import { intAt, optionInt, putInt, putOptionInt } from '@softnet/inet';
import { rawStateOf } from './raw-state.ts';

const { INET6 } = ADDRESS_FAMILY;
/** ICMP_FILTER of SOL_RAW, and ICMP6_FILTER of SOL_ICMPV6. */
const FILTER = 1;
const WORD_BYTES = 4;
const WORDS_BYTES = 32;

/** `setsockopt` of what only raw sockets have: 0, or -errno; null: another's. Linux's `raw_setsockopt` and `rawv6_setsockopt`. */
export function setRawOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number | null {
  if (isFilterLevel(sock, level)) return isFilter(sock, name) ? setFilter(sock, value) : -ERRNO.ENOPROTOOPT;
  // They have no stream to look into.
  if (level === SOL.SOCKET && name === SO.PEEK_OFF) return -ERRNO.EOPNOTSUPP;
  if (isHeaderIncluded(sock, level, name)) {
    const word = optionInt(value);
    if (word === null || (sock.family === INET6 && value.length < WORD_BYTES)) return -ERRNO.EINVAL;
    rawStateOf(sock).hasHeader = word !== 0;
    return 0;
  }
  return isChecksum(sock, level, name) ? setChecksum(sock, level, value) : null;
}

/** `getsockopt`: bytes written. */
export function getRawOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number | null {
  const state = rawStateOf(sock);
  if (isFilterLevel(sock, level)) return isFilter(sock, name) ? getFilter(sock, value) : -ERRNO.ENOPROTOOPT;
  if (level === SOL.SOCKET && name === SO.PEEK_OFF) return -ERRNO.EOPNOTSUPP;
  if (isHeaderIncluded(sock, level, name)) return putOptionInt(value, state.hasHeader ? 1 : 0);
  return isChecksum(sock, level, name) ? putOptionInt(value, state.sumOffset) : null;
}

function isFilterLevel({ family }: SockCommon, level: number): boolean {
  return family === INET6 ? level === SOL.ICMPV6 : level === SOL.RAW;
}

/** ICMP6_FILTER's level is nothing at all of another protocol's sockets, whatever is asked of it: -EOPNOTSUPP. */
function isFilter(sock: SockCommon, name: number): boolean {
  return name === FILTER || (sock.family === INET6 && !isOfIcmp(sock));
}

/** IPV6_HDRINCL: by either level. */
function isHeaderIncluded({ family }: SockCommon, level: number, name: number): boolean {
  if (family === INET6) return (level === SOL.IPV6 || level === SOL.RAW) && name === IPV6_OPTION.HDRINCL;
  return level === SOL.IP && name === IP_OPTION.HDRINCL;
}

/** By either level. */
function isChecksum({ family }: SockCommon, level: number, name: number): boolean {
  return family === INET6 && (level === SOL.IPV6 || level === SOL.RAW) && name === IPV6_OPTION.CHECKSUM;
}

/** RFC 3542 §3.1: an even offset; -1: none. ICMPv6's is the kernel's own. */
function setChecksum(sock: SockCommon, level: number, value: Uint8Array): number {
  if (value.length < WORD_BYTES) return -ERRNO.EINVAL;
  const offset = intAt(value, 0);
  if (sock.protocol === IP_PROTOCOL.ICMPV6 && level === SOL.IPV6) return -ERRNO.EINVAL;
  if (offset > 0 && (offset & 1) !== 0) return -ERRNO.EINVAL;
  rawStateOf(sock).sumOffset = offset < 0 ? -1 : offset;
  return 0;
}

/** Of sockets for either ICMP only. */
function setFilter(sock: SockCommon, value: Uint8Array): number {
  if (!isOfIcmp(sock)) return -ERRNO.EOPNOTSUPP;
  const { blocked } = rawStateOf(sock);
  const whole = new Uint8Array(WORDS_BYTES);
  for (let i = 0; i < blocked.length; i++) putInt(whole, i * WORD_BYTES, blocked[i]!);
  whole.set(value.subarray(0, filterBytes(sock)));
  for (let i = 0; i < blocked.length; i++) blocked[i] = intAt(whole, i * WORD_BYTES);
  return 0;
}

function getFilter(sock: SockCommon, value: Uint8Array): number {
  if (!isOfIcmp(sock)) return -ERRNO.EOPNOTSUPP;
  const { blocked } = rawStateOf(sock);
  const whole = new Uint8Array(WORDS_BYTES);
  for (let i = 0; i < blocked.length; i++) putInt(whole, i * WORD_BYTES, blocked[i]!);
  const part = whole.subarray(0, Math.min(filterBytes(sock), value.length));
  value.set(part);
  return part.length;
}

function isOfIcmp({ family, protocol }: SockCommon): boolean {
  return protocol === (family === INET6 ? IP_PROTOCOL.ICMPV6 : IP_PROTOCOL.ICMP);
}

function filterBytes({ family }: SockCommon): number {
  return family === INET6 ? WORDS_BYTES : WORD_BYTES;
}
