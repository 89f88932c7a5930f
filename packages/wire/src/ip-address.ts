import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY, IPV4_WORD2 } from '@softnet/contract';
import { formatIpv4, parseIpv4 } from './ipv4-address.ts';
import { formatIpv6, parseIpv6 } from './ipv6-address.ts';

/** Addresses of either family as the contract's four words, IPv4 as 0, 0, 0xffff, a (`Flow` says why). */
export interface IpAddress {
  /** `ADDRESS_FAMILY.INET` or `INET6`. */
  readonly family: number;
  readonly words: AddressWords;
}

/** An IPv4 address's words; its unspecified address is that of both families, `::`. */
export function ipv4Words(address: number): AddressWords {
  return address === 0 ? [0, 0, 0, 0] : [0, 0, IPV4_WORD2, address];
}

/** Text of an address of this family: an IPv4 address is dotted decimals, `::` is 0.0.0.0 there. */
export function formatAddress(family: number, word0: number, word1: number, word2: number, word3: number): string {
  return family === ADDRESS_FAMILY.INET ? formatIpv4(word3) : formatIpv6(word0, word1, word2, word3);
}

/** Either family's text; `::ffff:192.0.2.1` is INET6's. Null: neither. */
export function parseAddress(text: string): IpAddress | null {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== null) return { family: ADDRESS_FAMILY.INET, words: ipv4Words(ipv4) };
  const words = parseIpv6(text);
  return words === null ? null : { family: ADDRESS_FAMILY.INET6, words };
}

/** The words of the address that stands at `offset`: 4 bytes of INET, 16 of INET6. Allocates. */
export function readAddress(view: DataView, offset: number, family: number): AddressWords {
  if (family === ADDRESS_FAMILY.INET) return ipv4Words(view.getInt32(offset));
  return [view.getInt32(offset), view.getInt32(offset + 4), view.getInt32(offset + 8), view.getInt32(offset + 12)];
}

/** Writes the address at `offset`: 4 bytes of INET, 16 of INET6. */
export function putAddress(
  view: DataView,
  offset: number,
  family: number,
  word0: number,
  word1: number,
  word2: number,
  word3: number,
): void {
  if (family === ADDRESS_FAMILY.INET) {
    view.setInt32(offset, word3);
    return;
  }
  view.setInt32(offset, word0);
  view.setInt32(offset + 4, word1);
  view.setInt32(offset + 8, word2);
  view.setInt32(offset + 12, word3);
}
