/**
 * The Internet checksum (RFC 1071, RFC 1141, RFC 1624). A *sum* is a 16-bit one's complement sum, 0 to 0xffff, in host
 * order, not inverted: sums of parts are added up in any order, and {@link checksumOf} makes a checksum of them. Data that
 * include their checksum are intact when their sum is {@link INTACT}.
 */

/** The sum of data with a right checksum among them. */
export const INTACT = 0xffff;

const WORD = 0x100000000;

/**
 * Sum of `lenBytes` bytes at `offset`, which may be odd, as may the length: the block is summed as if it began at an even
 * place, and a last odd byte as if a zero followed it (RFC 1071 §1).
 *
 * Words are read little-endian, since that is what processors do, and the sum's bytes swapped at the end (RFC 1071 §2(B)).
 * They add up in a double, which is exact to 2²¹ of them: `lenBytes` may be 8 MiB at most. The README has the figures.
 */
export function sumBytes(view: DataView, offset: number, lenBytes: number): number {
  const end = offset + lenBytes;
  let at = offset;
  let total = 0;
  for (const last = end - 32; at <= last; at += 32) {
    total +=
      view.getUint32(at, true) +
      view.getUint32(at + 4, true) +
      view.getUint32(at + 8, true) +
      view.getUint32(at + 12, true) +
      view.getUint32(at + 16, true) +
      view.getUint32(at + 20, true) +
      view.getUint32(at + 24, true) +
      view.getUint32(at + 28, true);
  }
  for (const last = end - 4; at <= last; at += 4) total += view.getUint32(at, true);
  if (end - at >= 2) {
    total += view.getUint16(at, true);
    at += 2;
  }
  if (at < end) total += view.getUint8(at);
  return sumAtOdd(fold(sumWord(total >>> 0) + ((total / WORD) | 0)));
}

/** Sum of one 32-bit word (int32 or unsigned): an address, a sequence number. */
export function sumWord(word: number): number {
  return fold((word & 0xffff) + (word >>> 16));
}

/** Sum of two parts. */
export function addSums(a: number, b: number): number {
  return fold(a + b);
}

/** The sum of a part, as it counts when the part begins at an odd place of the whole (RFC 1071 §2(B)). */
export function sumAtOdd(sum: number): number {
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/** What stands in the checksum's field: the sum inverted. UDP has a rule of its own for 0: `udpChecksumOf`. */
export function checksumOf(sum: number): number {
  return ~sum & 0xffff;
}

/** The checksum, when 16 bits at an even place have changed (RFC 1624 §3, equation 3). */
export function updateChecksum16(checksum: number, from: number, to: number): number {
  return checksumOf(fold(checksumOf(checksum) + checksumOf(from) + to));
}

/** The checksum, when 32 bits at an even place have changed: an address, a timestamp. int32 or unsigned. */
export function updateChecksum32(checksum: number, from: number, to: number): number {
  return updateChecksum16(checksum, sumWord(from), sumWord(to));
}

/** Carries come around (RFC 1071 §1); `sum` is less than 2³². */
function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}
