import { addSums, sumBytes, sumWord } from './internet-checksum.ts';

/**
 * Sum of the pseudo-header of TCP, UDP and their kin over IPv4 (RFC 9293 §3.1, RFC 768) and IPv6 (RFC 8200 §8.1), from
 * addresses as four words. One function for both: the words before an IPv4 address, 0, 0, 0xffff, sum up to zero.
 * @param protocol of the upper layer, whatever stands in the IPv6 header itself.
 * @param lenBytes upper-layer header and data.
 */
export function pseudoHeaderSum(
  src0: number,
  src1: number,
  src2: number,
  src3: number,
  dst0: number,
  dst1: number,
  dst2: number,
  dst3: number,
  protocol: number,
  lenBytes: number,
): number {
  const src = sumWord(src0) + sumWord(src1) + sumWord(src2) + sumWord(src3);
  const dst = sumWord(dst0) + sumWord(dst1) + sumWord(dst2) + sumWord(dst3);
  return sumWord(src + dst + sumWord(protocol) + sumWord(lenBytes));
}

/** The same, with addresses as they stand in the IPv4 header at `offset`. */
export function ipv4PseudoHeaderSum(view: DataView, offset: number, protocol: number, lenBytes: number): number {
  return sumWord(sumWord(view.getInt32(offset + 12)) + sumWord(view.getInt32(offset + 16)) + protocol + sumWord(lenBytes));
}

/**
 * The same, with addresses as they stand in the IPv6 header at `offset`. With a routing header and segments left, the
 * destination is not there, but last in the routing header (RFC 8200 §8.1).
 */
export function ipv6PseudoHeaderSum(view: DataView, offset: number, protocol: number, lenBytes: number): number {
  return addSums(sumBytes(view, offset + 8, 32), sumWord(protocol + sumWord(lenBytes)));
}
