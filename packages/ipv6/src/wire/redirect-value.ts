import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { IcmpMessage } from '@softnet/wire';
import { ICMPV6_TYPE, putAddress, readAddress, viewOf } from '@softnet/wire';
import { linkAddressOptionBytes, ND_OPTION, ND_OPTION_HEADER_BYTES, ndOptionBytes, writeLinkAddressOption } from './neighbour-option.ts';

/** A redirect as a plain value (RFC 4861 §4.5). */
export interface RedirectMessage {
  /** The better first hop: a router's link-local address, or the destination itself. */
  readonly target: AddressWords;
  readonly destination: AddressWords;
  /** Of the target; null: not said. */
  readonly linkAddress: Uint8Array | null;
  /** As much of the packet that caused it as fits, from its IPv6 header on; a multiple of 8 bytes is kept. Empty: none. */
  readonly packet: Uint8Array;
}

const ADDRESSES_BYTES = 32;
/** Before the packet in its option (RFC 4861 §4.6.3). */
const REDIRECTED_HEADER_BYTES = 8;

/** As an ICMPv6 message, for `emitIcmpv6`. */
export function emitRedirect({ target, destination, linkAddress, packet }: RedirectMessage): IcmpMessage {
  const linkBytes = linkAddress === null ? 0 : linkAddressOptionBytes(linkAddress.length);
  const quoteBytes = packet.length & ~7;
  const payload = new Uint8Array(ADDRESSES_BYTES + linkBytes + (quoteBytes === 0 ? 0 : REDIRECTED_HEADER_BYTES + quoteBytes));
  const view = viewOf(payload);
  putAddress(view, 0, ADDRESS_FAMILY.INET6, ...target);
  putAddress(view, 16, ADDRESS_FAMILY.INET6, ...destination);
  let at = ADDRESSES_BYTES;
  if (linkAddress !== null) at = writeLinkAddressOption(view, at, ND_OPTION.TARGET_LINK_ADDRESS, linkAddress, linkAddress.length);
  if (quoteBytes > 0) {
    payload[at] = ND_OPTION.REDIRECTED_HEADER;
    payload[at + 1] = (REDIRECTED_HEADER_BYTES + quoteBytes) >>> 3;
    payload.set(packet.subarray(0, quoteBytes), at + REDIRECTED_HEADER_BYTES);
  }
  return { type: ICMPV6_TYPE.REDIRECT, code: 0, rest: 0, payload };
}

/** Null: no redirect, cut off, or its options are malformed. */
export function parseRedirect({ type, payload }: IcmpMessage, addressLen: number): RedirectMessage | null {
  if (type !== ICMPV6_TYPE.REDIRECT || payload.length < ADDRESSES_BYTES) return null;
  const view = viewOf(payload);
  let linkAddress: Uint8Array | null = null;
  let packet: Uint8Array = new Uint8Array(0);
  for (let at = ADDRESSES_BYTES, step = 0; at < payload.length; at += step) {
    step = ndOptionBytes(view, at, payload.length);
    if (step === 0) return null;
    if (payload[at] === ND_OPTION.REDIRECTED_HEADER) packet = payload.slice(at + REDIRECTED_HEADER_BYTES, at + step);
    else if (payload[at] === ND_OPTION.TARGET_LINK_ADDRESS && addressLen > 0 && step === linkAddressOptionBytes(addressLen)) {
      linkAddress = payload.slice(at + ND_OPTION_HEADER_BYTES, at + ND_OPTION_HEADER_BYTES + addressLen);
    }
  }
  const [target, destination] = [readAddress(view, 0, ADDRESS_FAMILY.INET6), readAddress(view, 16, ADDRESS_FAMILY.INET6)];
  return { target, destination, linkAddress, packet };
}
