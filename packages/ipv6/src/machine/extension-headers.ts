import type { Skb } from '@softnet/contract';
import { IP_PROTOCOL } from '@softnet/contract';
import { gather } from '@softnet/skb';
import {
  extensionHeaderBytes,
  ICMPV6_PARAMETER_PROBLEM,
  IPV6_EXTENSION,
  IPV6_HEADER_BYTES,
  IPV6_NEXT_HEADER,
  IPV6_NO_NEXT_HEADER,
  IPV6_OPTION,
  IPV6_OPTION_ACTION,
  IPV6_OPTION_SCAN,
  icmpType,
  ipv6Dst,
  ipv6OptionAction,
  ipv6OptionBytes,
  ipv6PayloadBytes,
  ipv6SegmentsLeft,
  isExtensionHeader,
  scanIpv6Options,
} from '@softnet/wire';
import { isNdType } from '../wire/neighbour-message.ts';
import { isMulticast } from './address-kind.ts';
import type { Ipv6Fragments } from './fragments.ts';
import type { HeaderLimits, OptionLimits } from './header-limits.ts';
import type { IcmpErrors } from './icmp-errors.ts';
import type { Ipv6Reason, Ipv6Reasons } from './reasons.ts';

const PAYLOAD_LENGTH_AT = 4;
const MAX_PAYLOAD_BYTES = 65535;

/** Processes the extension headers of received packets, in their order (RFC 8200 §4). Packets have `data` = `network`. */
export class ExtensionHeaders {
  readonly #reasons: Ipv6Reasons;
  readonly #errors: IcmpErrors;
  readonly #fragments: Ipv6Fragments;
  readonly #limits: HeaderLimits;

  constructor(reasons: Ipv6Reasons, errors: IcmpErrors, fragments: Ipv6Fragments, limits: HeaderLimits) {
    this.#limits = limits;
    this.#reasons = reasons;
    this.#errors = errors;
    this.#fragments = fragments;
  }

  /** The one that every host on the way processes (RFC 8200 §4.3). False: the packet was dropped. */
  hopByHop(skb: Skb): boolean {
    const lenBytes = this.#atHand(skb, IPV6_EXTENSION.HOP_BY_HOP, IPV6_HEADER_BYTES);
    if (lenBytes === 0 || !this.#options(skb, skb.network + IPV6_HEADER_BYTES, lenBytes, this.#limits.hopByHop, true)) return false;
    if (ipv6PayloadBytes(skb.memory.view, skb.network) !== 0) return true;
    // A jumbogram without its option (RFC 2675 §3).
    return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, skb.network + PAYLOAD_LENGTH_AT, 'ipv6.payload-length');
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
      if (!isExtensionHeader(protocol)) return this.#arrived(packet, protocol, wasFragment);
      if (!this.#isInPlace(packet, protocol, headers, nextHeaderAt, at)) return null;
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

  /** Hop-by-hop options stand first, or nowhere (RFC 8200 §4.1); others in any order, and so many. False: the packet was dropped. */
  #isInPlace(skb: Skb, protocol: number, headers: number, nextHeaderAt: number, at: number): boolean {
    const { network } = skb;
    if (protocol === IPV6_EXTENSION.HOP_BY_HOP && headers > 1) {
      return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.NEXT_HEADER, network + nextHeaderAt, 'ipv6.hop-by-hop-late');
    }
    if (headers <= this.#limits.headers) return true;
    return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.TOO_MANY_HEADERS, network + at, 'ipv6.extension-limit');
  }

  /** False: the packet was dropped. @param offset of the header, absolute. */
  #process(skb: Skb, protocol: number, offset: number, lenBytes: number): boolean {
    if (protocol === IPV6_EXTENSION.DESTINATION_OPTIONS) {
      return this.#options(skb, offset, lenBytes, this.#limits.destinationOptions, false);
    }
    // Hop-by-hop options were processed when the packet came.
    if (protocol === IPV6_EXTENSION.HOP_BY_HOP || ipv6SegmentsLeft(skb.memory.view, offset) === 0) return true;
    // DEVIATION: no type of routing header is followed (Linux: 2, 3 and 4 where switched on).
    return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, offset + 2, 'ipv6.routing-type');
  }

  /** In their order (RFC 8200 §4.2). Padding says nothing; of what is not known, its type says what to do. */
  #options(skb: Skb, offset: number, lenBytes: number, limits: OptionLimits, everyHop: boolean): boolean {
    const { view } = skb.memory;
    const fault = scanIpv6Options(view, offset, lenBytes, limits);
    // What stands before a fault counts first.
    const end = offset + (fault === 0 ? lenBytes : fault >> 3);
    for (let at = offset + 2; at < end; at += ipv6OptionBytes(view, at, end)) {
      const type = view.getUint8(at);
      if (type <= IPV6_OPTION.PADN) continue;
      if (everyHop && (type === IPV6_OPTION.ROUTER_ALERT || type === IPV6_OPTION.JUMBO)) {
        if (!this.#everyHop(skb, type, at)) return false;
      } else if (type === IPV6_OPTION.TUNNEL_ENCAPSULATION_LIMIT && !everyHop) {
        // Of who would wrap the packet again, not of who has it (RFC 2473 §4.1.1).
      } else if (limits.knownOnly) {
        this.#drop(skb, 'ipv6.option-limit');
        return false;
      } else if (ipv6OptionAction(type) !== IPV6_OPTION_ACTION.SKIP) {
        this.#refuseOption(skb, ipv6OptionAction(type), at);
        return false;
      }
    }
    return fault === 0 || this.#refuseOptions(skb, offset, lenBytes, fault);
  }

  /** Options of the hop-by-hop header that are known here. False: the packet was dropped. */
  #everyHop(skb: Skb, type: number, at: number): boolean {
    const { view } = skb.memory;
    const dataBytes = view.getUint8(at + 1);
    const isAlert = type === IPV6_OPTION.ROUTER_ALERT;
    // A router alert says that the packet is worth a look (RFC 2711 §2.1): who listens is a multicast router.
    if (isAlert && dataBytes === 2) return true;
    if (isAlert || dataBytes !== 4) return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, at + 1, 'ipv6.option-value');
    if (((at - skb.network) & 3) !== 2) return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, at, 'ipv6.option-value');
    // RFC 2675 §3. What it says right is a jumbogram, which no link here carries: as if the option were not known (§1).
    const isShort = view.getUint32(at + 2) <= MAX_PAYLOAD_BYTES;
    if (isShort) return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, at + 2, 'ipv6.jumbo');
    const isOrdinary = ipv6PayloadBytes(view, skb.network) !== 0;
    return this.#refuse(skb, isOrdinary ? ICMPV6_PARAMETER_PROBLEM.FIELD : ICMPV6_PARAMETER_PROBLEM.OPTION, at, 'ipv6.jumbo');
  }

  /** Limits are told (RFC 8883 §3), and lengths that cannot be (RFC 4443 §3.4). @param fault as `scanIpv6Options` says it. */
  #refuseOptions(skb: Skb, offset: number, lenBytes: number, fault: number): boolean {
    const at = offset + (fault >> 3);
    switch (fault & 7) {
      case IPV6_OPTION_SCAN.LIMIT: {
        const code = at === offset ? ICMPV6_PARAMETER_PROBLEM.HEADER_TOO_BIG : ICMPV6_PARAMETER_PROBLEM.TOO_MANY_OPTIONS;
        return this.#refuse(skb, code, at, 'ipv6.option-limit');
      }
      case IPV6_OPTION_SCAN.PADDING_LONG:
        return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.OPTION_TOO_BIG, at, 'ipv6.option-padding');
      case IPV6_OPTION_SCAN.CUT_OFF:
        return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, Math.min(at + 1, offset + lenBytes - 1), 'ipv6.option');
      default:
        this.#drop(skb, 'ipv6.option-padding');
        return false;
    }
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
    const { len } = skb;
    if (len >= at + 2 && gather(skb, Math.min(at + 8, len))) {
      const { network } = skb;
      const lenBytes = extensionHeaderBytes(skb.memory.view, protocol, network + at, network + len);
      if (lenBytes > 0 && gather(skb, at + lenBytes)) return lenBytes;
      // Its length is what cannot be (RFC 4443 §3.4); a fragment header has none.
      if (lenBytes === 0 && protocol !== IPV6_EXTENSION.FRAGMENT) {
        this.#errors.problem(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, network + at + 1, false);
      }
    }
    this.#drop(skb, 'ipv6.extension-truncated');
    return 0;
  }

  /** Drops it with a parameter problem. @param at of what is wrong, absolute. */
  #refuse(skb: Skb, code: number, at: number, name: Ipv6Reason): false {
    this.#errors.problem(skb, code, at, false);
    this.#drop(skb, name);
    return false;
  }

  #drop(skb: Skb, name: Ipv6Reason): null {
    skb.memory.pool.drop(skb, this.#reasons[name]);
    return null;
  }
}
