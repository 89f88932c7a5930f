import { IPV4_HEADER_BYTES, IPV4_OPTION, isIpv4OptionCopied, OPTION_END, OPTION_NOP, optionBytes } from '@softnet/wire';

/** What {@link checkOptions} says; a positive number is the offset in the header that a Parameter Problem points at. */
export const OPTIONS_GOOD = 0;

/** Forms of the timestamp option: the low half of its fourth byte (RFC 791 §3.1). */
export const TIMESTAMP_FORM = Object.freeze({ TIMES: 0, ADDRESSES: 1, PRESPECIFIED: 3 } as const);

/** Offsets of pointers, as the options themselves count them: the first byte of an option is 1. */
const ROUTE_FIRST = 4;
const TIMESTAMP_FIRST = 5;
const MAX_OVERFLOW = 15;

/** Which options that a node acts upon a header has: offsets from the header's first byte; 0: none. Kept, and filled anew. */
export class FoundOptions {
  /** Loose or strict. */
  sourceRoute = 0;
  recordRoute = 0;
  timestamp = 0;
  /** "Examine this packet" (RFC 2113); other values than 0 mean nothing yet. */
  routerAlert = 0;
}

/**
 * Walks the options of the header at `offset`, and looks at those that are acted upon (RFC 791 §3.1, RFC 1122 §3.2.1.8, RFC 1812 §5.3.13;
 * Linux's `ip_options_compile`). What is not known is stepped over. @param endOffset behind the header.
 */
export function checkOptions(view: DataView, offset: number, endOffset: number, found: FoundOptions): number {
  found.sourceRoute = 0;
  found.recordRoute = 0;
  found.timestamp = 0;
  found.routerAlert = 0;
  for (let at = offset + IPV4_HEADER_BYTES, step = 0; at < endOffset; at += step) {
    step = optionBytes(view, at, endOffset);
    if (step === 0) return at - offset;
    const kind = view.getUint8(at);
    if (kind === OPTION_END) break;
    const wrong = checkOne(view, at, kind, step, at - offset, found);
    if (wrong >= 0) return at - offset + wrong;
  }
  return OPTIONS_GOOD;
}

/** The byte of the option that is wrong; -1: none. @param place of the option in the header. */
function checkOne(view: DataView, at: number, kind: number, lenBytes: number, place: number, found: FoundOptions): number {
  switch (kind) {
    case IPV4_OPTION.LOOSE_SOURCE_ROUTE:
    case IPV4_OPTION.STRICT_SOURCE_ROUTE:
      if (found.sourceRoute !== 0) return 0;
      found.sourceRoute = place;
      return checkRoute(view, at, lenBytes);
    case IPV4_OPTION.RECORD_ROUTE:
      if (found.recordRoute !== 0) return 0;
      found.recordRoute = place;
      return checkRoute(view, at, lenBytes);
    case IPV4_OPTION.TIMESTAMP:
      if (found.timestamp !== 0) return 0;
      found.timestamp = place;
      return checkTimestamp(view, at, lenBytes);
    case IPV4_OPTION.ROUTER_ALERT:
      if (lenBytes < 4) return 1;
      if (view.getUint16(at + 2) === 0) found.routerAlert = place;
      return -1;
    default:
      return -1;
  }
}

/** There is no room any more, or enough for an address. */
function checkRoute(view: DataView, at: number, lenBytes: number): number {
  if (lenBytes < 3) return 1;
  const pointer = view.getUint8(at + 2);
  return pointer < ROUTE_FIRST || (pointer <= lenBytes && pointer + 3 > lenBytes) ? 2 : -1;
}

function checkTimestamp(view: DataView, at: number, lenBytes: number): number {
  if (lenBytes < 4) return 1;
  const pointer = view.getUint8(at + 2);
  if (pointer < TIMESTAMP_FIRST) return 2;
  const form = view.getUint8(at + 3) & 15;
  if (pointer > lenBytes) return view.getUint8(at + 3) >>> 4 === MAX_OVERFLOW ? 3 : -1;
  if (stampBytes(form) === 0) return 3;
  return pointer + stampBytes(form) - 1 > lenBytes ? 2 : -1;
}

/** What one node writes; 0: no such form. */
export function stampBytes(form: number): number {
  if (form === TIMESTAMP_FORM.TIMES) return 4;
  return form === TIMESTAMP_FORM.ADDRESSES || form === TIMESTAMP_FORM.PRESPECIFIED ? 8 : 0;
}

/** Of fragments behind the first: options that are not copied become NOP (RFC 791 §3.1), so that the header stays as long. */
export function blankUncopied(view: DataView, from: number, endOffset: number): void {
  for (let at = from, step = 0; at < endOffset; at += step) {
    step = optionBytes(view, at, endOffset);
    const kind = view.getUint8(at);
    if (step === 0 || kind === OPTION_END) return;
    if (isIpv4OptionCopied(kind)) continue;
    for (let i = 0; i < step; i++) view.setUint8(at + i, OPTION_NOP);
  }
}
