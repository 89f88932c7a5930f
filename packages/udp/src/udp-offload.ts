import type { CurrentOwner, Gro, Port, Skb, SkbQueue, SockCommon, SocketDemux } from '@softnet/contract';
import { CHECKSUM, DEVICE_FEATURE, FlowKey, GRO, IP_PROTOCOL } from '@softnet/contract';
import type { Segmenter } from '@softnet/inet';
import { finishJoin, joinPayload, MERGE_LIMITS } from '@softnet/inet';
import {
  dstPort,
  ipv4PseudoHeaderSum,
  ipv6PseudoHeaderSum,
  readIpv4Ends,
  readIpv6Ends,
  setUdpChecksum,
  setUdpLenBytes,
  srcPort,
  UDP_CHECKSUM,
  UDP_HEADER_BYTES,
  udpChecksum,
  udpLenBytes,
} from '@softnet/wire';
import type { DatagramCheck } from './datagram-check.ts';

const UDP = IP_PROTOCOL.UDP;

/** Whose datagrams are merged: `net.udp.gro`. */
export const MERGE = Object.freeze({
  NOBODY: 0,
  /** Of sockets that ask for it (UDP_GRO): as in Linux. */
  ASKED: 1,
  /** Of all flows, those that are forwarded too: Linux's `rx-udp-gro-forwarding`. */
  ALL: 2,
} as const);

/** What says whose datagrams are merged. */
export interface MergePolicy {
  /** One of {@link MERGE}. */
  readonly which: () => number;
  /** Sockets that have asked. */
  readonly asked: () => number;
  /** Has this one? */
  readonly asks: (sock: SockCommon) => boolean;
  readonly demux: Port<SocketDemux>;
  readonly current: CurrentOwner;
}

/**
 * UDP's part in merging and cutting packets. Merged are datagrams of one flow with right checksums and as many bytes each, the last one perhaps
 * fewer; what they were is told by that size (`gsoSize`), so it is cut into the same again. Linux's `udp_offload.c`.
 */
export class UdpOffload implements Gro {
  readonly #check: DatagramCheck;
  readonly #segmenter: Segmenter;
  readonly #policy: MergePolicy;
  readonly #key = new FlowKey();

  constructor(check: DatagramCheck, segmenter: Segmenter, policy: MergePolicy) {
    this.#check = check;
    this.#segmenter = segmenter;
    this.#policy = policy;
  }

  /** From here on its payload's size is in `cb0`, and a checksum that was summed up is not again. */
  begin(skb: Skb, offset: number): boolean {
    const { which, asked } = this.#policy;
    const merge = which();
    if (merge === MERGE.NOBODY || (merge === MERGE.ASKED && asked() === 0)) return false;
    const at = skb.data + offset;
    const { view } = skb.memory;
    const lenBytes = skb.len - offset;
    if (at + UDP_HEADER_BYTES > skb.tail || udpLenBytes(view, at) !== lenBytes || lenBytes <= UDP_HEADER_BYTES) return false;
    if (udpChecksum(view, at) === 0 || (merge === MERGE.ASKED && !this.#isAsked(skb, at))) return false;
    if (skb.checksum === CHECKSUM.PARTIAL) {
      if (skb.csum !== partialAt(skb, at)) return false;
    } else if (skb.checksum !== CHECKSUM.UNNECESSARY) {
      if (!this.#check.isIntact(skb, offset, UDP)) return false;
      skb.checksum = CHECKSUM.UNNECESSARY;
      skb.csum = 0;
    }
    skb.cb0 = lenBytes - UDP_HEADER_BYTES;
    return true;
  }

  sameFlow(held: Skb, skb: Skb, offset: number): boolean {
    return held.memory.view.getInt32(held.data + offset) === skb.memory.view.getInt32(skb.data + offset);
  }

  merge(held: Skb, skb: Skb, offset: number): number {
    if (!this.sameFlow(held, skb, offset)) return GRO.DIFFERENT;
    const sizeBytes = held.cb0;
    const lenBytes = skb.cb0;
    if (lenBytes > sizeBytes || held.len + lenBytes > MERGE_LIMITS.bytes) return GRO.FLUSH;
    if (!joinPayload(held, skb, offset + UDP_HEADER_BYTES)) return GRO.FLUSH;
    const isFull = held.gsoSegs === MERGE_LIMITS.segments || held.len + sizeBytes > MERGE_LIMITS.bytes;
    return isFull || lenBytes < sizeBytes ? GRO.MERGED_LAST : GRO.MERGED;
  }

  finish(held: Skb, offset: number): void {
    finishJoin(held);
    held.gsoSize = held.cb0;
    held.gsoType = DEVICE_FEATURE.GSO_UDP;
    leaveChecksum(held, held.data + offset, held.len - offset);
  }

  /** `Protocol.segment`: `transport` is at the header. Checksums are left to who has devices (PARTIAL). */
  segment(skb: Skb, _features: number, out: SkbQueue): boolean {
    const before = out.last;
    // The header is not there: the segmenter finds that it is too long for the head.
    if (!this.#segmenter.cut(skb, skb.transport + UDP_HEADER_BYTES - skb.data, out)) return false;
    for (let part = before === null ? out.first : before.next; part !== null; part = part.next) {
      leaveChecksum(part, part.transport, part.len - (part.transport - part.data));
    }
    return true;
  }

  /** Whose it is, as the flow table has it, wants it so. */
  #isAsked(skb: Skb, at: number): boolean {
    const { demux, current, asks } = this.#policy;
    readKey(this.#key, skb, at);
    const caller = current.id;
    current.id = demux.owner;
    const sock = demux.current.find(this.#key);
    current.id = caller;
    return sock !== null && asks(sock);
  }
}

/** The length, and a checksum that is still to be finished. `network` is at the IP header. */
function leaveChecksum(skb: Skb, at: number, lenBytes: number): void {
  const { view } = skb.memory;
  setUdpLenBytes(view, at, lenBytes);
  const isV4 = view.getUint8(skb.network) >>> 4 === 4;
  setUdpChecksum(view, at, (isV4 ? ipv4PseudoHeaderSum : ipv6PseudoHeaderSum)(view, skb.network, UDP, lenBytes));
  skb.checksum = CHECKSUM.PARTIAL;
  skb.csum = partialAt(skb, at);
}

function partialAt({ head }: Skb, at: number): number {
  return ((at - head) << 16) | UDP_CHECKSUM;
}

/** Both ends, as its receiver names them. */
function readKey(key: FlowKey, { memory: { view }, network, ifindex }: Skb, at: number): void {
  key.protocol = UDP;
  key.ifindex = ifindex;
  key.localPort = dstPort(view, at);
  key.remotePort = srcPort(view, at);
  if (view.getUint8(network) >>> 4 === 4) readIpv4Ends(view, network, key);
  else readIpv6Ends(view, network, key);
}
