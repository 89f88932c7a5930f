import type { Dst, NetworkLayer, Skb, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, CHECKSUM, DEVICE_FEATURE, IP_PROTOCOL, SKB_FLAG, SKB_TYPE, TRANSMIT } from '@softnet/contract';
import { MERGE_LIMITS } from '@softnet/inet';
import { copyWords, push } from '@softnet/skb';
import {
  pseudoHeaderSum,
  setDstPort,
  setSrcPort,
  setTcpAck,
  setTcpChecksum,
  setTcpHeaderBytesAndFlags,
  setTcpSeq,
  setTcpUrgentPointer,
  setTcpWindow,
  TCP_CHECKSUM,
  TCP_FLAG,
  TCP_HEADER_BYTES,
  TCP_MAX_HEADER_BYTES,
} from '@softnet/wire';
import type { Connection } from '../machine/connection.ts';
import { FLAG } from '../machine/connection.ts';
import { windowField } from '../machine/receive-window.ts';
import type { BareSegment } from './bare-segment.ts';
import { OptionScratch } from './option-scratch.ts';
import type { SegmentHost } from './segment-host.ts';
import { SegmentWay } from './segment-way.ts';
import type { SendQueues } from './send-queue.ts';
import { COPY_BYTES } from './send-queue.ts';

/** Of an IPv4 header with options (RFC 791 §3.1). */
const MAX_NETWORK_HEADER_BYTES = 60;
const MAX_BYTES = MERGE_LIMITS.bytes - MAX_NETWORK_HEADER_BYTES - TCP_MAX_HEADER_BYTES;

/** Segments on their way out: route, payload, header, options; what is larger than a segment is cut late. Allocates nothing once warm. */
export class SegmentWriter {
  readonly #host: SegmentHost;
  readonly #queues: SendQueues;
  readonly #way: SegmentWay;
  readonly #options: OptionScratch;

  constructor(host: SegmentHost, queues: SendQueues) {
    this.#host = host;
    this.#queues = queues;
    this.#way = new SegmentWay(host);
    this.#options = new OptionScratch(host);
  }

  /** `MachineHost.transmit`: acknowledges RCV.NXT. With data it is charged to `conn.belowBytes`: the send queue pays for its payload. */
  transmit(conn: Connection, flags: number, seq: number, lenBytes: number): boolean {
    if (!this.#send(conn, flags, seq, conn.rcvNxt, lenBytes)) return false;
    const { extra, segmentBytes } = conn;
    const segments = lenBytes > segmentBytes ? Math.ceil(lenBytes / segmentBytes) : 1;
    this.#host.counters['segments-out'].value += segments;
    if (extra === null) return true;
    extra.segmentsOut += segments;
    if (lenBytes === 0) return true;
    extra.dataSegmentsOut += segments;
    extra.bytesSent += lenBytes;
    return true;
  }

  /** `MachineHost.reset`. */
  reset(conn: Connection, flags: number, seq: number, ack: number): void {
    if (this.#send(conn, flags | TCP_FLAG.RST, seq, ack, 0)) this.#count(TCP_FLAG.RST);
  }

  /** `MachineHost.mostSegments`. In urgent mode each has a pointer of its own, and what is transformed on its way is not cut behind that. */
  mostSegments({ sock, flags, segmentBytes }: Connection): number {
    const dst = sock.dst === null ? null : sock.dst.dst;
    if (dst === null || dst.child !== null || dst.device === null || (flags & FLAG.URGENT_SENT) !== 0) return 1;
    return Math.max(1, Math.min(MERGE_LIMITS.segments, Math.floor(MAX_BYTES / segmentBytes)));
  }

  /** Sends a segment of no connection. False: no way, or no memory; as if lost. */
  bare(bare: BareSegment): boolean {
    const dst = this.#way.ofBare(bare);
    if (dst === null) return false;
    const optionBytes = this.#options.ofBare(bare);
    const skb = this.#alloc(dst, TCP_HEADER_BYTES + optionBytes, 0);
    if (skb === null) return false;
    this.#writeHeader(skb, optionBytes, bare.flags, bare.seq, bare.ack, bare.windowField, 0);
    skb.hash = bare.hash;
    skb.mark = bare.mark;
    skb.priority = bare.priority;
    this.#count(bare.flags);
    return this.#hand(skb, dst, bare.layer!, bare.sock);
  }

  #send(conn: Connection, flags: number, seq: number, ack: number, lenBytes: number): boolean {
    const { sock, segmentBytes } = conn;
    const dst = this.#way.ofSocket(sock);
    if (dst === null) return false;
    const payloadBytes = Math.min(lenBytes, segmentBytes);
    const optionBytes = this.#options.ofConnection(conn, flags, lenBytes === 0 ? TCP_MAX_HEADER_BYTES : conn.mssBytes - payloadBytes);
    const skb = this.#alloc(dst, TCP_HEADER_BYTES + optionBytes, lenBytes <= COPY_BYTES ? lenBytes : 0);
    if (skb === null) return false;
    if (lenBytes > 0 && !this.#queues.putInto(conn, skb, seq, lenBytes)) {
      skb.memory.pool.release(skb);
      return false;
    }
    const urgent = (conn.flags & FLAG.URGENT_SENT) === 0 ? 0 : urgentPointer(conn, seq);
    const window = windowField(conn.rcvWnd, conn.rcvShift, (flags & TCP_FLAG.SYN) !== 0);
    this.#writeHeader(skb, optionBytes, urgent > 0 ? flags | TCP_FLAG.URG : flags, seq, ack, window, urgent);
    if (lenBytes > segmentBytes) {
      skb.gsoSize = segmentBytes;
      skb.gsoSegs = Math.ceil(lenBytes / segmentBytes);
      skb.gsoType = this.#way.flow.family === ADDRESS_FAMILY.INET ? DEVICE_FEATURE.GSO_TCPV4 : DEVICE_FEATURE.GSO_TCPV6;
    }
    this.#mark(skb, conn);
    // As in Linux, nobody waits for a bare acknowledgement to leave.
    if (lenBytes > 0) {
      skb.sock = sock;
      conn.belowBytes += skb.truesize;
    }
    return this.#hand(skb, dst, sock.layer!, sock);
  }

  /** Room for all headers, and for payload that is copied. */
  #alloc(dst: Dst, headerBytes: number, lenBytes: number): Skb | null {
    return this.#host.pool.current.alloc(dst.headroomBytes + headerBytes, lenBytes + dst.tailroomBytes);
  }

  /** Before the payload, as the way's flow has its ends (RFC 9293 §3.1). The checksum is the device's to finish. */
  #writeHeader(skb: Skb, optionBytes: number, flags: number, seq: number, ack: number, window: number, urgent: number): void {
    const { flow } = this.#way;
    const at = push(skb, TCP_HEADER_BYTES + optionBytes);
    const { view } = skb.memory;
    skb.transport = at;
    setSrcPort(view, at, flow.srcPort);
    setDstPort(view, at, flow.dstPort);
    setTcpSeq(view, at, seq);
    setTcpAck(view, at, (flags & TCP_FLAG.ACK) === 0 ? 0 : ack);
    setTcpHeaderBytesAndFlags(view, at, TCP_HEADER_BYTES + optionBytes, flags);
    setTcpWindow(view, at, window);
    setTcpUrgentPointer(view, at, urgent);
    if (optionBytes > 0) copyWords(view, at + TCP_HEADER_BYTES, this.#options.view, 0, optionBytes);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    setTcpChecksum(view, at, pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, IP_PROTOCOL.TCP, skb.len));
    skb.checksum = CHECKSUM.PARTIAL;
    skb.csum = ((at - skb.head) << 16) | TCP_CHECKSUM;
  }

  #mark(skb: Skb, conn: Connection): void {
    const { hash, options } = conn.sock;
    skb.hash = hash;
    if (options !== null) {
      skb.mark = options.mark;
      skb.priority = options.priority;
    }
    if ((conn.flags & FLAG.CONFIRM_NEIGHBOUR) === 0) return;
    conn.flags &= ~FLAG.CONFIRM_NEIGHBOUR;
    skb.flags |= SKB_FLAG.CONFIRM_NEIGHBOUR;
  }

  /** Here others may come in between: the packet is freed at once, its socket has room, its user is woken and sends more. */
  #hand(skb: Skb, dst: Dst, layer: NetworkLayer, sock: SockCommon | null): boolean {
    const { current } = this.#host;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    const caller = current.id;
    current.id = layer.uses.owner;
    const result = layer.send(skb, this.#way.flow, sock, null);
    current.id = caller;
    return result !== TRANSMIT.DROPPED;
  }

  #count(flags: number): void {
    const { counters } = this.#host;
    counters['segments-out'].value++;
    if ((flags & TCP_FLAG.RST) !== 0) counters['resets-out'].value++;
  }
}

/** As Linux: behind the urgent octet (RFC 6093 §3); told from far before it, and as far as the field reaches. 0: not in this segment. */
function urgentPointer({ sndUp, sndNxt }: Connection, seq: number): number {
  const distance = (sndUp - seq) | 0;
  if (distance <= 0) return 0;
  if (distance <= 0xffff) return distance;
  return ((seq + 0xffff - sndNxt) | 0) > 0 ? 0xffff : 0;
}
