import type { Skb } from '@softnet/contract';
import { CHECKSUM, IP_PROTOCOL } from '@softnet/contract';
import type { Reassembly } from '@softnet/inet';
import { gather, pull, push } from '@softnet/skb';
import {
  extensionNextHeader,
  hasIpv6MoreFragments,
  ICMPV6_PARAMETER_PROBLEM,
  IPV6_EXTENSION,
  IPV6_FRAGMENT_BYTES,
  IPV6_HEADER_BYTES,
  Ipv6HeaderChain,
  ipv6FragmentId,
  ipv6FragmentOffsetBytes,
  ipv6TrafficClass,
  isExtensionHeader,
  setIpv6PayloadBytes,
} from '@softnet/wire';
import type { Ipv6Counters } from './counters.ts';
import type { HeaderLimits } from './header-limits.ts';
import { walkHeaders } from './header-walk.ts';
import type { IcmpErrors } from './icmp-errors.ts';
import type { Ipv6Reason, Ipv6Reasons } from './reasons.ts';
import type { Surroundings } from './surroundings.ts';

const MAX_PAYLOAD_BYTES = 65535;
/** Of a first fragment, headers are looked for so far. */
const CHAIN_BYTES = 2048;
const CUT_OFF = 'ipv6.extension-truncated';
/** Where the payload length stands. */
const PAYLOAD_LENGTH_AT = 4;

/** Fragments that were received (RFC 8200 §4.5), and what is put together of them. */
export class Ipv6Fragments {
  /** Of the datagram that {@link input} answered: where its next header begins, and stands, from `network` on. */
  at = 0;
  nextHeaderAt = 0;
  readonly #reasons: Ipv6Reasons;
  readonly #errors: IcmpErrors;
  readonly #reassembly: Reassembly;
  readonly #limits: HeaderLimits;
  readonly #counters: Ipv6Counters;
  readonly #chain = new Ipv6HeaderChain();

  constructor({ reasons, settings, counters }: Surroundings, errors: IcmpErrors, reassembly: Reassembly) {
    this.#counters = counters;
    this.#limits = settings.limits;
    this.#reasons = reasons;
    this.#errors = errors;
    this.#reassembly = reassembly;
  }

  /**
   * Takes a packet with `data` = `network` and a fragment header at `at` from there. Answers the whole packet, `data` = `network`,
   * without its fragment header. Null: others are still to come, or it was dropped.
   */
  input(skb: Skb, nextHeaderAt: number, at: number): Skb | null {
    const { view } = skb.memory;
    const offset = skb.network + at;
    const offsetBytes = ipv6FragmentOffsetBytes(view, offset);
    const more = hasIpv6MoreFragments(view, offset);
    // What no other header may stand before, a fragment header may not either (RFC 8200 §4.1).
    if (offsetBytes === 0 && extensionNextHeader(view, offset) === IPV6_EXTENSION.HOP_BY_HOP) {
      return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.NEXT_HEADER, at, 'ipv6.hop-by-hop-late');
    }
    // A packet within one fragment: whole by itself, whatever else waits under its identification (RFC 6946).
    if (offsetBytes === 0 && !more) return this.#strip(skb, nextHeaderAt, at);
    const lenBytes = skb.len - at - IPV6_FRAGMENT_BYTES;
    if (lenBytes === 0 || (more && (lenBytes & 7) !== 0)) {
      return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, PAYLOAD_LENGTH_AT, 'ipv6.fragment-length');
    }
    if (at - IPV6_HEADER_BYTES + offsetBytes + lenBytes > MAX_PAYLOAD_BYTES) {
      return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.FIELD, at + 2, 'ipv6.fragment-too-big');
    }
    if (offsetBytes === 0 && !this.#isChainWhole(skb)) {
      return this.#refuse(skb, ICMPV6_PARAMETER_PROBLEM.INCOMPLETE_CHAIN, 0, 'ipv6.fragment-chain');
    }
    const { dst } = skb;
    const id = ipv6FragmentId(view, offset);
    const ecn = ipv6TrafficClass(view, skb.network) & 3;
    pull(skb, at + IPV6_FRAGMENT_BYTES);
    const whole = this.#reassembly.input(skb, offsetBytes, more, id, 0, ecn);
    if (whole === null) return null;
    whole.dst = dst;
    const { congested } = this.#reassembly;
    const rebuilt = this.#rebuild(whole);
    if (rebuilt === null) return null;
    this.#counters.reasmOks.value++;
    if (congested) markCongestion(rebuilt);
    return rebuilt;
  }

  /** The datagram has the header of its first fragment, which need not look like that of the last to come. */
  #rebuild(whole: Skb): Skb | null {
    // Its first fragment may be shown by others, too: one that came twice, from a device that duplicates by cloning.
    if (!whole.memory.pool.makeRoom(whole, whole.data - whole.network, 0)) return this.#drop(whole, 'ipv6.no-memory');
    const at = whole.data - whole.network - IPV6_FRAGMENT_BYTES;
    let nextHeaderAt = 6;
    for (let next = IPV6_HEADER_BYTES; next < at; ) {
      const protocol = whole.memory.view.getUint8(whole.network + nextHeaderAt);
      nextHeaderAt = next;
      next += isExtensionHeader(protocol) ? (whole.memory.view.getUint8(whole.network + next + 1) + 1) << 3 : at;
    }
    push(whole, at + IPV6_FRAGMENT_BYTES);
    if (whole.len - IPV6_FRAGMENT_BYTES - IPV6_HEADER_BYTES > MAX_PAYLOAD_BYTES) return this.#drop(whole, 'ipv6.fragment-too-big');
    return this.#strip(whole, nextHeaderAt, at);
  }

  /** Takes the fragment header out: what stands before it moves up to what stands behind. */
  #strip(skb: Skb, nextHeaderAt: number, at: number): Skb | null {
    if (!skb.memory.pool.makeRoom(skb, 0, 0)) return this.#drop(skb, 'ipv6.no-memory');
    const { bytes, view } = skb.memory;
    const { network } = skb;
    const nextHeader = extensionNextHeader(view, network + at);
    bytes.copyWithin(network + IPV6_FRAGMENT_BYTES, network, network + at);
    skb.network = pull(skb, IPV6_FRAGMENT_BYTES);
    // The link header is not moved along: nobody looks at it behind here.
    skb.mac = -1;
    view.setUint8(skb.network + nextHeaderAt, nextHeader);
    setIpv6PayloadBytes(view, skb.network, skb.len - IPV6_HEADER_BYTES);
    if (skb.checksum === CHECKSUM.COMPLETE) skb.checksum = CHECKSUM.NONE;
    this.at = at;
    this.nextHeaderAt = nextHeaderAt;
    return skb;
  }

  /** RFC 7112 §5: all headers of a packet are in its first fragment, the upper layer's too, so that filters can see them. */
  #isChainWhole(skb: Skb): boolean {
    const chain = this.#chain;
    let fault = walkHeaders(skb, this.#limits, chain);
    if (fault === CUT_OFF && skb.fragments !== null && gather(skb, Math.min(skb.len, CHAIN_BYTES))) {
      fault = walkHeaders(skb, this.#limits, chain);
    }
    // Of headers that are there and wrong, their own walk says so.
    if (fault !== null) return fault !== CUT_OFF;
    return skb.network + skb.len - chain.end >= upperHeaderBytes(chain.protocol);
  }

  /** @param at of what is wrong, from `network` on. */
  #refuse(skb: Skb, code: number, at: number, name: Ipv6Reason): null {
    this.#errors.problem(skb, code, skb.network + at, false);
    return this.#drop(skb, name);
  }

  #drop(skb: Skb, name: Ipv6Reason): null {
    skb.memory.pool.drop(skb, this.#reasons[name]);
    return null;
  }
}

/** Without options. */
function upperHeaderBytes(protocol: number): number {
  switch (protocol) {
    case IP_PROTOCOL.TCP:
      return 20;
    case IP_PROTOCOL.UDP:
    case IP_PROTOCOL.UDPLITE:
    case IP_PROTOCOL.ICMPV6:
      return 8;
    case IP_PROTOCOL.DCCP:
      return 12;
    default:
      return 1;
  }
}

/** Congestion experienced (RFC 3168 §5.3): a router said so of one of its fragments. */
function markCongestion({ memory: { view }, network }: Skb): void {
  view.setUint8(network + 1, view.getUint8(network + 1) | 0x30);
}
