import type { Dst, Skb } from '@softnet/contract';
import { Flow, IP_PROTOCOL, SKB_TYPE } from '@softnet/contract';
import type { Unmerger } from '@softnet/inet';
import { copyIn, finishChecksum, push, SkbReader, scrub, sumOf } from '@softnet/skb';
import {
  addSums,
  checksumOf,
  ICMP_HEADER_BYTES,
  ICMPV6_TYPE,
  IPV6_HEADER_BYTES,
  icmpChecksum,
  icmpCode,
  icmpRest,
  ipv6Dst,
  ipv6FlowLabel,
  ipv6Src,
  ipv6TrafficClass,
  pseudoHeaderSum,
  setIcmpChecksum,
  setIcmpRest,
  setIcmpTypeAndCode,
  updateChecksum16,
  updateChecksum32,
} from '@softnet/wire';
import { isMulticast, needsInterface } from './address-kind.ts';
import { beginIcmpFlow } from './flow-of.ts';
import type { IcmpLimits } from './icmp-limits.ts';
import type { Ipv6Output } from './output.ts';
import { IPV6_MIN_MTU } from './output.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { SentEchoes } from './sent-echoes.ts';
import { REFLECT_ECHO } from './settings.ts';
import type { Links, Surroundings } from './surroundings.ts';

/** First 16 bits of an echo reply. */
const REPLY: number = ICMPV6_TYPE.ECHO_REPLY << 8;
/** What of a packet fits into an error of 1280 bytes (RFC 4443 §2.4 c). */
const QUOTE_BYTES = IPV6_MIN_MTU - 40 - ICMP_HEADER_BYTES;

/** Makes and sends ICMPv6 messages that answer a packet. */
export class IcmpOutput {
  readonly #around: Surroundings;
  readonly #links: Links;
  readonly #output: Ipv6Output;
  readonly #unmerger: Unmerger;
  readonly #limits: IcmpLimits;
  readonly #sent: SentEchoes;
  readonly #flow = new Flow();
  readonly #reader = new SkbReader();

  constructor(around: Surroundings, links: Links, output: Ipv6Output, unmerger: Unmerger, limits: IcmpLimits, sent: SentEchoes) {
    this.#sent = sent;
    this.#limits = limits;
    this.#unmerger = unmerger;
    this.#around = around;
    this.#links = links;
    this.#output = output;
  }

  /**
   * Answers the echo request at `transport` = `data` (RFC 4443 §4.2): the request itself becomes the reply; nothing is copied unless its
   * head is shared, or too narrow. Null: it is taken; else why it is to be dropped.
   */
  echo(skb: Skb): Ipv6Reason | null {
    const { network } = skb;
    const { view } = skb.memory;
    const dst = this.#route(skb, ICMPV6_TYPE.ECHO_REPLY, 0);
    if (dst === null) return 'icmpv6.no-way-back';
    if (!this.#allows(ICMPV6_TYPE.ECHO_REPLY, dst)) return 'icmpv6.limited';
    const flow = this.#flow;
    // RFC 6437 §3, RFC 3168 §6.1: as Linux answers.
    flow.tos = ipv6TrafficClass(view, network);
    if ((this.#around.settings.reflectedLabels.value & REFLECT_ECHO) !== 0) flow.label = ipv6FlowLabel(view, network);
    let checksum = updateChecksum16(icmpChecksum(view, skb.data), (ICMPV6_TYPE.ECHO_REQUEST << 8) | icmpCode(view, skb.data), REPLY);
    // Both ends have changed places, which no sum sees, unless it was to a group.
    checksum = updateChecksum32(checksum, ipv6Dst(view, network, 0), flow.src0);
    checksum = updateChecksum32(checksum, ipv6Dst(view, network, 1), flow.src1);
    checksum = updateChecksum32(checksum, ipv6Dst(view, network, 2), flow.src2);
    checksum = updateChecksum32(checksum, ipv6Dst(view, network, 3), flow.src3);
    scrub(skb);
    skb.mac = -1;
    skb.network = -1;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    if (!skb.memory.pool.makeRoom(skb, dst.headroomBytes, dst.tailroomBytes)) return 'ipv6.no-memory';
    const at = skb.data;
    skb.transport = at;
    setIcmpTypeAndCode(skb.memory.view, at, ICMPV6_TYPE.ECHO_REPLY, 0);
    setIcmpChecksum(skb.memory.view, at, checksum);
    if (skb.len + IPV6_HEADER_BYTES > IPV6_MIN_MTU) this.#sent.note(flow, icmpRest(skb.memory.view, at));
    this.#output.send(skb, flow, null);
    return null;
  }

  /**
   * Sends an error about a packet, from its `network` on (RFC 4443 §3). Whether it may be sent, its caller has seen. Does not
   * take the packet.
   */
  error(about: Skb, type: number, code: number, rest: number): void {
    const dst = this.#route(about, type, code);
    if (dst === null || !this.#allows(type, dst)) return;
    const out = this.#begin(dst, QUOTE_BYTES);
    if (out === null) return;
    // Of packets that were merged, the first is quoted.
    const quoted = about.gsoSize === 0 ? about : this.#unmerger.first(about);
    if (quoted === null || !this.#quote(out, quoted)) out.memory.pool.release(out);
    else {
      this.#around.counters.icmpOutErrors.value++;
      this.#send(out, dst, type, code, rest);
    }
    if (quoted !== null && quoted !== about) quoted.memory.pool.release(quoted);
  }

  #allows(type: number, dst: Dst): boolean {
    if (this.#limits.take(type, this.#flow, dst)) return true;
    this.#around.counters.icmpOutLimited.value++;
    return false;
  }

  /** The way back to the packet's source, from the address that it was for, if that is one of ours. Null: there is none. */
  #route(about: Skb, type: number, code: number): Dst | null {
    const flow = this.#flow;
    const { network, ifindex } = about;
    const { view } = about.memory;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, type, code);
    flow.dst0 = ipv6Src(view, network, 0);
    flow.dst1 = ipv6Src(view, network, 1);
    flow.dst2 = ipv6Src(view, network, 2);
    flow.dst3 = ipv6Src(view, network, 3);
    if (needsInterface(flow.dst0)) flow.oif = ifindex;
    const ours0 = ipv6Dst(view, network, 0);
    const ours1 = ipv6Dst(view, network, 1);
    const ours2 = ipv6Dst(view, network, 2);
    const ours3 = ipv6Dst(view, network, 3);
    if (!isMulticast(ours0) && this.#links.find(ours0, ours1, ours2, ours3, ifindex) !== null) {
      flow.src0 = ours0;
      flow.src1 = ours1;
      flow.src2 = ours2;
      flow.src3 = ours3;
    }
    const { route, current } = this.#around;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(flow);
    current.id = caller;
    if (dst.error !== 0 || (flow.src0 | flow.src1 | flow.src2 | flow.src3) === 0) return null;
    return dst;
  }

  #begin(dst: Dst, lenBytes: number): Skb | null {
    const skb = this.#around.pool.current.alloc(dst.headroomBytes + ICMP_HEADER_BYTES, lenBytes + dst.tailroomBytes);
    if (skb !== null) skb.type = SKB_TYPE.OUTGOING;
    return skb;
  }

  /** As much as fits of the packet from its `network` on: what stands before `data`, then the rest. */
  #quote(out: Skb, about: Skb): boolean {
    // What its sender left to a device, nobody would finish in a quote.
    finishChecksum(about, this.#reader);
    const { memory, network, data } = about;
    const before = Math.min(data - network, QUOTE_BYTES);
    const rest = Math.min(about.len, QUOTE_BYTES - before);
    if (before > 0 && !copyIn(out, memory.bytes, network, before)) return false;
    return rest <= 0 || (this.#reader.open(about, 0, rest) && this.#copyRest(out, rest));
  }

  /** What the reader has left. */
  #copyRest(out: Skb, lenBytes: number): boolean {
    const reader = this.#reader;
    let left = lenBytes;
    for (let more = true; more && left > 0; more = reader.nextRun()) {
      const taken = Math.min(left, reader.end - reader.offset);
      if (!copyIn(out, reader.bytes, reader.offset, taken)) return false;
      left -= taken;
    }
    return true;
  }

  #send(skb: Skb, dst: Dst, type: number, code: number, rest: number): void {
    const flow = this.#flow;
    const at = push(skb, ICMP_HEADER_BYTES);
    const { view } = skb.memory;
    skb.transport = at;
    setIcmpTypeAndCode(view, at, type, code);
    setIcmpChecksum(view, at, 0);
    setIcmpRest(view, at, rest);
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = flow;
    const pseudo = pseudoHeaderSum(src0, src1, src2, src3, dst0, dst1, dst2, dst3, IP_PROTOCOL.ICMPV6, skb.len);
    this.#reader.open(skb);
    setIcmpChecksum(view, at, checksumOf(addSums(pseudo, sumOf(this.#reader))));
    skb.dst = dst;
    this.#output.send(skb, flow, null);
  }
}
