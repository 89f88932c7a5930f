import type { Gro, Skb, SkbQueue } from '@softnet/contract';
import { GRO, SKB_FLAG } from '@softnet/contract';
import type { ProtocolOffloads } from '@softnet/inet';
import { gather } from '@softnet/skb';
import {
  finishIpv4,
  IPV4_CHECKSUM,
  IPV4_DF,
  IPV4_HEADER_BYTES,
  ipv4Dst,
  ipv4Fault,
  ipv4FragmentField,
  ipv4HeaderBytes,
  ipv4Id,
  ipv4Protocol,
  ipv4Src,
  ipv4TotalBytes,
  ipv4Ttl,
  setIpv4Id,
  setIpv4TotalBytes,
} from '@softnet/wire';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

/** Version 4 and a header without options. */
const PLAIN = 0x45;
/** What is looked at before the protocol is asked: its ports, at least, are in the head then. */
const PEEK_BYTES = IPV4_HEADER_BYTES + 8;

/**
 * IPv4's part in merging and cutting packets: its header. Merged are only those whose headers can be written again bit for bit:
 * the same but for length, identification and checksum; the identification always the same, or one more each (RFC 6864). So ECN marks
 * (RFC 3168) are never lost.
 */
export class Ipv4Offload implements Gro {
  readonly #parts: Ipv4Parts;
  readonly #protocols: ProtocolOffloads;

  constructor(parts: Ipv4Parts, protocols: ProtocolOffloads) {
    this.#parts = parts;
    this.#protocols = protocols;
  }

  begin(skb: Skb, offset: number): boolean {
    if (!atHand(skb, offset)) return false;
    const at = skb.data + offset;
    const { view } = skb.memory;
    if (view.getUint8(at) !== PLAIN || (ipv4FragmentField(view, at) & ~IPV4_DF) !== 0) return false;
    // Padding is not merged away; of a packet that goes no further, an error must say its own length.
    if (ipv4TotalBytes(view, at) !== skb.len - offset || ipv4Ttl(view, at) <= 1) return false;
    // The other form of a checksum of zero could not be written again.
    if (view.getUint16(at + IPV4_CHECKSUM) === 0xffff) return false;
    if (!this.#protocols.begin(ipv4Protocol(view, at), skb, offset + IPV4_HEADER_BYTES)) return false;
    return ipv4Fault(view, at, IPV4_HEADER_BYTES, skb.len - offset) === null;
  }

  sameFlow(held: Skb, skb: Skb, offset: number): boolean {
    if (!atHand(skb, offset)) return true;
    const at = skb.data + offset;
    const { view } = skb.memory;
    if (!isSamePair(held, skb, offset)) return false;
    if (view.getUint8(at) !== PLAIN || (ipv4FragmentField(view, at) & ~IPV4_DF) !== 0) return true;
    return this.#protocols.sameFlow(ipv4Protocol(view, at), held, skb, offset + IPV4_HEADER_BYTES);
  }

  merge(held: Skb, skb: Skb, offset: number): number {
    if (!isSamePair(held, skb, offset)) return GRO.DIFFERENT;
    const protocol = ipv4Protocol(skb.memory.view, skb.data + offset);
    const above = offset + IPV4_HEADER_BYTES;
    const step = stepOf(held, skb, offset);
    if (step < 0) return this.#protocols.sameFlow(protocol, held, skb, above) ? GRO.FLUSH : GRO.DIFFERENT;
    const isSecond = held.gsoSegs === 0;
    const verdict = this.#protocols.merge(protocol, held, skb, above);
    if (isSecond && step === 0 && (verdict === GRO.MERGED || verdict === GRO.MERGED_LAST)) held.flags |= SKB_FLAG.FIXED_ID;
    return verdict;
  }

  finish(held: Skb, offset: number): void {
    const at = held.data + offset;
    const { view } = held.memory;
    setIpv4TotalBytes(view, at, held.len - offset);
    finishIpv4(view, at);
    this.#protocols.finish(ipv4Protocol(view, at), held, offset + IPV4_HEADER_BYTES);
  }

  /** `EthertypeHandler.segment`: the protocol cuts, the headers are written for each. */
  segment(skb: Skb, features: number, out: SkbQueue): boolean {
    const { network } = skb;
    const { view } = skb.memory;
    if (network < skb.data || skb.tail - network < IPV4_HEADER_BYTES) return this.#lose(skb);
    skb.transport = network + ipv4HeaderBytes(view, network);
    const id = ipv4Id(view, network);
    const step = (skb.flags & SKB_FLAG.FIXED_ID) === 0 ? 1 : 0;
    const before = out.last;
    const done = this.#protocols.segment(ipv4Protocol(view, network), skb, features, out);
    if (done === null) return this.#lose(skb);
    let count = 0;
    for (let part = before === null ? out.first : before.next; part !== null; part = part.next) {
      const at = part.network;
      setIpv4TotalBytes(part.memory.view, at, part.len - (at - part.data));
      setIpv4Id(part.memory.view, at, (id + step * count++) & 0xffff);
      finishIpv4(part.memory.view, at);
    }
    return done;
  }

  #lose(skb: Skb): false {
    drop(skb, this.#parts.drops['ipv4.segment']);
    return false;
  }
}

/** Header and ports lie in the head; there are that many. */
function atHand(skb: Skb, offset: number): boolean {
  const wanted = offset + PEEK_BYTES;
  return skb.tail - skb.data >= wanted || (skb.fragments !== null && gather(skb, wanted));
}

/** From the same host to the same host, of one protocol. */
function isSamePair(held: Skb, skb: Skb, offset: number): boolean {
  const before = held.data + offset;
  const at = skb.data + offset;
  const { view } = held.memory;
  const other = skb.memory.view;
  return (
    ipv4Dst(view, before) === ipv4Dst(other, at) &&
    ipv4Src(view, before) === ipv4Src(other, at) &&
    ipv4Protocol(view, before) === ipv4Protocol(other, at)
  );
}

/** 0: the identifications are all the same; 1: one more each; -1: neither, or another field differs. */
function stepOf(held: Skb, skb: Skb, offset: number): number {
  const before = held.data + offset;
  const at = skb.data + offset;
  const { view } = held.memory;
  const other = skb.memory.view;
  // Type of service with its ECN bits, DF, TTL.
  if (view.getUint16(before) !== other.getUint16(at) || view.getUint32(before + 6) >>> 8 !== other.getUint32(at + 6) >>> 8) return -1;
  const distance = (ipv4Id(other, at) - ipv4Id(view, before)) & 0xffff;
  if (held.gsoSegs === 0) return distance <= 1 ? distance : -1;
  if ((held.flags & SKB_FLAG.FIXED_ID) !== 0) return distance === 0 ? 0 : -1;
  return distance === (held.gsoSegs & 0xffff) ? 1 : -1;
}
