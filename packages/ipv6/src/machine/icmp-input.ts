import type { FlowKey, NetworkLayer, PacketMemory, Protocol, Skb } from '@softnet/contract';
import { CHECKSUM, ErrorReport, Flow, IP_PROTOCOL } from '@softnet/contract';
import type { Delivery } from '@softnet/inet';
import { dissectEcho } from '@softnet/inet';
import { gather, pull, SkbReader, sumOf } from '@softnet/skb';
import {
  addSums,
  ICMP_HEADER_BYTES,
  ICMPV6_TYPE,
  IcmpQuote,
  INTACT,
  icmpCode,
  icmpRest,
  icmpType,
  ipv6Dst,
  ipv6PseudoHeaderSum,
  ipv6Src,
  isIcmpv6Error,
  readIcmpv6Quote,
} from '@softnet/wire';
import { isMldType } from '../mld/wire.ts';
import { isNdType } from '../wire/neighbour-message.ts';
import { isLinkLocal, isMulticast } from './address-kind.ts';
import { readFlow } from './flow-of.ts';
import { walkHeaders } from './header-walk.ts';
import { readIcmpError } from './icmp-errno.ts';
import type { IcmpOutput } from './icmp-output.ts';
import type { NeighbourDiscovery } from './neighbour-discovery.ts';
import { IPV6_MIN_MTU } from './output.ts';
import type { Ipv6Reason } from './reasons.ts';
import type { SentEchoes } from './sent-echoes.ts';
import type { Links, Surroundings } from './surroundings.ts';

/** What is said of groups. */
export interface GroupMessages {
  /** A message of MLD, `data` = `transport`. False: it is for the next generation too. */
  receive(skb: Skb): boolean;
}

/** ICMPv6 (RFC 4443) above IPv6: what is received. */
export class IcmpInput implements Protocol {
  readonly name = 'icmpv6';
  readonly number = IP_PROTOCOL.ICMPV6;
  readonly gro = null;
  readonly segment = null;
  readonly #around: Surroundings;
  readonly #links: Links;
  readonly #delivery: Delivery;
  readonly #output: IcmpOutput;
  readonly #discovery: NeighbourDiscovery;
  readonly #groups: GroupMessages;
  readonly #sent: SentEchoes;
  readonly #reader = new SkbReader();
  readonly #quote = new IcmpQuote();
  readonly #report = new ErrorReport();
  readonly #flow = new Flow();

  constructor(
    around: Surroundings,
    links: Links,
    delivery: Delivery,
    output: IcmpOutput,
    discovery: NeighbourDiscovery,
    groups: GroupMessages,
    sent: SentEchoes,
  ) {
    this.#sent = sent;
    this.#around = around;
    this.#links = links;
    this.#delivery = delivery;
    this.#output = output;
    this.#discovery = discovery;
    this.#groups = groups;
  }

  dissect(memory: PacketMemory, offset: number, endOffset: number, key: FlowKey): boolean {
    return dissectEcho(memory, offset, endOffset, key, ICMPV6_TYPE.ECHO_REQUEST, ICMPV6_TYPE.ECHO_REPLY);
  }

  /** An error about an echo reply, of which no socket knows. Whether it was sent matters only where something is to be learned of its path. */
  error({ memory, network, transport, tail }: Skb, _layer: NetworkLayer, { type }: ErrorReport): boolean {
    if (type !== ICMPV6_TYPE.PACKET_TOO_BIG || transport + ICMP_HEADER_BYTES > tail) return false;
    return icmpType(memory.view, transport) === ICMPV6_TYPE.ECHO_REPLY && this.#sent.has(memory, network, transport);
  }

  /** Of two generations, each has members in groups of its own: what is said of groups, both hear. */
  input(skb: Skb, _layer: NetworkLayer): boolean {
    const why = this.#handle(skb);
    if (why === 'mld') return this.#groups.receive(skb);
    if (why !== null) skb.memory.pool.drop(skb, this.#around.reasons[why]);
    return true;
  }

  /** Null: it is taken; else why it is to be dropped. */
  #handle(skb: Skb): Ipv6Reason | 'mld' | null {
    if (!gather(skb, ICMP_HEADER_BYTES)) return 'icmpv6.truncated';
    if (!this.#isIntact(skb)) return 'icmpv6.checksum';
    const type = icmpType(skb.memory.view, skb.transport);
    if (isNdType(type)) return this.#discovery.receive(skb);
    if (isIcmpv6Error(type)) return this.#errorReceived(skb, type);
    if (type === ICMPV6_TYPE.ECHO_REQUEST) return this.#echo(skb);
    if (type === ICMPV6_TYPE.ECHO_REPLY) return 'icmpv6.echo-reply';
    return isMldType(type) ? 'mld' : 'icmpv6.type';
  }

  #echo(skb: Skb): Ipv6Reason | null {
    return this.#isEchoIgnored(skb) ? 'icmpv6.echo-ignored' : this.#output.echo(skb);
  }

  /** Linux's `icmpv6_echo_reply`. What is for this host, and neither to a group nor to an address of its own, is to an anycast address. */
  #isEchoIgnored({ memory: { view }, network, ifindex }: Skb): boolean {
    const { ignoreEcho, ignoreGroupEcho, ignoreAnycastEcho } = this.#around.settings;
    if (ignoreEcho.value) return true;
    const word0 = ipv6Dst(view, network, 0);
    if (isMulticast(word0)) return ignoreGroupEcho.value;
    if (!ignoreAnycastEcho.value) return false;
    const scope = isLinkLocal(word0) ? ifindex : 0;
    return this.#links.find(word0, ipv6Dst(view, network, 1), ipv6Dst(view, network, 2), ipv6Dst(view, network, 3), scope) === null;
  }

  /** RFC 4443 §2.4 d: to whose packet it was, by the headers that it quotes. */
  #errorReceived(skb: Skb, type: number): Ipv6Reason | null {
    if (!gather(skb, Math.min(skb.len, IPV6_MIN_MTU))) return 'ipv6.no-memory';
    const { view } = skb.memory;
    const code = icmpCode(view, skb.transport);
    const rest = icmpRest(view, skb.transport);
    const quote = this.#quote;
    const fault = readIcmpv6Quote(view, skb.transport, skb.tail, this.#around.settings.limits, quote);
    if (fault !== null) return fault;
    if (!this.#isOurs(skb, quote.network)) return 'icmpv6.quote-not-ours';
    if (type === ICMPV6_TYPE.PACKET_TOO_BIG && rest >>> 0 < IPV6_MIN_MTU) return 'icmpv6.mtu';
    if (!this.#tell(skb, type, code, rest)) return 'icmpv6.unmatched';
    skb.memory.pool.release(skb);
    return null;
  }

  /** Tells sockets, and, what they confirm, routes (RFC 5927 §4, RFC 8201 §4). False: nobody has sent that packet. */
  #tell(skb: Skb, type: number, code: number, rest: number): boolean {
    const quote = this.#quote;
    const report = this.#report;
    readIcmpError(type, code, rest, report);
    setOffender(report, skb);
    skb.network = quote.network;
    // A later fragment has no ports to tell whose it was.
    if (quote.transport < 0 || quote.transport > skb.tail) return false;
    skb.transport = pull(skb, quote.transport - skb.data);
    if (!this.#delivery.report(skb, quote.protocol, report)) return false;
    if (type === ICMPV6_TYPE.PACKET_TOO_BIG) this.#learnMtu(skb, report.info);
    return true;
  }

  /** A packet that could not leave this host, or died in it: its socket is told as by an error from ourselves. Does not take it. */
  refuseOwn(skb: Skb, type: number, code: number): void {
    const report = this.#report;
    readIcmpError(type, code, 0, report);
    setOffender(report, skb);
    const { chain } = this.#quote;
    if (walkHeaders(skb, this.#around.settings.limits, chain) !== null || chain.transport < 0) return;
    const headerBytes = chain.transport - skb.data;
    skb.transport = pull(skb, headerBytes);
    this.#delivery.report(skb, chain.protocol, report);
    skb.data -= headerBytes;
    skb.len += headerBytes;
  }

  /** RFC 8201 §4: of the destination that the packet was for. */
  #learnMtu(skb: Skb, mtuBytes: number): void {
    const flow = this.#flow;
    const { ifindex } = skb;
    readFlow(skb, flow);
    flow.iif = 0;
    if (flow.oif !== 0) flow.oif = ifindex;
    const { route, current } = this.#around;
    const caller = current.id;
    current.id = route.owner;
    route.current.learnMtu(flow, mtuBytes);
    current.id = caller;
  }

  /** The packet quoted must be one that this host can have sent. */
  #isOurs(skb: Skb, network: number): boolean {
    const { view } = skb.memory;
    const word0 = ipv6Src(view, network, 0);
    const word1 = ipv6Src(view, network, 1);
    if (this.#links.find(word0, word1, ipv6Src(view, network, 2), ipv6Src(view, network, 3), 0) === null) return false;
    return ipv6Dst(view, network, 0) >>> 24 !== 0xff || icmpType(view, skb.transport) === ICMPV6_TYPE.PACKET_TOO_BIG;
  }

  #isIntact(skb: Skb): boolean {
    if (skb.checksum === CHECKSUM.UNNECESSARY) return true;
    const pseudo = ipv6PseudoHeaderSum(skb.memory.view, skb.network, IP_PROTOCOL.ICMPV6, skb.len);
    return this.#reader.open(skb) && addSums(pseudo, sumOf(this.#reader)) === INTACT;
  }
}

/** The source of the packet says so. */
function setOffender(report: ErrorReport, { memory: { view }, network }: Skb): void {
  report.offender0 = ipv6Src(view, network, 0);
  report.offender1 = ipv6Src(view, network, 1);
  report.offender2 = ipv6Src(view, network, 2);
  report.offender3 = ipv6Src(view, network, 3);
}
