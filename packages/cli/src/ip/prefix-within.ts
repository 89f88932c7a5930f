import type { AddressWords } from '@softnet/contract';
import { ADDRESS_FAMILY } from '@softnet/contract';
import type { IpPrefix } from '@softnet/wire';

/** The address is one of the prefix: its first bits are the prefix's. */
export function isWithin(family: number, address: AddressWords, to: IpPrefix): boolean {
  if (family !== to.family) return false;
  const first = family === ADDRESS_FAMILY.INET ? 3 : 0;
  for (let i = first, bits = to.prefixLen; i < 4; i++, bits -= 32) {
    const mask = bits <= 0 ? 0 : bits >= 32 ? -1 : ~(0xffffffff >>> bits);
    if (((address[i]! ^ to.words[i]!) & mask) !== 0) return false;
  }
  return true;
}
