import type { Skb } from '@softnet/contract';
import { IP_PROTOCOL, REFUSAL, SKB_TYPE } from '@softnet/contract';
import {
  ICMPV6_PARAMETER_PROBLEM,
  ICMPV6_TIME_EXCEEDED,
  ICMPV6_TYPE,
  ICMPV6_UNREACHABLE,
  icmpType,
  ipv6Dst,
  ipv6Src,
  isIcmpv6Error,
} from '@softnet/wire';
import { isMulticast, isUnspecified } from './address-kind.ts';
import { findLastHeader, LastHeader } from './header-walk.ts';
import type { IcmpOutput } from './icmp-output.ts';

/** Errors that this host sends, by the rules of RFC 4443 §2.4. */
export class IcmpErrors {
  readonly #output: IcmpOutput;
  readonly #last = new LastHeader();

  constructor(output: IcmpOutput) {
    this.#output = output;
  }

  /** `NetworkLayer.refuse`. */
  refuse(skb: Skb, refusal: number, info: number): void {
    if (refusal === REFUSAL.PROTOCOL_UNREACHABLE) this.#unknownHeader(skb);
    else if (refusal === REFUSAL.TOO_BIG) this.report(skb, ICMPV6_TYPE.PACKET_TOO_BIG, 0, info);
    else if (refusal === REFUSAL.TIME_EXCEEDED) this.report(skb, ICMPV6_TYPE.TIME_EXCEEDED, ICMPV6_TIME_EXCEEDED.HOP_LIMIT, 0);
    else if (refusal === REFUSAL.REASSEMBLY_TIMEOUT) this.report(skb, ICMPV6_TYPE.TIME_EXCEEDED, ICMPV6_TIME_EXCEEDED.REASSEMBLY, 0);
    else this.report(skb, ICMPV6_TYPE.DESTINATION_UNREACHABLE, unreachableCode(refusal), 0);
  }

  /** Its source or destination may not leave its link (RFC 4443 §3.1, RFC 4007 §9). */
  beyondScope(skb: Skb): void {
    this.report(skb, ICMPV6_TYPE.DESTINATION_UNREACHABLE, ICMPV6_UNREACHABLE.BEYOND_SCOPE, 0);
  }

  /**
   * A parameter problem (RFC 4443 §3.4). @param offset of the byte at fault, absolute.
   * @param toGroups also about packets to groups: options that say so (RFC 8200 §4.2).
   */
  problem(skb: Skb, code: number, offset: number, toGroups: boolean): void {
    if (this.#mayAnswer(skb, toGroups)) this.#output.error(skb, ICMPV6_TYPE.PARAMETER_PROBLEM, code, offset - skb.network);
  }

  report(skb: Skb, type: number, code: number, rest: number): void {
    // Path MTU discovery works for groups too: RFC 4443 §2.4 e.3.
    if (this.#mayAnswer(skb, type === ICMPV6_TYPE.PACKET_TOO_BIG)) this.#output.error(skb, type, code, rest);
  }

  /** Points at the field that names what nobody knows (RFC 4443 §3.4, RFC 8200 §4). */
  #unknownHeader(skb: Skb): void {
    if (!this.#mayAnswer(skb, false)) return;
    const pointer = this.#last.nextHeaderOffset - skb.network;
    this.#output.error(skb, ICMPV6_TYPE.PARAMETER_PROBLEM, ICMPV6_PARAMETER_PROBLEM.NEXT_HEADER, pointer);
  }

  /** RFC 4443 §2.4 e. */
  #mayAnswer(skb: Skb, toGroups: boolean): boolean {
    const { network } = skb;
    const { view } = skb.memory;
    const src0 = ipv6Src(view, network, 0);
    if (isMulticast(src0)) return false;
    if (isUnspecified(src0, ipv6Src(view, network, 1), ipv6Src(view, network, 2), ipv6Src(view, network, 3))) return false;
    const toMany = isMulticast(ipv6Dst(view, network, 0)) || skb.type === SKB_TYPE.MULTICAST || skb.type === SKB_TYPE.BROADCAST;
    return (!toMany || toGroups) && !this.#isError(skb);
  }

  /**
   * An ICMPv6 error, or a redirect. What is wrong with fragments is told also where their type is in another (RFC 8200 §4.5, RFC 7112 §5), as
   * Linux does: one in pieces is none of those. Leaves the last header found.
   */
  #isError(skb: Skb): boolean {
    const last = this.#last;
    findLastHeader(skb, last);
    if (last.protocol !== IP_PROTOCOL.ICMPV6) return false;
    if (last.at < 0 || last.at >= skb.tail) return !last.isFragment;
    const type = icmpType(skb.memory.view, last.at);
    return isIcmpv6Error(type) || type === ICMPV6_TYPE.REDIRECT;
  }
}

function unreachableCode(refusal: number): number {
  if (refusal === REFUSAL.PORT_UNREACHABLE) return ICMPV6_UNREACHABLE.PORT;
  if (refusal === REFUSAL.HOST_UNREACHABLE) return ICMPV6_UNREACHABLE.ADDRESS;
  return refusal === REFUSAL.PROHIBITED ? ICMPV6_UNREACHABLE.ADMINISTRATIVELY_PROHIBITED : ICMPV6_UNREACHABLE.NO_ROUTE;
}
