import type { HeaderOption } from './option-list.ts';

/** Types of IPv4 options (RFC 791 §3.1; IANA). How they are walked: `optionBytes`. What routes and stamps mean is ipv4's own. */
export const IPV4_OPTION = Object.freeze({
  END: 0,
  NOP: 1,
  RECORD_ROUTE: 7,
  TIMESTAMP: 68,
  SECURITY: 130,
  LOOSE_SOURCE_ROUTE: 131,
  CIPSO: 134,
  STREAM_ID: 136,
  STRICT_SOURCE_ROUTE: 137,
  /** RFC 2113. */
  ROUTER_ALERT: 148,
} as const);

/** Whether every fragment has it, or the first one only (RFC 791 §3.1, the copied flag). */
export function isIpv4OptionCopied(kind: number): boolean {
  return (kind & 0x80) !== 0;
}

/** "Examine this packet" (RFC 2113 §2.1), as IGMP and RSVP send it. */
export function routerAlertOption(): HeaderOption {
  return { kind: IPV4_OPTION.ROUTER_ALERT, data: new Uint8Array(2) };
}
