import type { ErrorReport } from '@softnet/contract';
import { ERRNO, ERROR_ORIGIN } from '@softnet/contract';
import { ICMPV6_TYPE, ICMPV6_UNREACHABLE } from '@softnet/wire';

/**
 * What a received error means to a socket's user: Linux's `icmpv6_err_convert`. Fills in all but the offender.
 * @param rest the message's second word: an MTU, a pointer.
 */
export function readIcmpError(type: number, code: number, rest: number, report: ErrorReport): void {
  report.origin = ERROR_ORIGIN.ICMPV6;
  report.type = type;
  report.code = code;
  report.info = 0;
  report.fatal = false;
  report.errno = ERRNO.EPROTO;
  if (type === ICMPV6_TYPE.DESTINATION_UNREACHABLE) unreachable(code, report);
  else if (type === ICMPV6_TYPE.TIME_EXCEEDED) report.errno = ERRNO.EHOSTUNREACH;
  else if (type === ICMPV6_TYPE.PACKET_TOO_BIG) {
    report.errno = ERRNO.EMSGSIZE;
    // Unsigned: what is more than any MTU is no smaller one.
    report.info = rest >>> 0 > 0x7fffffff ? 0x7fffffff : rest;
  } else if (type === ICMPV6_TYPE.PARAMETER_PROBLEM) {
    report.info = rest;
    report.fatal = true;
  }
}

function unreachable(code: number, report: ErrorReport): void {
  switch (code) {
    case ICMPV6_UNREACHABLE.NO_ROUTE:
      report.errno = ERRNO.ENETUNREACH;
      return;
    case ICMPV6_UNREACHABLE.BEYOND_SCOPE:
    case ICMPV6_UNREACHABLE.ADDRESS:
      report.errno = ERRNO.EHOSTUNREACH;
      return;
    case ICMPV6_UNREACHABLE.PORT:
      report.errno = ERRNO.ECONNREFUSED;
      report.fatal = true;
      return;
    case ICMPV6_UNREACHABLE.ADMINISTRATIVELY_PROHIBITED:
    case ICMPV6_UNREACHABLE.SOURCE_POLICY:
    case ICMPV6_UNREACHABLE.REJECT_ROUTE:
      report.errno = ERRNO.EACCES;
      report.fatal = true;
      return;
    default:
      report.fatal = true;
  }
}
