import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { IcmpMessage } from '@softnet/wire';
import { ICMPV6_TYPE, putAddress, readAddress, viewOf } from '@softnet/wire';
import { NA_FLAG } from './neighbour-message.ts';
import { ND_OPTION, ND_OPTION_HEADER_BYTES, ndOptionBytes, writeLinkAddressOption } from './neighbour-option.ts';

/** A neighbor solicitation or advertisement as a plain value, for tests and tools (RFC 4861 §4.3, §4.4). */
export interface NeighbourMessage {
  readonly type: typeof ICMPV6_TYPE.NEIGHBOR_SOLICITATION | typeof ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT;
  readonly target: AddressWords;
  /** Of an advertisement: bits of {@link NA_FLAG}. */
  readonly flags: number;
  /** Source (solicitation) or target (advertisement) link address; null: none is said. */
  readonly linkAddress: Uint8Array | null;
}

/** As an ICMPv6 message, for `emitIcmpv6`. */
export function emitNeighbour({ type, target, flags, linkAddress }: NeighbourMessage): IcmpMessage {
  const payload = new Uint8Array(16 + (linkAddress === null ? 0 : (ND_OPTION_HEADER_BYTES + linkAddress.length + 7) & ~7));
  const view = viewOf(payload);
  putAddress(view, 0, ADDRESS_FAMILY.INET6, ...target);
  if (linkAddress !== null) writeLinkAddressOption(view, 16, optionOf(type), linkAddress, linkAddress.length);
  return { type, code: 0, rest: flags, payload };
}

/** Null: neither of the two, or cut off, or its options are malformed. @param addressLen of a link address. */
export function parseNeighbour({ type, rest, payload }: IcmpMessage, addressLen: number): NeighbourMessage | null {
  if (type !== ICMPV6_TYPE.NEIGHBOR_SOLICITATION && type !== ICMPV6_TYPE.NEIGHBOR_ADVERTISEMENT) return null;
  if (payload.length < 16) return null;
  const view = viewOf(payload);
  let linkAddress: Uint8Array | null = null;
  for (let at = 16, step = 0; at < payload.length; at += step) {
    step = ndOptionBytes(view, at, payload.length);
    if (step === 0) return null;
    if (payload[at] !== optionOf(type)) continue;
    linkAddress = payload.slice(at + ND_OPTION_HEADER_BYTES, at + ND_OPTION_HEADER_BYTES + addressLen);
  }
  const flags = rest & (NA_FLAG.ROUTER | NA_FLAG.SOLICITED | NA_FLAG.OVERRIDE);
  return { type, target: readAddress(view, 0, ADDRESS_FAMILY.INET6), flags, linkAddress };
}

function optionOf(type: number): number {
  return type === ICMPV6_TYPE.NEIGHBOR_SOLICITATION ? ND_OPTION.SOURCE_LINK_ADDRESS : ND_OPTION.TARGET_LINK_ADDRESS;
}
