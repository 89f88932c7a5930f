import type { Skb } from '@softnet/contract';
import { push } from '@softnet/skb';
import { IPV6_EXTENSION } from '@softnet/wire';

/** Extension headers that a socket, or a message, has for its packets (RFC 3542 §6 to §9). */
export class SentHeaders {
  hopByHop: Uint8Array | null = null;
  /** Before a routing header: there is none to be sent, so this is kept only. */
  beforeRouting: Uint8Array | null = null;
  destination: Uint8Array | null = null;

  /** Bytes that they take in each packet. */
  get lenBytes(): number {
    return (this.hopByHop === null ? 0 : this.hopByHop.length) + (this.destination === null ? 0 : this.destination.length);
  }
}

/** A header of options as RFC 3542 §7 wants it set: whole, in units of 8 bytes. Null: it is not. What is behind its own length is cut off. */
export function optionsHeader(value: Uint8Array): Uint8Array | null {
  if (value.length < 8) return null;
  const lenBytes = (value[1]! + 1) << 3;
  return lenBytes > value.length ? null : value.slice(0, lenBytes);
}

/** Puts them before a packet, in the order of RFC 8200 §4.1; there is room. Returns what the IPv6 header has for Next Header. */
export function pushHeaders(skb: Skb, { hopByHop, destination }: SentHeaders, protocol: number): number {
  let next = protocol;
  if (destination !== null) {
    pushHeader(skb, destination, next);
    next = IPV6_EXTENSION.DESTINATION_OPTIONS;
  }
  if (hopByHop === null) return next;
  pushHeader(skb, hopByHop, next);
  return IPV6_EXTENSION.HOP_BY_HOP;
}

function pushHeader(skb: Skb, header: Uint8Array, next: number): void {
  const at = push(skb, header.length);
  const { bytes } = skb.memory;
  bytes[at] = next;
  for (let i = 1; i < header.length; i++) bytes[at + i] = header[i]!;
}
