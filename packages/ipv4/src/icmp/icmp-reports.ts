import type { DropReason, Skb } from '@softnet/contract';
import { ADDRESS_TYPE, ErrorReport, Flow, IPV4_WORD2, SKB_TYPE } from '@softnet/contract';
import { cutFront, gather } from '@softnet/skb';
import {
  ICMP_HEADER_BYTES,
  ICMPV4_TYPE,
  IcmpQuote,
  IPV4_MAX_HEADER_BYTES,
  icmpCode,
  icmpRest,
  ipv4Dst,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  ipv4TotalBytes,
  readIcmpv4Quote,
} from '@softnet/wire';
import type { Joints } from '../joints.ts';
import { aim } from '../machine/flow.ts';
import { isTooBig, readReport } from '../machine/icmp-errors.ts';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

/** Of the packet quoted, so much is there at least behind its IP header (RFC 792). */
const UPPER_BYTES = 8;
/** Of a quote, so much is read. */
const QUOTE_BYTES: number = ICMP_HEADER_BYTES + IPV4_MAX_HEADER_BYTES + UPPER_BYTES;

/**
 * What routers and hosts say of packets that this host sent (RFC 1122 §3.2.2). Anybody can write such a message: the socket that sent
 * the packet is told, and only what it confirms, or a table of its protocol, is believed (RFC 5927 §4).
 */
export class IcmpReports {
  readonly #parts: Ipv4Parts;
  readonly #joints: Joints;
  readonly #flow = new Flow();
  readonly #quote = new IcmpQuote();
  readonly #report = new ErrorReport();

  constructor(parts: Ipv4Parts, joints: Joints) {
    this.#parts = parts;
    this.#joints = joints;
  }

  /** Takes an error, or a redirect. */
  input(skb: Skb, type: number): void {
    const { drops, counters } = this.#parts;
    if (type === ICMPV4_TYPE.REDIRECT) counters.icmpInRedirects.value++;
    else counters.icmpInErrors.value++;
    if (!gather(skb, Math.min(skb.len, QUOTE_BYTES))) {
      drop(skb, drops['ipv4.no-memory']);
      return;
    }
    const why = this.#fault(skb, type) ?? this.#tell(skb, type);
    if (why === null) skb.memory.pool.release(skb);
    else drop(skb, why);
  }

  /** Why nobody is told, from what the message itself says; null: `report` and `quote` are filled. */
  #fault(skb: Skb, type: number): DropReason | null {
    const { drops, book } = this.#parts;
    const quote = this.#quote;
    const { view } = skb.memory;
    const fault = readIcmpv4Quote(view, skb.data, skb.tail, quote);
    if (fault !== null) return drops[fault];
    const { network } = quote;
    if (!readReport(this.#report, type, icmpCode(view, skb.data), icmpRest(view, skb.data), ipv4TotalBytes(view, network))) {
      return drops['icmpv4.type'];
    }
    if (!book.isLocal(ipv4Src(view, network), 0)) return drops['icmpv4.foreign-quote'];
    // Of a packet to many, one who cannot take it says nothing of the others.
    const target = book.typeOf(ipv4Dst(view, network), 0);
    const isMany = target === ADDRESS_TYPE.BROADCAST || target === ADDRESS_TYPE.MULTICAST;
    if (isMany || (skb.type !== SKB_TYPE.HOST && skb.type !== SKB_TYPE.LOOPBACK)) return drops['icmpv4.group-quote'];
    // Later fragments have no ports to tell whose they were.
    if (quote.transport < 0) return drops['icmpv4.unmatched'];
    return quote.end - quote.transport < UPPER_BYTES ? drops['icmpv4.quote-short'] : null;
  }

  /** Null: somebody has sent that packet. */
  #tell(skb: Skb, type: number): DropReason | null {
    const { drops } = this.#parts;
    const { delivery, redirects } = this.#joints;
    const report = this.#report;
    const { view } = skb.memory;
    const { network, transport } = this.#quote;
    const offender = ipv4Src(view, skb.network);
    const flow = this.#flow;
    aim(flow, ipv4Protocol(view, network), ipv4Src(view, network), ipv4Dst(view, network), ipv4Tos(view, network), skb.mark);
    if (type === ICMPV4_TYPE.REDIRECT) {
      const why = redirects.fault(flow, offender, report.info, skb.ifindex);
      if (why !== null) return why;
    }
    report.offender0 = 0;
    report.offender1 = 0;
    report.offender2 = IPV4_WORD2;
    report.offender3 = offender;
    cutFront(skb, transport - skb.data);
    skb.network = network;
    skb.transport = transport;
    if (!delivery.report(skb, flow.protocol, report)) return drops['icmpv4.unmatched'];
    if (type === ICMPV4_TYPE.REDIRECT) {
      return redirects.learn(flow, offender, report.info, skb.ifindex) ? null : drops['icmpv4.redirect-gateway'];
    }
    if (isTooBig(report.type, report.code)) this.#learnMtu(report.info);
    return null;
  }

  /** Links narrower than 552 bytes are hardly there, but those who want them believed are: such a path's packets are cut instead (Linux). */
  #learnMtu(mtuBytes: number): void {
    const { route, current, settings } = this.#parts;
    const least = settings.minPathMtu.value;
    const caller = current.id;
    current.id = route.owner;
    route.current.learnMtu(this.#flow, Math.max(mtuBytes, least), mtuBytes < least);
    current.id = caller;
  }
}
