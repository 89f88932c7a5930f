import { ADDRESS_FAMILY, IP_PROTOCOL } from '@softnet/contract';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checksumOf, sumBytes } from './internet-checksum.ts';
import { ipv4Words, putAddress } from './ip-address.ts';
import { ipv4PseudoHeaderSum, ipv6PseudoHeaderSum, pseudoHeaderSum } from './pseudo-header.ts';
import { int32, ipv6Words, u8, u16 } from './testing/arbitraries.ts';
import { hex } from './testing/hex.ts';
import { viewOf } from './view-of.ts';

/** The figures, written out: RFC 768 (12 bytes) and RFC 8200 §8.1 (40 bytes). */
function figure(family: number, src: readonly number[], dst: readonly number[], protocol: number, lenBytes: number): number {
  const addressBytes = family === ADDRESS_FAMILY.INET ? 4 : 16;
  const bytes = new Uint8Array(2 * addressBytes + (family === ADDRESS_FAMILY.INET ? 4 : 8));
  const view = viewOf(bytes);
  putAddress(view, 0, family, src[0]!, src[1]!, src[2]!, src[3]!);
  putAddress(view, addressBytes, family, dst[0]!, dst[1]!, dst[2]!, dst[3]!);
  if (family === ADDRESS_FAMILY.INET) {
    view.setUint8(9, protocol);
    view.setUint16(10, lenBytes);
  } else {
    view.setUint32(32, lenBytes);
    view.setUint8(39, protocol);
  }
  return sumBytes(view, 0, bytes.length);
}

test('IPv4: words and header give the sum of the figure in RFC 768', () => {
  fc.assert(
    fc.property(int32, int32, fc.integer({ min: 1, max: 255 }), u16, (src, dst, protocol, lenBytes) => {
      const [srcWords, dstWords] = [ipv4Words(src), ipv4Words(dst)];
      const wanted = figure(ADDRESS_FAMILY.INET, srcWords, dstWords, protocol, lenBytes);
      const header = viewOf(new Uint8Array(24));
      header.setInt32(4 + 12, src);
      header.setInt32(4 + 16, dst);
      expect(pseudoHeaderSum(...srcWords, ...dstWords, protocol, lenBytes)).toBe(wanted);
      expect(ipv4PseudoHeaderSum(header, 4, protocol, lenBytes)).toBe(wanted);
    }),
  );
});

test('IPv6: words and header give the sum of the figure in RFC 8200 §8.1; lengths may pass 16 bits', () => {
  fc.assert(
    fc.property(ipv6Words, ipv6Words, u8, fc.integer({ min: 0, max: 0xffffffff }), (src, dst, protocol, lenBytes) => {
      const wanted = figure(ADDRESS_FAMILY.INET6, src, dst, protocol, lenBytes);
      const header = viewOf(new Uint8Array(44));
      putAddress(header, 4 + 8, ADDRESS_FAMILY.INET6, ...src);
      putAddress(header, 4 + 24, ADDRESS_FAMILY.INET6, ...dst);
      expect(pseudoHeaderSum(...src, ...dst, protocol, lenBytes)).toBe(wanted);
      expect(ipv6PseudoHeaderSum(header, 4, protocol, lenBytes)).toBe(wanted);
    }),
  );
});

test('a datagram by hand: 192.0.2.1 to 192.0.2.2, ports 1 to 2, "a"', () => {
  const datagram = hex('0001 0002 0009 0000 61');
  const pseudo = pseudoHeaderSum(...ipv4Words(0xc0000201 | 0), ...ipv4Words(0xc0000202 | 0), IP_PROTOCOL.UDP, 9);
  // c000 + 0201 + c000 + 0202 + 0011 + 0009 = 1841d; and 0001 + 0002 + 0009 + 6100: 1e529, which is e52a.
  expect(checksumOf(pseudo + sumBytes(viewOf(datagram), 0, 9))).toBe(0x1ad5);
});
