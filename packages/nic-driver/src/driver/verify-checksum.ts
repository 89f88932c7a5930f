import type { Skb } from '@softnet/contract';
import { CHECKSUM, IP_PROTOCOL } from '@softnet/contract';
import type { SkbReader } from '@softnet/skb';
import { sumOf } from '@softnet/skb';
import {
  addSums,
  INTACT,
  ipv4PseudoHeaderSum,
  ipv6PseudoHeaderSum,
  TCP_HEADER_BYTES,
  UDP_HEADER_BYTES,
  udpChecksum,
  udpLenBytes,
} from '@softnet/wire';
import type { FrameHeaders } from './frame-headers.ts';

/**
 * Verifies the checksum of a received TCP segment or UDP datagram as cards do it (`RX_CHECKSUM`), and says what it knows in `skb.checksum`:
 * UNNECESSARY, or NONE: whoever it is for looks for himself, and drops it under his own reason.
 */
export function verifyChecksum(skb: Skb, headers: FrameHeaders, reader: SkbReader): void {
  // A sender in this process has left it undone: there was nothing that could damage it.
  if (skb.checksum === CHECKSUM.PARTIAL) return;
  skb.checksum = headers.whole && isIntact(skb, headers, reader) ? CHECKSUM.UNNECESSARY : CHECKSUM.NONE;
}

function isIntact(skb: Skb, { key, ipv6, network, transport, end }: FrameHeaders, reader: SkbReader): boolean {
  const { view } = skb.memory;
  const lenBytes = end - transport;
  const at = skb.data + transport;
  if (key.protocol === IP_PROTOCOL.UDP) {
    if (lenBytes < UDP_HEADER_BYTES || skb.tail < at + UDP_HEADER_BYTES) return false;
    // What has none was not verified; padding within the IP packet is somebody else's riddle.
    if (udpChecksum(view, at) === 0 || udpLenBytes(view, at) !== lenBytes) return false;
  } else if (key.protocol !== IP_PROTOCOL.TCP || lenBytes < TCP_HEADER_BYTES) return false;
  const ip = skb.data + network;
  const pseudo = ipv6 ? ipv6PseudoHeaderSum(view, ip, key.protocol, lenBytes) : ipv4PseudoHeaderSum(view, ip, key.protocol, lenBytes);
  return reader.open(skb, transport, lenBytes) && addSums(pseudo, sumOf(reader)) === INTACT;
}
