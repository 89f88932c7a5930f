import type { FlowKey, NetworkLayer, PacketMemory, Protocol, Skb } from '@softnet/contract';
import { CHECKSUM, IP_PROTOCOL } from '@softnet/contract';
import { dissectEcho } from '@softnet/inet';
import { gather, SkbReader, sumOf } from '@softnet/skb';
import { ICMP_HEADER_BYTES, ICMPV4_TYPE, INTACT, icmpType, isIcmpv4Obsolete } from '@softnet/wire';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';
import type { IcmpReplies } from './icmp-replies.ts';
import type { IcmpReports } from './icmp-reports.ts';

/** ICMP on its way in (RFC 792, RFC 1122 §3.2.2): what asks is answered, what reports is told on. Ping sockets get replies before it. */
export class Icmp implements Protocol {
  readonly name = 'icmpv4';
  readonly number: number = IP_PROTOCOL.ICMP;
  readonly error = null;
  readonly gro = null;
  readonly segment = null;
  readonly #parts: Ipv4Parts;
  readonly #replies: IcmpReplies;
  readonly #reports: IcmpReports;
  readonly #reader = new SkbReader();

  constructor(parts: Ipv4Parts, replies: IcmpReplies, reports: IcmpReports) {
    this.#parts = parts;
    this.#replies = replies;
    this.#reports = reports;
  }

  dissect(memory: PacketMemory, offset: number, endOffset: number, key: FlowKey): boolean {
    return dissectEcho(memory, offset, endOffset, key, ICMPV4_TYPE.ECHO, ICMPV4_TYPE.ECHO_REPLY);
  }

  input(skb: Skb, _layer: NetworkLayer): boolean {
    const { drops } = this.#parts;
    if (skb.len < ICMP_HEADER_BYTES) drop(skb, drops['icmpv4.truncated']);
    else if (!gather(skb, ICMP_HEADER_BYTES)) drop(skb, drops['ipv4.no-memory']);
    else if (!this.#isIntact(skb)) drop(skb, drops['icmpv4.checksum']);
    else this.#dispatch(skb, icmpType(skb.memory.view, skb.data));
    return true;
  }

  #dispatch(skb: Skb, type: number): void {
    switch (type) {
      case ICMPV4_TYPE.ECHO:
        this.#replies.echo(skb);
        return;
      case ICMPV4_TYPE.TIMESTAMP:
        this.#replies.timestamp(skb);
        return;
      case ICMPV4_TYPE.DESTINATION_UNREACHABLE:
      case ICMPV4_TYPE.REDIRECT:
      case ICMPV4_TYPE.TIME_EXCEEDED:
      case ICMPV4_TYPE.PARAMETER_PROBLEM:
        this.#reports.input(skb, type);
        return;
      default:
        this.#ignore(skb, type);
    }
  }

  #ignore(skb: Skb, type: number): void {
    const { drops } = this.#parts;
    if (type === ICMPV4_TYPE.ECHO_REPLY || type === ICMPV4_TYPE.TIMESTAMP_REPLY) drop(skb, drops['icmpv4.unmatched']);
    else if (isIcmpv4Obsolete(type)) drop(skb, drops['icmpv4.obsolete']);
    else if (type === ICMPV4_TYPE.ROUTER_ADVERTISEMENT || type === ICMPV4_TYPE.ROUTER_SOLICITATION) {
      drop(skb, drops['icmpv4.router-discovery']);
    } else drop(skb, drops['icmpv4.type']);
  }

  #isIntact(skb: Skb): boolean {
    if (skb.checksum === CHECKSUM.UNNECESSARY) return true;
    // The IP header, which is right, sums up to zero: the whole packet's sum is this one's.
    if (skb.checksum === CHECKSUM.COMPLETE && skb.csum === INTACT) return true;
    this.#reader.open(skb);
    return sumOf(this.#reader) === INTACT;
  }
}
