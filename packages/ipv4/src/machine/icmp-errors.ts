import type { ErrorReport } from '@softnet/contract';
import { ERRNO, ERROR_ORIGIN, REFUSAL } from '@softnet/contract';
import { ICMPV4_TIME_EXCEEDED, ICMPV4_TYPE, ICMPV4_UNREACHABLE } from '@softnet/wire';

const { DESTINATION_UNREACHABLE, REDIRECT, TIME_EXCEEDED, PARAMETER_PROBLEM } = ICMPV4_TYPE;

/** How a refusal is said in ICMP: type << 8 | code. By `REFUSAL`. */
const MESSAGES: Readonly<Record<number, number>> = Object.freeze({
  [REFUSAL.PORT_UNREACHABLE]: (DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.PORT,
  [REFUSAL.PROTOCOL_UNREACHABLE]: (DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.PROTOCOL,
  [REFUSAL.HOST_UNREACHABLE]: (DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.HOST,
  [REFUSAL.NET_UNREACHABLE]: (DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.NET,
  [REFUSAL.PROHIBITED]: (DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.ADMINISTRATIVELY_PROHIBITED,
  [REFUSAL.TOO_BIG]: (DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.FRAGMENTATION_NEEDED,
  [REFUSAL.TIME_EXCEEDED]: (TIME_EXCEEDED << 8) | ICMPV4_TIME_EXCEEDED.TTL,
  [REFUSAL.REASSEMBLY_TIMEOUT]: (TIME_EXCEEDED << 8) | ICMPV4_TIME_EXCEEDED.REASSEMBLY,
  [REFUSAL.SOURCE_ROUTE_FAILED]: (DESTINATION_UNREACHABLE << 8) | ICMPV4_UNREACHABLE.SOURCE_ROUTE_FAILED,
});

/** Type << 8 | code of a refusal; -1: it has no message. */
export function messageOf(refusal: number): number {
  return MESSAGES[refusal] ?? -1;
}

/** What a socket's user is told, by code of Destination Unreachable: Linux's `icmp_err_convert`. */
const UNREACHABLE: readonly number[] = Object.freeze([
  ERRNO.ENETUNREACH,
  ERRNO.EHOSTUNREACH,
  ERRNO.ENOPROTOOPT,
  ERRNO.ECONNREFUSED,
  ERRNO.EMSGSIZE,
  ERRNO.EOPNOTSUPP,
  ERRNO.ENETUNREACH,
  ERRNO.EHOSTDOWN,
  // DEVIATION: Linux says ENONET, an errno that Node does not know.
  ERRNO.EHOSTUNREACH,
  ERRNO.ENETUNREACH,
  ERRNO.EHOSTUNREACH,
  ERRNO.ENETUNREACH,
  ERRNO.EHOSTUNREACH,
  ERRNO.EHOSTUNREACH,
  ERRNO.EHOSTUNREACH,
  ERRNO.EHOSTUNREACH,
]);
/** Bits by code: connections end by these; the others are hints (RFC 1122 §4.2.3.9). */
const FATAL = 0b1110_0111_1100_1100;

/** Next lower MTUs that links have, for routers which do not say theirs (RFC 1191 §7.1). */
const PLATEAUS: readonly number[] = Object.freeze([32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, 68]);

/** The MTU that a Fragmentation Needed means. @param rest of the message. @param quotedBytes total length of the packet quoted. */
export function mtuOf(rest: number, quotedBytes: number): number {
  const said = rest & 0xffff;
  return said > 0 ? said : (PLATEAUS.find((plateau) => plateau < quotedBytes) ?? 68);
}

/** How many codes each type has (RFC 792, RFC 1108 §4, RFC 1812 §5.2.7); of a type that is not here, none is reported. */
const CODES: Readonly<Record<number, number>> = Object.freeze({
  [DESTINATION_UNREACHABLE]: UNREACHABLE.length,
  [REDIRECT]: 4,
  [TIME_EXCEEDED]: 2,
  [PARAMETER_PROBLEM]: 3,
});

/** Fills the report with what an ICMP error or redirect says. False: it is none that is reported. */
export function readReport(report: ErrorReport, type: number, code: number, rest: number, quotedBytes: number): boolean {
  if (code >= (CODES[type] ?? 0)) return false;
  report.errno = ERRNO.EHOSTUNREACH;
  if (type === DESTINATION_UNREACHABLE) report.errno = UNREACHABLE[code]!;
  else if (type === PARAMETER_PROBLEM) report.errno = ERRNO.EPROTO;
  else if (type === REDIRECT) report.errno = 0;
  report.fatal = type === DESTINATION_UNREACHABLE ? (FATAL & (1 << code)) !== 0 : type === PARAMETER_PROBLEM;
  report.origin = ERROR_ORIGIN.ICMP;
  report.type = type;
  report.code = code;
  report.info = 0;
  if (type === PARAMETER_PROBLEM) report.info = rest >>> 24;
  else if (type === REDIRECT) report.info = rest;
  else if (isTooBig(type, code)) report.info = mtuOf(rest, quotedBytes);
  return true;
}

/** Fragmentation Needed (RFC 1191 §4). */
export function isTooBig(type: number, code: number): boolean {
  return type === DESTINATION_UNREACHABLE && code === ICMPV4_UNREACHABLE.FRAGMENTATION_NEEDED;
}
