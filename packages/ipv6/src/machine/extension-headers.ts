import type { Skb } from '@softnet/contract';
import { IP_PROTOCOL } from '@softnet/contract';
import { gather } from '@softnet/skb';
import {
  extensionHeaderBytes,
  ICMPV6_PARAMETER_PROBLEM,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  IPV6_LIMITS,
  IPV6_NEXT_HEADER,
  IPV6_NO_NEXT_HEADER,
  IPV6_OPTION,
  IPV6_OPTION_ACTION,
  icmpType,
  ipv6Dst,
  ipv6OptionAction,
  ipv6OptionBytes,
  ipv6OptionsFault,
  ipv6SegmentsLeft,
  isExtensionHeader,
} from '@softnet/wire';
import { isNdType } from '../wire/neighbour-message.ts';
import { isMulticast } from './address-kind.ts';
import type { Ipv6Fragments } from './fragments.ts';
import type { IcmpErrors } from './icmp-errors.ts';
import type { Ipv6Reason, Ipv6Reasons } from './reasons.ts';

/** Processes the extension headers of received packets, in their order (RFC 8200 §4). Packets have `data` = `network`. */
export class ExtensionHeaders {
  readonly #reasons: Ipv6Reasons;
  readonly #errors: IcmpErrors;
  readonly #fragments: Ipv6Fragments;

  constructor(reasons: Ipv6Reasons, errors: IcmpErrors, fragments: Ipv6Fragments) {
    this.#reasons = reasons;
    this.#errors = errors;
    this.#fragments = fragments;
  }

  /** The one that every host on the way processes (RFC 8200 §4.3). False: the packet was dropped. */
  hopByHop(skb: Skb): boolean {
    const lenBytes = this.#atHand(skb, IPV6_EXTENSION.HOP_BY_HOP, IPV6_HEADER_BYTES);
    return lenBytes > 0 && this.#options(skb, skb.network + IPV6_HEADER_BYTES, lenBytes);
  }

  /**
   * Those that the destination processes. Takes the packet; answers it, or the datagram that it completes, with `transport` behind the
   * last of them. Null: it waits, or was dropped.
   */
  walk(skb: Skb): Skb | null {
    let packet = skb;
    let nextHeaderAt = IPV6_NEXT_HEADER;
    let at = IPV6_HEADER_BYTES;
    let wasFragment = false;
    for (let headers = 1; ; headers++) {
      const protocol = packet.memory.view.getUint8(packet.network + nextHeaderAt);
      packet.transport = packet.network + at;
      if (!isExtensionHeader(protocol) || (protocol === IPV6_EXTENSION.HOP_BY_HOP && headers > 1))
        return this.#arrived(packet, protocol, wasFragment);
      if (headers > IPV6_LIMITS.headers) return this.#drop(packet, 'ipv6.extension-limit');
      const lenBytes = this.#atHand(packet, protocol, at);
      if (lenBytes === 0) return null;
      if (protocol === IPV6_EXTENSION.FRAGMENT) {
        const whole = this.#fragments.input(packet, nextHeaderAt, at);
        if (whole === null) return null;
        // The fragment header is taken out: what followed it stands in its place now.
        packet = whole;
        wasFragment = true;
        at = this.#fragments.at;
        nextHeaderAt = this.#fragments.nextHeaderAt;
        continue;
      }
      if (!this.#process(packet, protocol, packet.network + at, lenBytes)) return null;
      nextHeaderAt = at;
      at += lenBytes;
    }
  }

  #arrived(skb: Skb, protocol: number, wasFragment: boolean): Skb | null {
    if (protocol === IPV6_NO_NEXT_HEADER) return this.#drop(skb, 'ipv6.no-next-header');
    if (!wasFragment || protocol !== IP_PROTOCOL.ICMPV6) return skb;
    const isThere = gather(skb, skb.transport - skb.network + 1);
    if (!isThere || isNdType(icmpType(skb.memory.view, skb.transport)))
      return this.#drop(skb, isThere ? 'nd.fragment' : 'icmpv6.truncated');
    return skb;
  }

  /** False: the packet was dropped. @param offset of the header, absolute. */
  #process(skb: Skb, protocol: number, offset: number, lenBytes: number): boolean {
    if (protocol === IPV6_EXTENSION.DESTINATION_OPTIONS) return this.#options(skb, offset, lenBytes);
    // Hop-by-hop options were processed when the packet came.
    if (protocol === IPV6_EXTENSION.HOP_BY_HOP || ipv6SegmentsLeft(skb.memory.view, offset) === 0) return true;
    // DEVIATION: no type of routing header is followed (Linux: 2, 3 and 4 where switched on).
    this.#errors.problem(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, offset + 2, false);
    this.#drop(skb, 'ipv6.routing-type');
    return false;
  }

  /** RFC 8200 §4.2. Padding and router alerts say nothing; of what is not known, its type says what to do. */
  #options(skb: Skb, offset: number, lenBytes: number): boolean {
    const { view } = skb.memory;
    const fault = ipv6OptionsFault(view, offset, lenBytes, IPV6_LIMITS);
    if (fault !== null) {
      this.#drop(skb, fault);
      return false;
    }
    const end = offset + lenBytes;
    for (let at = offset + 2; at < end; at += ipv6OptionBytes(view, at, end)) {
      const type = view.getUint8(at);
      const action = ipv6OptionAction(type);
      if (type <= IPV6_OPTION.PADN || action === IPV6_OPTION_ACTION.SKIP) continue;
      this.#refuseOption(skb, action, at);
      return false;
    }
    return true;
  }

  #refuseOption(skb: Skb, action: number, at: number): void {
    const toGroup = isMulticast(ipv6Dst(skb.memory.view, skb.network, 0));
    if (action === IPV6_OPTION_ACTION.DISCARD_AND_REPORT || (action === IPV6_OPTION_ACTION.DISCARD_AND_REPORT_UNICAST && !toGroup)) {
      this.#errors.problem(skb, ICMPV6_PARAMETER_PROBLEM.OPTION, at, action === IPV6_OPTION_ACTION.DISCARD_AND_REPORT);
    }
    this.#drop(skb, 'ipv6.option-action');
  }

  /** Sees to it that all of a header lies in the head. Returns its bytes; 0: it is cut off, or memory is out, and the packet was dropped. */
  #atHand(skb: Skb, protocol: number, at: number): number {
    if (gather(skb, at + 8)) {
      const { view } = skb.memory;
      const offset = skb.network + at;
      const endOffset = skb.network + skb.len;
      const lenBytes = extensionHeaderBytes(view, protocol, offset, endOffset);
      if (lenBytes > 0 && gather(skb, at + lenBytes)) return lenBytes;
    }
    this.#drop(skb, 'ipv6.extension-truncated');
    return 0;
  }

  #drop(skb: Skb, name: Ipv6Reason): null {
    skb.memory.pool.drop(skb, this.#reasons[name]);
    return null;
  }
}
