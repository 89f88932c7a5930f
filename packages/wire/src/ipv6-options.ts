import type { Ipv6OptionLimits } from './ipv6-limits.ts';

/** Options of hop-by-hop and destination options headers (RFC 8200 §4.2): type, length of the data, data; Pad1 is a type alone. */
export const IPV6_OPTION = Object.freeze({
  PAD1: 0,
  PADN: 1,
  /** RFC 2473 §4.1.1. */
  TUNNEL_ENCAPSULATION_LIMIT: 0x04,
  /** RFC 2711. */
  ROUTER_ALERT: 0x05,
  /** RFC 5570. */
  CALIPSO: 0x07,
  /** RFC 2675. */
  JUMBO: 0xc2,
  /** RFC 6275 §6.3. */
  HOME_ADDRESS: 0xc9,
} as const);

/** What to do with an option that one does not know: the two highest bits of its type (RFC 8200 §4.2). */
export const IPV6_OPTION_ACTION = Object.freeze({
  SKIP: 0,
  DISCARD: 1,
  /** And send a Parameter Problem, code 2. */
  DISCARD_AND_REPORT: 2,
  /** The same, but not when the destination is multicast. */
  DISCARD_AND_REPORT_UNICAST: 3,
} as const);

/** What may be wrong with options: names of drop reasons, and their text. */
export const IPV6_OPTION_FAULT = Object.freeze({
  'ipv6.option': 'the length of an option reaches over its header (RFC 8200 §4.2)',
  'ipv6.option-padding': 'padding is longer than alignment needs, or not zero (RFC 8504 §5.3, RFC 4942 §2.1.9.5)',
  'ipv6.option-limit': 'more options, or a longer header of them, than the limit allows (RFC 8504 §5.3)',
} as const);
export type Ipv6OptionFault = keyof typeof IPV6_OPTION_FAULT;

/** One of {@link IPV6_OPTION_ACTION}. */
export function ipv6OptionAction(type: number): number {
  return type >>> 6;
}

/** Whether its data may change on the way (RFC 8200 §4.2); AH takes them for zeros then. */
export function isIpv6OptionMutable(type: number): boolean {
  return (type & 0x20) !== 0;
}

/**
 * Bytes of the option at `at`, which is before `endOffset`; its type stands there, its data 2 further. 0: it is cut off.
 * Walked as `option-list.ts` shows, from 2 behind the header's beginning.
 */
export function ipv6OptionBytes(view: DataView, at: number, endOffset: number): number {
  if (view.getUint8(at) === IPV6_OPTION.PAD1) return 1;
  if (at + 2 > endOffset) return 0;
  const lenBytes = 2 + view.getUint8(at + 1);
  return at + lenBytes > endOffset ? 0 : lenBytes;
}

/** Looks at all options of the header that begins at `at`, which the caller has found to be there; what they mean is ipv6's. */
export function ipv6OptionsFault(view: DataView, at: number, headerBytes: number, limits: Ipv6OptionLimits): Ipv6OptionFault | null {
  const found = scanIpv6Options(view, at, headerBytes, limits);
  return found === 0 ? null : FAULTS[found & 7]!;
}

/** What {@link scanIpv6Options} found: the low three bits say which fault. */
export const IPV6_OPTION_SCAN = Object.freeze({ CUT_OFF: 1, PADDING_LONG: 2, PADDING_NOT_ZERO: 3, LIMIT: 4 } as const);
const FAULTS = Object.freeze([null, 'ipv6.option', 'ipv6.option-padding', 'ipv6.option-padding', 'ipv6.option-limit'] as const);

/**
 * The same, saying where. 0: no fault; else one of {@link IPV6_OPTION_SCAN} and, eight times, the offset from `at` of the option at fault
 * (0: the header itself is too long).
 */
export function scanIpv6Options(view: DataView, at: number, headerBytes: number, limits: Ipv6OptionLimits): number {
  if (headerBytes > limits.headerBytes) return IPV6_OPTION_SCAN.LIMIT;
  const end = at + headerBytes;
  let options = 0;
  let paddingBytes = 0;
  for (let option = at + 2, step = 0; option < end; option += step) {
    step = ipv6OptionBytes(view, option, end);
    const where = (option - at) << 3;
    if (step === 0) return where | IPV6_OPTION_SCAN.CUT_OFF;
    if (view.getUint8(option) <= IPV6_OPTION.PADN) {
      paddingBytes += step;
      if (paddingBytes > limits.paddingBytes) return where | IPV6_OPTION_SCAN.PADDING_LONG;
      if (!isZero(view, option + 2, option + step)) return where | IPV6_OPTION_SCAN.PADDING_NOT_ZERO;
    } else {
      paddingBytes = 0;
      if (++options > limits.options) return where | IPV6_OPTION_SCAN.LIMIT;
    }
  }
  return 0;
}

function isZero(view: DataView, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (view.getUint8(at) !== 0) return false;
  return true;
}
