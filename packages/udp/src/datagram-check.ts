import type { DropReason, Skb } from '@softnet/contract';
import { CHECKSUM } from '@softnet/contract';
import { gather, SkbReader, sumOf } from '@softnet/skb';
import type { UdpFault } from '@softnet/wire';
import {
  addSums,
  INTACT,
  ipv4PseudoHeaderSum,
  ipv6PseudoHeaderSum,
  sumBytes,
  UDP_FAULT,
  UDP_HEADER_BYTES,
  udpChecksum,
  udpFault,
  udpLenBytes,
} from '@softnet/wire';

/** Why a datagram is refused before anybody is asked for whom it is. */
export type UdpReasons = Readonly<Record<UdpFault | 'udp.no-checksum', DropReason>>;

export const UDP_REASONS = Object.freeze({
  ...UDP_FAULT,
  'udp.no-checksum': 'without a checksum, which IPv6 does not allow (RFC 8200 §8.1)',
} as const);

/** Header, length and checksum of what comes in (RFC 768, RFC 1122 §4.1.3.4, RFC 8200 §8.1). */
export class DatagramCheck {
  readonly #reasons: UdpReasons;
  readonly #reader = new SkbReader();

  constructor(reasons: UdpReasons) {
    this.#reasons = reasons;
  }

  /**
   * Is it intact? `data` = `transport`, `network` at its IP header. Null, or why not. Changes nothing but where bytes lie.
   * @param unsummed IPv6 datagrams without a checksum are taken too (RFC 6935 §5).
   */
  fault(skb: Skb, protocol: number, unsummed = false): DropReason | null {
    // What does not fit into the head has no room for a header either, or memory is out.
    if (!gather(skb, UDP_HEADER_BYTES)) return this.#reasons['udp.truncated'];
    const { view } = skb.memory;
    const at = skb.transport;
    const fault = udpFault(view, at, skb.tail - at, skb.len);
    if (fault !== null) return this.#reasons[fault];
    const v4 = view.getUint8(skb.network) >>> 4 === 4;
    if (udpChecksum(view, at) === 0) return v4 || unsummed ? null : this.#reasons['udp.no-checksum'];
    // PARTIAL: a sender on this machine left the sum to a device that it never met.
    if (skb.checksum === CHECKSUM.UNNECESSARY || skb.checksum === CHECKSUM.PARTIAL) return null;
    return this.isIntact(skb, 0, protocol) ? null : this.#reasons['udp.checksum'];
  }

  /** Is the sum right of the datagram whose header, understood already, is at `skb.data + offset`? `network` is at its IP header. */
  isIntact(skb: Skb, offset: number, protocol: number): boolean {
    const { view } = skb.memory;
    const at = skb.data + offset;
    const lenBytes = udpLenBytes(view, at);
    const isV4 = view.getUint8(skb.network) >>> 4 === 4;
    const pseudo = (isV4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum)(view, skb.network, protocol, lenBytes);
    if (skb.checksum === CHECKSUM.COMPLETE && lenBytes === skb.len - offset) {
      // The device summed up the IP headers too: they are taken off. Where that fails, the device may be wrong.
      const headers = sumBytes(view, skb.network, at - skb.network);
      if (addSums(addSums(skb.csum, ~headers & 0xffff), pseudo) === INTACT) return true;
    }
    this.#reader.open(skb, offset, lenBytes);
    return addSums(pseudo, sumOf(this.#reader)) === INTACT;
  }
}
