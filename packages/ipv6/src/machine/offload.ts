import type { Gro, Skb, SkbQueue } from '@softnet/contract';
import { GRO } from '@softnet/contract';
import type { ProtocolOffloads } from '@softnet/inet';
import { gather } from '@softnet/skb';
import type { Ipv6Limits } from '@softnet/wire';
import {
  IPV6_HEADER_BYTES,
  IPV6_NEXT_HEADER,
  Ipv6HeaderChain,
  ipv6HopLimit,
  ipv6NextHeader,
  ipv6PayloadBytes,
  ipv6Version,
  setIpv6PayloadBytes,
  walkExtensionHeaders,
} from '@softnet/wire';
import type { Ipv6Reasons } from './reasons.ts';

/** What is looked at before the protocol is asked: its ports, at least, are in the head then. */
const PEEK_BYTES = IPV6_HEADER_BYTES + 8;
/** Both addresses. */
const ADDRESSES = 8;

/**
 * IPv6's part in merging and cutting packets: its header. Merged are only those without extension headers whose headers are the same but
 * for the length: so ECN marks (RFC 3168) and flow labels (RFC 6437) are never lost. What a device merged is cut with its extension headers.
 */
export class Ipv6Offload implements Gro {
  readonly #reasons: Ipv6Reasons;
  readonly #protocols: ProtocolOffloads;
  readonly #limits: Ipv6Limits;
  readonly #chain = new Ipv6HeaderChain();

  constructor(reasons: Ipv6Reasons, protocols: ProtocolOffloads, limits: Ipv6Limits) {
    this.#limits = limits;
    this.#reasons = reasons;
    this.#protocols = protocols;
  }

  begin(skb: Skb, offset: number): boolean {
    if (!atHand(skb, offset)) return false;
    const at = skb.data + offset;
    const { view } = skb.memory;
    // Padding is not merged away; of a packet that goes no further, an error must say its own length.
    if (ipv6Version(view, at) !== 6 || ipv6PayloadBytes(view, at) !== skb.len - offset - IPV6_HEADER_BYTES) return false;
    if (ipv6HopLimit(view, at) <= 1) return false;
    // Extension headers are no protocols that merge.
    return this.#protocols.begin(ipv6NextHeader(view, at), skb, offset + IPV6_HEADER_BYTES);
  }

  sameFlow(held: Skb, skb: Skb, offset: number): boolean {
    if (!atHand(skb, offset)) return true;
    if (!isSamePair(held, skb, offset)) return false;
    const protocol = ipv6NextHeader(held.memory.view, held.data + offset);
    // Behind extension headers may be anything.
    if (ipv6NextHeader(skb.memory.view, skb.data + offset) !== protocol) return true;
    return this.#protocols.sameFlow(protocol, held, skb, offset + IPV6_HEADER_BYTES);
  }

  merge(held: Skb, skb: Skb, offset: number): number {
    if (!isSamePair(held, skb, offset)) return GRO.DIFFERENT;
    const before = held.data + offset;
    const at = skb.data + offset;
    const { view } = held.memory;
    const other = skb.memory.view;
    const protocol = ipv6NextHeader(other, at);
    if (ipv6NextHeader(view, before) !== protocol) return GRO.DIFFERENT;
    const above = offset + IPV6_HEADER_BYTES;
    // Traffic class with its ECN bits, flow label; hop limit.
    if (view.getInt32(before) !== other.getInt32(at) || ipv6HopLimit(view, before) !== ipv6HopLimit(other, at)) {
      return this.#protocols.sameFlow(protocol, held, skb, above) ? GRO.FLUSH : GRO.DIFFERENT;
    }
    return this.#protocols.merge(protocol, held, skb, above);
  }

  finish(held: Skb, offset: number): void {
    const at = held.data + offset;
    const { view } = held.memory;
    setIpv6PayloadBytes(view, at, held.len - offset - IPV6_HEADER_BYTES);
    this.#protocols.finish(ipv6NextHeader(view, at), held, offset + IPV6_HEADER_BYTES);
  }

  /** `EthertypeHandler.segment`: the protocol cuts, the headers are written for each. */
  segment(skb: Skb, features: number, out: SkbQueue): boolean {
    if (!this.#findTransport(skb)) return this.#lose(skb);
    const before = out.last;
    const done = this.#protocols.segment(this.#chain.protocol, skb, features, out);
    if (done === null) return this.#lose(skb);
    for (let part = before === null ? out.first : before.next; part !== null; part = part.next) {
      const at = part.network;
      setIpv6PayloadBytes(part.memory.view, at, part.len - (at - part.data) - IPV6_HEADER_BYTES);
    }
    return done;
  }

  /** Sets `transport`. False: headers are not there, or it says that it is a fragment. */
  #findTransport(skb: Skb): boolean {
    const { network, data, tail } = skb;
    const { view } = skb.memory;
    const chain = this.#chain;
    const start = network + IPV6_HEADER_BYTES;
    if (network < data || start > tail) return false;
    const first = ipv6NextHeader(view, network);
    const fault = walkExtensionHeaders(view, first, network + IPV6_NEXT_HEADER, start, tail, this.#limits, chain);
    skb.transport = chain.transport;
    return fault === null && chain.fragment < 0;
  }

  #lose(skb: Skb): false {
    skb.memory.pool.drop(skb, this.#reasons['ipv6.segment']);
    return false;
  }
}

/** Header and ports lie in the head; there are that many. */
function atHand(skb: Skb, offset: number): boolean {
  const wanted = offset + PEEK_BYTES;
  return skb.tail - skb.data >= wanted || (skb.fragments !== null && gather(skb, wanted));
}

/** From the same host to the same host. */
function isSamePair(held: Skb, skb: Skb, offset: number): boolean {
  const before = held.data + offset + ADDRESSES;
  const at = skb.data + offset + ADDRESSES;
  const { view } = held.memory;
  const other = skb.memory.view;
  for (let i = 0; i < 32; i += 4) if (view.getInt32(before + i) !== other.getInt32(at + i)) return false;
  return true;
}
