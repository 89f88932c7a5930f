import type { DropReason, Skb } from '@softnet/contract';
import { gather, pull } from '@softnet/skb';
import type { TcpFault } from '@softnet/wire';
import { TCP_FLAG, TCP_HEADER_BYTES, tcpAck, tcpFault, tcpFlags, tcpHeaderBytes, tcpSeq, tcpUrgentPointer, tcpWindow } from '@softnet/wire';
import type { Segment } from '../machine/segment.ts';
import { readOptions } from '../wire/received-options.ts';
import { SegmentCheck } from './segment-check.ts';
import type { SegmentHost } from './segment-host.ts';

/** From a packet to a segment: header, checksum, options (RFC 9293 §3.1). */
export class SegmentReader {
  readonly #faults: SegmentHost['faults'];
  readonly #counters: Pick<SegmentHost['counters'], 'segments-in'>;
  readonly #check = new SegmentCheck();

  constructor({ faults, counters }: Pick<SegmentHost, 'faults'> & { readonly counters: Pick<SegmentHost['counters'], 'segments-in'> }) {
    this.#faults = faults;
    this.#counters = counters;
  }

  /**
   * `data` = `transport`, `network` at the IP header. True: `into` is filled, with the packet, whose `data` is at the payload, and which no piece shows yet (`ReceiveQueues.keep`).
   * False: it was dropped. Behind an illegal option nothing is read, and the segment counts, as in Linux (MUST-7 leaves it open).
   */
  read(skb: Skb, into: Segment): boolean {
    // As Linux: a merged one is one.
    this.#counters['segments-in'].value++;
    const fault = this.#faultOf(skb);
    if (fault !== null) {
      skb.memory.pool.drop(skb, fault);
      return false;
    }
    const { view } = skb.memory;
    const at = skb.transport;
    const flags = tcpFlags(view, at);
    into.seq = tcpSeq(view, at);
    into.ack = tcpAck(view, at);
    into.window = tcpWindow(view, at);
    into.flags = flags;
    into.urgentPointer = (flags & TCP_FLAG.URG) === 0 ? 0 : tcpUrgentPointer(view, at);
    into.segments = Math.max(1, skb.gsoSegs);
    into.ecn = ecnOf(view, skb.network);
    into.view = view;
    into.skb = skb;
    into.fault = null;
    readOptions(view, at, (flags & TCP_FLAG.SYN) !== 0, into.options);
    pull(skb, tcpHeaderBytes(view, at));
    into.lenBytes = skb.len;
    skb.cb0 = 0;
    return true;
  }

  /** Why it is no segment; null: it is one, and its header lies in the head. */
  #faultOf(skb: Skb): DropReason | null {
    // What does not fit into the head has no room for a header either, or memory is out.
    if (!gather(skb, TCP_HEADER_BYTES)) return this.#faults['tcp.truncated'];
    const { view } = skb.memory;
    const headerBytes = tcpHeaderBytes(view, skb.data);
    if (headerBytes > skb.tail - skb.data && !gather(skb, headerBytes)) return this.#faults['tcp.truncated'];
    skb.transport = skb.data;
    const fault: TcpFault | null = tcpFault(view, skb.data, skb.tail - skb.data);
    if (fault !== null) return this.#faults[fault];
    return this.#check.isIntact(skb, 0) ? null : this.#faults['tcp.checksum'];
  }
}

/** Bits of ECN (RFC 3168 §5). */
function ecnOf(view: DataView, network: number): number {
  return view.getUint8(network) >>> 4 === 4 ? view.getUint8(network + 1) & 3 : (view.getUint8(network + 1) >>> 4) & 3;
}
