import type { Skb } from '@softnet/contract';
import { CHECKSUM, IP_PROTOCOL } from '@softnet/contract';
import { SkbReader, sumOf } from '@softnet/skb';
import { addSums, INTACT, ipv4PseudoHeaderSum, ipv6PseudoHeaderSum, sumBytes } from '@softnet/wire';

/** The checksum of what comes in (RFC 9293 §3.1; MUST-3). */
export class SegmentCheck {
  readonly #reader = new SkbReader();

  /** Is it right, of the segment whose header is at `skb.data + offset`? `network` is at its IP header. Who vouches for it (device, or a sender on this machine) is believed. */
  isIntact(skb: Skb, offset: number): boolean {
    const { checksum } = skb;
    return checksum === CHECKSUM.UNNECESSARY || checksum === CHECKSUM.PARTIAL || this.#isRight(skb, offset);
  }

  #isRight(skb: Skb, offset: number): boolean {
    const pseudo = pseudoSumAt(skb, skb.len - offset);
    if (skb.checksum === CHECKSUM.COMPLETE) {
      // The device summed up the IP headers too: they are taken off. Where that fails, the device may be wrong.
      const headers = sumBytes(skb.memory.view, skb.network, skb.data + offset - skb.network);
      if (addSums(addSums(skb.csum, ~headers & 0xffff), pseudo) === INTACT) return true;
    }
    this.#reader.open(skb, offset);
    return addSums(pseudo, sumOf(this.#reader)) === INTACT;
  }
}

/** Of a segment of so many bytes, with addresses as they stand in the IP header at `network`. */
export function pseudoSumAt({ memory: { view }, network }: Skb, lenBytes: number): number {
  const isV4 = view.getUint8(network) >>> 4 === 4;
  return (isV4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum)(view, network, IP_PROTOCOL.TCP, lenBytes);
}
