import { ICMP_HEADER_BYTES, ICMPV6_TYPE, icmpCode, icmpType, ipv6Dst, ipv6HopLimit, ipv6Src } from '@softnet/wire';
import { linkAddressOptionBytes, ND_OPTION, ND_OPTION_HEADER_BYTES, ndOptionBytes } from './neighbour-option.ts';

/** Where the target stands in solicitations, advertisements and redirects (RFC 4861 §4.3 to §4.5). */
export const ND_TARGET = 8;
/** Solicitation and advertisement without options. */
export const ND_NEIGHBOUR_BYTES = 24;
/** The only hop limit of all of them: who is not on the link cannot send it (RFC 4861 §11.2). */
export const ND_HOP_LIMIT = 255;

/** Flags of an advertisement, as they stand in `icmpRest` (RFC 4861 §4.4). */
export const NA_FLAG = Object.freeze({ ROUTER: 0x80000000 | 0, SOLICITED: 0x40000000, OVERRIDE: 0x20000000 } as const);

/** What may be wrong with a message: names of drop reasons, and their text. */
export const ND_FAULT = Object.freeze({
  'nd.hop-limit': 'its hop limit is not 255, so it may come from off the link (RFC 4861 §6.1, §7.1)',
  'nd.code': 'its code is not 0 (RFC 4861 §6.1, §7.1)',
  'nd.truncated': 'shorter than its fixed part (RFC 4861 §6.1, §7.1)',
  'nd.option': 'an option of length 0, or one that reaches over the end (RFC 4861 §6.1, §7.1)',
  'nd.link-address': 'a link address of another length than those of the link (RFC 2464 §6)',
  'nd.target': 'its target is a group, or, of a redirect, neither a router nor the destination (RFC 4861 §7.1, §8.1)',
  'nd.source': 'a router that speaks by another than its link-local address (RFC 4861 §6.1.2, §8.1)',
  'nd.unspecified': 'without a source address, but with a link address, or not to a solicited-node group (RFC 4861 §6.1.1, §7.1.1)',
  'nd.solicited': 'sent to a group, but said to be solicited (RFC 4861 §7.1.2)',
} as const);
export type NdFault = keyof typeof ND_FAULT;

/** Where things stand in a message: kept and filled anew by its reader. Offsets are absolute, -1 where there is none. */
export class NdMessage {
  /** Of the link addresses' first bytes. */
  sourceLinkAddress = -1;
  targetLinkAddress = -1;
  /** Of a nonce (RFC 3971 §5.3.2), and how many bytes it has. */
  nonce = -1;
  nonceBytes = 0;
}

/** Bytes of the fixed parts, by type less 133 (RFC 4861 §4.1 to §4.5). */
const FIXED_BYTES = [8, 16, ND_NEIGHBOUR_BYTES, ND_NEIGHBOUR_BYTES, 40] as const;

/** Whether a type is one of the five. */
export function isNdType(type: number): boolean {
  return type >= ICMPV6_TYPE.ROUTER_SOLICITATION && type <= ICMPV6_TYPE.REDIRECT;
}

/**
 * All that RFC 4861 §6.1, §7.1 and §8.1 want of a message by itself, but for its checksum, which the caller has checked.
 * @param network of its IPv6 header. @param offset of the message, one of the five types.
 * @param addressLen of link addresses on that link, bytes.
 */
export function readNdMessage(
  view: DataView,
  network: number,
  offset: number,
  endOffset: number,
  addressLen: number,
  message: NdMessage,
): NdFault | null {
  message.sourceLinkAddress = -1;
  message.targetLinkAddress = -1;
  message.nonce = -1;
  if (endOffset - offset < ICMP_HEADER_BYTES) return 'nd.truncated';
  const type = icmpType(view, offset);
  const fixedBytes = FIXED_BYTES[type - ICMPV6_TYPE.ROUTER_SOLICITATION]!;
  if (ipv6HopLimit(view, network) !== ND_HOP_LIMIT) return 'nd.hop-limit';
  if (icmpCode(view, offset) !== 0) return 'nd.code';
  if (offset + fixedBytes > endOffset) return 'nd.truncated';
  const fault = optionsFault(view, offset + fixedBytes, endOffset, addressLen, linkAddressOption(type), message);
  return fault ?? addressFault(view, network, offset, type, message);
}

/** Which of the two the message is to have: the other is stepped over (RFC 4861 §6.1, §7.1, §8.1). */
function linkAddressOption(type: number): number {
  const isOfTarget = type === ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT || type === ICMPV6_TYPE.REDIRECT;
  return isOfTarget ? ND_OPTION.TARGET_LINK_ADDRESS : ND_OPTION.SOURCE_LINK_ADDRESS;
}

/** @param wanted the option with a link address that counts. */
function optionsFault(
  view: DataView,
  from: number,
  endOffset: number,
  addressLen: number,
  wanted: number,
  message: NdMessage,
): NdFault | null {
  for (let at = from, step = 0; at < endOffset; at += step) {
    step = ndOptionBytes(view, at, endOffset);
    if (step === 0) return 'nd.option';
    const type = view.getUint8(at);
    if (type === ND_OPTION.NONCE) {
      message.nonce = at + ND_OPTION_HEADER_BYTES;
      message.nonceBytes = step - ND_OPTION_HEADER_BYTES;
    }
    if (type !== wanted) continue;
    if (addressLen === 0 || step !== linkAddressOptionBytes(addressLen)) return 'nd.link-address';
    if (type === ND_OPTION.SOURCE_LINK_ADDRESS) message.sourceLinkAddress = at + ND_OPTION_HEADER_BYTES;
    else message.targetLinkAddress = at + ND_OPTION_HEADER_BYTES;
  }
  return null;
}

function addressFault(view: DataView, network: number, offset: number, type: number, message: NdMessage): NdFault | null {
  switch (type) {
    case ICMPV6_TYPE.ROUTER_SOLICITATION:
      return isUnspecified(view, network) && message.sourceLinkAddress >= 0 ? 'nd.unspecified' : null;
    case ICMPV6_TYPE.ROUTER_ADVERTISEMENT:
      return isLinkLocalAt(view, network + 8) ? null : 'nd.source';
    case ICMPV6_TYPE.NEIGHBOR_SOLICITATION:
      return solicitationFault(view, network, offset, message);
    case ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT:
      if (isGroupAt(view, offset + ND_TARGET)) return 'nd.target';
      return isGroupAt(view, network + 24) && (view.getInt32(offset + 4) & NA_FLAG.SOLICITED) !== 0 ? 'nd.solicited' : null;
    default:
      return redirectFault(view, network, offset);
  }
}

/** RFC 4861 §7.1.1. */
function solicitationFault(view: DataView, network: number, offset: number, message: NdMessage): NdFault | null {
  if (isGroupAt(view, offset + ND_TARGET)) return 'nd.target';
  if (!isUnspecified(view, network)) return null;
  return message.sourceLinkAddress >= 0 || !isSolicitedNode(view, network) ? 'nd.unspecified' : null;
}

/** RFC 4861 §8.1, less that it comes from the router in use. */
function redirectFault(view: DataView, network: number, offset: number): NdFault | null {
  if (!isLinkLocalAt(view, network + 8)) return 'nd.source';
  const destination = offset + ND_TARGET + 16;
  if (isGroupAt(view, destination)) return 'nd.target';
  if (isLinkLocalAt(view, offset + ND_TARGET)) return null;
  for (let at = 0; at < 16; at += 4) {
    if (view.getInt32(offset + ND_TARGET + at) !== view.getInt32(destination + at)) return 'nd.target';
  }
  return null;
}

function isUnspecified(view: DataView, network: number): boolean {
  return (ipv6Src(view, network, 0) | ipv6Src(view, network, 1) | ipv6Src(view, network, 2) | ipv6Src(view, network, 3)) === 0;
}

/** ff02::1:ff00:0/104 (RFC 4291 §2.7.1). */
function isSolicitedNode(view: DataView, network: number): boolean {
  const prefix = ipv6Dst(view, network, 0) === (0xff020000 | 0) && ipv6Dst(view, network, 1) === 0 && ipv6Dst(view, network, 2) === 1;
  return prefix && ipv6Dst(view, network, 3) >>> 24 === 0xff;
}

function isGroupAt(view: DataView, at: number): boolean {
  return view.getUint8(at) === 0xff;
}

function isLinkLocalAt(view: DataView, at: number): boolean {
  return (view.getUint16(at) & 0xffc0) === 0xfe80;
}
