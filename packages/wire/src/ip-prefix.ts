import { ADDRESS_FAMILY } from '@softnet/contract';
import type { IpAddress } from './ip-address.ts';
import { formatAddress, parseAddress } from './ip-address.ts';

/** An address with the length of its prefix: that of an interface, or a network. */
export interface IpPrefix extends IpAddress {
  /** 0 to 32 or 128: of the family's own bits. */
  readonly prefixLen: number;
}

/** Bits of an address of this family. */
export function addressBits(family: number): number {
  return family === ADDRESS_FAMILY.INET ? 32 : 128;
}

/** `192.0.2.1/24`, `2001:db8::/32` (RFC 4632 §3.1, RFC 4291 §2.3). The bits behind the prefix stay as they are. */
export function formatPrefix({ family, words, prefixLen }: IpPrefix): string {
  return `${formatAddress(family, ...words)}/${prefixLen}`;
}

/** Either family's text; without a length, that of one address. The length has no leading zeros. Null: no such text. */
export function parsePrefix(text: string): IpPrefix | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === null) return null;
  const bits = addressBits(address.family);
  if (slash < 0) return { ...address, prefixLen: bits };
  const len = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(len) || Number(len) > bits) return null;
  return { ...address, prefixLen: Number(len) };
}
