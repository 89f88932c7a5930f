import type { AddressWords } from '@softnet/contract';

/**
 * The link-local address of an interface by its EUI-48: fe80::, and the identifier of RFC 4291 appendix A (ff:fe in the
 * middle, the universal bit turned). Null: it has none, or one of zeros or of a group.
 */
export function linkLocalOf(mac: Uint8Array): AddressWords | null {
  if (mac.length !== 6 || (mac[0]! & 1) !== 0 || mac.every((byte) => byte === 0)) return null;
  const word2 = ((mac[0]! ^ 2) << 24) | (mac[1]! << 16) | (mac[2]! << 8) | 0xff;
  const word3 = (0xfe << 24) | (mac[3]! << 16) | (mac[4]! << 8) | mac[5]!;
  return [0xfe800000 | 0, 0, word2, word3];
}
