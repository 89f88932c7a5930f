/**
 * The identifier of an interface by its EUI-48 (RFC 4291 appendix A): ff:fe in the middle, the universal bit turned. Null: it has none, or
 * one of zeros or of a group.
 */
export function identifierOf(mac: Uint8Array): readonly [word2: number, word3: number] | null {
  if (mac.length !== 6 || (mac[0]! & 1) !== 0 || mac.every((byte) => byte === 0)) return null;
  const word2 = ((mac[0]! ^ 2) << 24) | (mac[1]! << 16) | (mac[2]! << 8) | 0xff;
  const word3 = (0xfe << 24) | (mac[3]! << 16) | (mac[4]! << 8) | mac[5]!;
  return [word2, word3];
}
