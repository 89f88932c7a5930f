import type { AddressWords, Random } from '@softnet/contract';
import { sha1Block } from './sha1-block.ts';

/** The last 64 bits of an address. */
export type Identifier = readonly [word2: number, word3: number];

/** Bytes of a secret, and of a link address, as the function takes them. */
export const SECRET_BYTES = 16;
const LINK_ADDRESS_BYTES = 32;

/** Those that RFC 5453 sets aside: the subnet-router anycast address, IANA's block of EUI-64, and the subnet anycast addresses of RFC 2526. */
export function isReservedIdentifier([word2, word3]: Identifier): boolean {
  if ((word2 | word3) === 0) return true;
  if (word2 === (0x02005eff | 0) && word3 >>> 24 === 0xfe) return true;
  return word2 === (0xfdffffff | 0) && word3 >>> 0 >= 0xffffff80;
}

/**
 * The same for the same prefix, link address and secret, and nobody who has not the secret can tell one prefix's from another's (RFC 7217 §5).
 * As Linux has it on a machine with the low byte first.
 * @param attempt its DAD_Counter, 0 to 255. @param secret of {@link SECRET_BYTES}.
 */
export function stableIdentifier(secret: Uint8Array, prefix: AddressWords, linkAddress: Uint8Array, attempt: number): Identifier {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  bytes.set(secret.subarray(0, SECRET_BYTES));
  view.setInt32(SECRET_BYTES, prefix[0]);
  view.setInt32(SECRET_BYTES + 4, prefix[1]);
  bytes.set(linkAddress.subarray(0, LINK_ADDRESS_BYTES), SECRET_BYTES + 8);
  bytes[SECRET_BYTES + 8 + LINK_ADDRESS_BYTES] = attempt;
  const digest = sha1Block(Int32Array.from({ length: 16 }, (_, index) => view.getInt32(index * 4)));
  view.setInt32(0, digest[0]!, true);
  view.setInt32(4, digest[1]!, true);
  return [view.getInt32(0), view.getInt32(4)];
}

/** By chance (RFC 8981 §3.3.1). */
export function randomIdentifier(random: Random): Identifier {
  for (;;) {
    const identifier: Identifier = [random.u32() | 0, random.u32() | 0];
    if (!isReservedIdentifier(identifier)) return identifier;
  }
}
