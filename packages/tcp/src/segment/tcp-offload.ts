import type { Gro, Skb, SkbQueue } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, GRO } from '@softnet/contract';
import type { Segmenter } from '@softnet/inet';
import { finishJoin, joinPayload, MERGE_LIMITS } from '@softnet/inet';
import { gather } from '@softnet/skb';
import {
  setTcpChecksum,
  setTcpHeaderBytesAndFlags,
  setTcpSeq,
  TCP_CHECKSUM,
  TCP_FLAG,
  TCP_HEADER_BYTES,
  tcpChecksum,
  tcpFlags,
  tcpHeaderBytes,
  tcpSeq,
} from '@softnet/wire';
import type { SegmentCheck } from './segment-check.ts';
import { pseudoSumAt } from './segment-check.ts';

const { FIN, SYN, RST, PSH, ACK, URG, CWR } = TCP_FLAG;
/** With one of these a segment stands for itself (RFC 3168 §6.1.2: CWR is said once). */
const ALONE: number = SYN | RST | URG | CWR;
/** These end what is merged: only the last of it may have them. */
const ENDING: number = PSH | FIN;

/**
 * TCP's part in merging and cutting packets. Merged are segments with payload that follow one another, with right checksums and headers that are the same but for number, checksum and what
 * ends a run (PSH, FIN): as many octets each as the first, the last one perhaps fewer. So it is cut into the same again, bit for bit. Linux's `tcp_offload.c`.
 */
export class TcpOffload implements Gro {
  readonly #check: SegmentCheck;
  readonly #segmenter: Segmenter;

  constructor(check: SegmentCheck, segmenter: Segmenter) {
    this.#check = check;
    this.#segmenter = segmenter;
  }

  /** From here on its payload's size is in `cb0`, and a checksum that was summed up is not again. */
  begin(skb: Skb, offset: number): boolean {
    if (!atHand(skb, offset, TCP_HEADER_BYTES)) return false;
    const headerBytes = tcpHeaderBytes(skb.memory.view, skb.data + offset);
    const payloadBytes = skb.len - offset - headerBytes;
    if (headerBytes < TCP_HEADER_BYTES || payloadBytes <= 0 || !atHand(skb, offset, headerBytes)) return false;
    const at = skb.data + offset;
    const { view } = skb.memory;
    // The reserved bits too, which would not be written again.
    if ((view.getUint16(at + 12) & (ALONE | ACK | 0xe00)) !== ACK) return false;
    if (skb.checksum === CHECKSUM.PARTIAL) {
      if (skb.csum !== partialAt(skb, at)) return false;
    } else if (tcpChecksum(view, at) === 0xffff || !this.#check.isIntact(skb, offset)) {
      // The other form of a checksum of zero could not be written again.
      return false;
    } else {
      skb.checksum = CHECKSUM.UNNECESSARY;
      skb.csum = 0;
    }
    skb.cb0 = payloadBytes;
    return true;
  }

  /** Both ports. */
  sameFlow(held: Skb, skb: Skb, offset: number): boolean {
    return held.memory.view.getInt32(held.data + offset) === skb.memory.view.getInt32(skb.data + offset);
  }

  merge(held: Skb, skb: Skb, offset: number): number {
    if (!this.sameFlow(held, skb, offset)) return GRO.DIFFERENT;
    const sizeBytes = held.cb0;
    const lenBytes = skb.cb0;
    const headerBytes = skb.len - offset - lenBytes;
    if (lenBytes > sizeBytes || held.len + lenBytes > MERGE_LIMITS.bytes || !follows(held, skb, offset, headerBytes)) return GRO.FLUSH;
    // Who joins is gone behind this.
    const ending = tcpFlags(skb.memory.view, skb.data + offset) & ENDING;
    if (!joinPayload(held, skb, offset + headerBytes)) return GRO.FLUSH;
    if (ending !== 0) addFlags(held, held.data + offset, ending);
    const isFull = held.gsoSegs === MERGE_LIMITS.segments || held.len + sizeBytes > MERGE_LIMITS.bytes;
    return isFull || ending !== 0 || lenBytes < sizeBytes ? GRO.MERGED_LAST : GRO.MERGED;
  }

  finish(held: Skb, offset: number): void {
    finishJoin(held);
    held.gsoSize = held.cb0;
    const isV4 = held.memory.view.getUint8(held.network) >>> 4 === 4;
    held.gsoType = isV4 ? DEVICE_FEATURE.GSO_TCPV4 : DEVICE_FEATURE.GSO_TCPV6;
    leaveChecksum(held, held.data + offset, held.len - offset);
  }

  /** `Protocol.segment`: `transport` is at the header. Checksums are left to who has devices (PARTIAL). */
  segment(skb: Skb, _features: number, out: SkbQueue): boolean {
    const before = out.last;
    const { gsoSize } = skb;
    // Where the header is not there, or lies, the segmenter finds that it is none.
    const headerBytes = wholeHeaderBytes(skb);
    if (!this.#segmenter.cut(skb, headerBytes === 0 ? 0 : skb.transport + headerBytes - skb.data, out)) return false;
    const first = before === null ? out.first! : before.next!;
    const seq = tcpSeq(first.memory.view, first.transport);
    const flags = tcpFlags(first.memory.view, first.transport);
    let done = 0;
    for (let part: Skb | null = first; part !== null; part = part.next) {
      const { view } = part.memory;
      const at = part.transport;
      setTcpSeq(view, at, (seq + done) | 0);
      const left = (part.next === null ? flags : flags & ~ENDING) & (part === first ? -1 : ~CWR);
      if (left !== flags) setTcpHeaderBytesAndFlags(view, at, headerBytes, left);
      leaveChecksum(part, at, part.len - (at - part.data));
      done += gsoSize;
    }
    return true;
  }
}

/** Header bytes lie in the head. */
function atHand(skb: Skb, offset: number, lenBytes: number): boolean {
  const wanted = offset + lenBytes;
  return skb.tail - skb.data >= wanted || (skb.fragments !== null && gather(skb, wanted));
}

/** 0: it is not there. */
function wholeHeaderBytes({ memory: { view }, transport, data, tail }: Skb): number {
  if (transport < data || tail - transport < TCP_HEADER_BYTES) return 0;
  const headerBytes = tcpHeaderBytes(view, transport);
  return headerBytes < TCP_HEADER_BYTES || tail - transport < headerBytes ? 0 : headerBytes;
}

/** The next number, and otherwise the same header: acknowledgement, window, options, and flags but those that end a run, which the held one must not have. */
function follows(held: Skb, skb: Skb, offset: number, headerBytes: number): boolean {
  const before = held.data + offset;
  const at = skb.data + offset;
  const { view } = held.memory;
  const other = skb.memory.view;
  const payloadBytes = held.len - offset - headerBytes;
  if (tcpSeq(other, at) !== ((tcpSeq(view, before) + payloadBytes) | 0)) return false;
  if (view.getInt32(before + 8) !== other.getInt32(at + 8)) return false;
  // Header length and flags, window; then the urgent pointer, which means nothing, behind the checksum.
  if (view.getInt32(before + 12) !== (other.getInt32(at + 12) & ~(ENDING << 16))) return false;
  if (view.getUint16(before + 18) !== other.getUint16(at + 18)) return false;
  for (let i = TCP_HEADER_BYTES; i < headerBytes; i += 4) if (view.getInt32(before + i) !== other.getInt32(at + i)) return false;
  return true;
}

function addFlags({ memory: { view } }: Skb, at: number, flags: number): void {
  setTcpHeaderBytesAndFlags(view, at, tcpHeaderBytes(view, at), tcpFlags(view, at) | flags);
}

/** A checksum that is still to be finished. `network` is at the IP header. */
function leaveChecksum(skb: Skb, at: number, lenBytes: number): void {
  setTcpChecksum(skb.memory.view, at, pseudoSumAt(skb, lenBytes));
  skb.checksum = CHECKSUM.PARTIAL;
  skb.csum = partialAt(skb, at);
}

function partialAt({ head }: Skb, at: number): number {
  return ((at - head) << 16) | TCP_CHECKSUM;
}
