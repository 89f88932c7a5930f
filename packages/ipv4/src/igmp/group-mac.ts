import type { AddressWords } from '@softnet/contract';

/** Where frames to a group go: 01:00:5e and the lower 23 bits (RFC 1112 §6.4). */
export function groupMac(group: AddressWords): Uint8Array {
  const word = group[3];
  return Uint8Array.of(0x01, 0x00, 0x5e, (word >>> 16) & 0x7f, (word >>> 8) & 0xff, word & 0xff);
}
