import type { FlowKey, NetworkLayer, PacketMemory, Protocol, Skb } from '@softnet/contract';
import { CHECKSUM, ErrorReport, Flow, IP_PROTOCOL, IPV4_WORD2, SKB_TYPE } from '@softnet/contract';
import { dissectEcho } from '@softnet/inet';
import { cutFront, gather, SkbReader, scrub, sumOf } from '@softnet/skb';
import {
  ICMP_HEADER_BYTES,
  ICMPV4_TYPE,
  IcmpQuote,
  INTACT,
  IPV4_MAX_HEADER_BYTES,
  icmpChecksum,
  icmpCode,
  icmpRest,
  icmpType,
  ipv4Dst,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  ipv4TotalBytes,
  isIcmpv4Error,
  readIcmpv4Quote,
  setIcmpChecksum,
  setIcmpTypeAndCode,
  updateChecksum16,
} from '@softnet/wire';
import type { Joints } from './joints.ts';
import { aim } from './machine/flow.ts';
import { isTooBig, readReport } from './machine/icmp-errors.ts';
import type { Ipv4Parts } from './parts.ts';
import { drop } from './parts.ts';

/** Of a quote, so much is read: an IP header, and 8 bytes of the next. */
const QUOTE_BYTES: number = ICMP_HEADER_BYTES + IPV4_MAX_HEADER_BYTES + 8;

/** ICMP on its way in (RFC 792, RFC 1122 §3.2.2): answers echoes, tells sockets of errors. Ping sockets get replies before it. */
export class Icmp implements Protocol {
  readonly name = 'icmpv4';
  readonly number: number = IP_PROTOCOL.ICMP;
  readonly error = null;
  readonly gro = null;
  readonly segment = null;
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #reader = new SkbReader();
  readonly #flow = new Flow();
  readonly #quote = new IcmpQuote();
  readonly #report = new ErrorReport();

  constructor(parts: Ipv4Parts, joints: Joints) {
    this.#parts = parts;
    this.#joints = joints;
  }

  dissect(memory: PacketMemory, offset: number, endOffset: number, key: FlowKey): boolean {
    return dissectEcho(memory, offset, endOffset, key, ICMPV4_TYPE.ECHO, ICMPV4_TYPE.ECHO_REPLY);
  }

  input(skb: Skb, _layer: NetworkLayer): boolean {
    const { drops } = this.#parts;
    if (skb.len < ICMP_HEADER_BYTES) return this.#lose(skb, drops['icmpv4.truncated']);
    if (!gather(skb, ICMP_HEADER_BYTES)) return this.#lose(skb, drops['ipv4.no-memory']);
    if (!this.#isIntact(skb)) return this.#lose(skb, drops['icmpv4.checksum']);
    const type = icmpType(skb.memory.view, skb.data);
    if (type === ICMPV4_TYPE.ECHO) this.#echo(skb);
    else if (type === ICMPV4_TYPE.REDIRECT) drop(skb, drops['icmpv4.redirect']);
    else if (isIcmpv4Error(type)) this.#errorIn(skb, type);
    else drop(skb, type === ICMPV4_TYPE.ECHO_REPLY ? drops['icmpv4.unmatched'] : drops['icmpv4.type']);
    return true;
  }

  #isIntact(skb: Skb): boolean {
    if (skb.checksum === CHECKSUM.UNNECESSARY) return true;
    // The IP header, which is right, sums up to zero: the whole packet's sum is this one's.
    if (skb.checksum === CHECKSUM.COMPLETE && skb.csum === INTACT) return true;
    this.#reader.open(skb);
    return sumOf(this.#reader) === INTACT;
  }

  /** The request itself becomes the reply (RFC 1122 §3.2.2.6): nothing is copied unless its head is shared, or too narrow. */
  #echo(skb: Skb): void {
    const { settings, drops, counters, book, route, current } = this.#parts;
    const { view } = skb.memory;
    const from = ipv4Dst(view, skb.network);
    counters.icmpInEchos.value++;
    const isMany = !book.isLocal(from, 0);
    if (settings.echoIgnoreAll.value || (isMany && settings.echoIgnoreBroadcasts.value)) {
      drop(skb, drops['icmpv4.echo-ignored']);
      return;
    }
    aim(this.#flow, IP_PROTOCOL.ICMP, isMany ? 0 : from, ipv4Src(view, skb.network), ipv4Tos(view, skb.network), 0);
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(this.#flow);
    current.id = caller;
    if (dst.error !== 0) {
      drop(skb, drops['icmpv4.no-way-back']);
      return;
    }
    begin(skb);
    skb.dst = dst;
    if (!skb.memory.pool.makeRoom(skb, dst.headroomBytes, dst.tailroomBytes)) {
      drop(skb, drops['ipv4.no-memory']);
      return;
    }
    this.#sendReply(skb);
  }

  #sendReply(skb: Skb): void {
    const { view } = skb.memory;
    const at = skb.data;
    const code = icmpCode(view, at);
    setIcmpTypeAndCode(view, at, ICMPV4_TYPE.ECHO_REPLY, code);
    setIcmpChecksum(view, at, updateChecksum16(icmpChecksum(view, at), (ICMPV4_TYPE.ECHO << 8) | code, code));
    skb.transport = at;
    this.#parts.counters.icmpOutEchoReps.value++;
    this.#joints.output.send(skb, this.#flow, null);
  }

  /** An error about a packet that this host sent (RFC 1122 §3.2.2, RFC 5927). */
  #errorIn(skb: Skb, type: number): void {
    const { drops, counters, book } = this.#parts;
    counters.icmpInErrors.value++;
    if (!gather(skb, Math.min(skb.len, QUOTE_BYTES))) {
      drop(skb, drops['ipv4.no-memory']);
      return;
    }
    const quote = this.#quote;
    const { view } = skb.memory;
    const fault = readIcmpv4Quote(view, skb.data, skb.tail, quote);
    if (fault !== null) {
      drop(skb, drops[fault]);
      return;
    }
    const code = icmpCode(view, skb.data);
    if (!readReport(this.#report, type, code, icmpRest(view, skb.data), ipv4TotalBytes(view, quote.network))) {
      drop(skb, drops['icmpv4.type']);
      return;
    }
    // Of a packet to many, one who cannot take it says nothing of the others (RFC 1122 §3.2.2).
    if (!book.isLocal(ipv4Src(view, quote.network), 0) || skb.type !== SKB_TYPE.HOST) {
      drop(skb, drops['icmpv4.foreign-quote']);
      return;
    }
    this.#reportError(skb, type, code);
    skb.memory.pool.release(skb);
  }

  #reportError(skb: Skb, type: number, code: number): void {
    const { route, current } = this.#parts;
    const quote = this.#quote;
    const { view } = skb.memory;
    const report = this.#report;
    const offender = ipv4Src(view, skb.network);
    report.offender0 = 0;
    report.offender1 = 0;
    report.offender2 = IPV4_WORD2;
    report.offender3 = offender;
    const { protocol, transport, network } = quote;
    if (isTooBig(type, code)) {
      aim(this.#flow, protocol, ipv4Src(view, network), ipv4Dst(view, network), ipv4Tos(view, network), skb.mark);
      const caller = current.id;
      current.id = route.owner;
      route.current.learnMtu(this.#flow, report.info);
      current.id = caller;
    }
    // Later fragments have no ports to tell whose they were.
    if (transport < 0 || transport > quote.end) return;
    cutFront(skb, transport - skb.data);
    skb.network = network;
    skb.transport = transport;
    this.#joints.delivery.report(skb, ipv4Protocol(view, network), report);
  }

  #lose(skb: Skb, reason: Parameters<typeof drop>[1]): true {
    drop(skb, reason);
    return true;
  }
}

/** A packet that came in goes out again, as if it had been made here. */
function begin(skb: Skb): void {
  scrub(skb);
  skb.mac = -1;
  skb.network = -1;
  skb.type = SKB_TYPE.OUTGOING;
}
