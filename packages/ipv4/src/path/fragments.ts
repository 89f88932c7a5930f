import type { ModuleContext, Skb } from '@softnet/contract';
import { IP_PROTOCOL } from '@softnet/contract';
import { Reassembly } from '@softnet/inet';
import { pull, push } from '@softnet/skb';
import {
  finishIpv4,
  hasIpv4MoreFragments,
  IPV4_HEADER_BYTES,
  ipv4Dst,
  ipv4FragmentOffsetBytes,
  ipv4HeaderBytes,
  ipv4Id,
  ipv4Protocol,
  ipv4Src,
  ipv4Tos,
  setIpv4FragmentField,
  setIpv4Tos,
  setIpv4TotalBytes,
} from '@softnet/wire';
import type { Ipv4Parts } from '../parts.ts';
import { drop } from '../parts.ts';

/** Datagrams of which parts wait; bytes bound them long before. */
const MAX_DATAGRAMS = 4096;
const MAX_PACKET_BYTES = 65535;
/** Congestion experienced (RFC 3168 §5). */
const CONGESTED = 3;
/** Of TCP's header, what says which connection and what is asked (RFC 1858 §3). */
const TCP_FLAGS_END = 16;

/** IPv4's fragments on the way in (RFC 791 §3.2, RFC 1122 §3.3.2). */
export class Fragments {
  readonly #parts: Ipv4Parts;
  readonly #table: Reassembly;

  /** @param expired told of the first fragment of a datagram whose time is over. Does not take it. */
  constructor(ctx: ModuleContext, parts: Ipv4Parts, expired: (first: Skb) => void) {
    const { settings, drops } = parts;
    this.#parts = parts;
    this.#table = new Reassembly(ctx, {
      readAddresses: (skb, key) => {
        key.local3 = ipv4Dst(skb.memory.view, skb.network);
        key.remote3 = ipv4Src(skb.memory.view, skb.network);
      },
      timeoutMs: () => settings.fragmentsSeconds.value * 1000,
      limitBytes: () => settings.fragmentsBytes.value,
      limitDatagrams: () => MAX_DATAGRAMS,
      limitPieces: () => settings.fragmentsPieces.value,
      limitDistance: () => settings.fragmentsDistance.value,
      maxBytes: MAX_PACKET_BYTES - IPV4_HEADER_BYTES,
      reasons: {
        overlap: drops['ipv4.fragment-overlap'],
        duplicate: drops['ipv4.fragment-duplicate'],
        tooBig: drops['ipv4.fragment-too-big'],
        timeout: drops['ipv4.fragment-timeout'],
        distance: drops['ipv4.fragment-distance'],
        ecn: drops['ipv4.fragment-ecn'],
        limit: drops['ipv4.fragment-limit'],
        malformed: drops['ipv4.fragment-malformed'],
      },
      expired,
    });
  }

  /** Memory (truesize) of what waits. */
  get bytes(): number {
    return this.#table.bytes;
  }

  /** Takes a fragment, `data` = `network`. The whole datagram likewise, or null. */
  input(skb: Skb): Skb | null {
    const { view } = skb.memory;
    const at = skb.network;
    const offsetBytes = ipv4FragmentOffsetBytes(view, at);
    const more = hasIpv4MoreFragments(view, at);
    const id = ipv4Id(view, at);
    const protocol = ipv4Protocol(view, at);
    const ecn = ipv4Tos(view, at) & 3;
    pull(skb, ipv4HeaderBytes(view, at));
    if (isTiny(protocol, offsetBytes, skb.len)) this.#parts.counters.tinyFragments.value++;
    const whole = this.#table.input(skb, offsetBytes, more, id, protocol, ecn);
    return whole === null ? null : this.#restore(whole);
  }

  close(): void {
    this.#table.close();
  }

  /** The header says what the packet is now. */
  #restore(whole: Skb): Skb | null {
    const { drops, counters } = this.#parts;
    const headerBytes = whole.data - whole.network;
    if (whole.len + headerBytes > MAX_PACKET_BYTES) {
      drop(whole, drops['ipv4.fragment-too-big']);
      return null;
    }
    if (!whole.memory.pool.makeRoom(whole, headerBytes, 0)) {
      drop(whole, drops['ipv4.no-memory']);
      return null;
    }
    push(whole, headerBytes);
    const { view } = whole.memory;
    if (this.#table.congested) setIpv4Tos(view, whole.network, ipv4Tos(view, whole.network) | CONGESTED);
    setIpv4TotalBytes(view, whole.network, whole.len);
    setIpv4FragmentField(view, whole.network, 0);
    finishIpv4(view, whole.network);
    counters.reasmOks.value++;
    return whole;
  }
}

/**
 * So cut that a filter does not see what TCP asks (RFC 1858 §3, RFC 3128). Counted, and no more: pieces that lie over one another
 * are dropped here anyway, a way of 68 bytes with all options cuts like this, and what passes through is a filter's matter.
 */
function isTiny(protocol: number, offsetBytes: number, lenBytes: number): boolean {
  return protocol === IP_PROTOCOL.TCP && (offsetBytes === 0 ? lenBytes < TCP_FLAGS_END : offsetBytes < TCP_FLAGS_END);
}
