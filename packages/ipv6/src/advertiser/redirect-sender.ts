import type { AddressWords, Clock, Dst, NetDevice, Skb } from '@softnet/contract';
import { ADDRESS_FAMILY, Flow, IP_PROTOCOL, ROUTE_TYPE } from '@softnet/contract';
import { mixHash, PeerLimit } from '@softnet/inet';
import { SkbReader } from '@softnet/skb';
import { IPV6_DST, IPV6_SRC, readAddress } from '@softnet/wire';
import { isLinkLocal, isMulticast, isSame } from '../machine/address-kind.ts';
import { beginIcmpFlow } from '../machine/flow-of.ts';
import { IPV6_MIN_MTU } from '../machine/link-values.ts';
import type { Link, Links, Surroundings } from '../machine/surroundings.ts';
import type { NdSender } from '../router/nd-sender.ts';
import { linkLocalOf } from '../router/nd-sender.ts';
import { emitRedirect } from '../wire/redirect-value.ts';

/** To one host, after the first few (RFC 4861 §8.2, Linux's `ndisc_send_redirect`). */
const INTERVAL_MS = 1000;
/** IPv6, ICMPv6, both addresses, the option of a link address of up to 14 bytes, the header of the one with the packet. */
const BEFORE_QUOTE_BYTES = 40 + 8 + 32 + 16 + 8;

export interface RedirectSenderHost {
  readonly around: Surroundings;
  readonly links: Links;
  readonly sender: NdSender;
  readonly clock: Clock;
  /** 32 random bits. */
  readonly secret: number;
}

/** Tells hosts of a shorter way (RFC 4861 §8.2). Their packet is passed on all the same. */
export class RedirectSender {
  readonly #host: RedirectSenderHost;
  readonly #limit: PeerLimit;
  readonly #flow = new Flow();
  readonly #reader = new SkbReader();

  constructor(host: RedirectSenderHost) {
    this.#host = host;
    this.#limit = new PeerLimit(host.clock, host.secret);
  }

  /** A packet that leaves by the device that brought it, as it came. Does not take it. */
  consider(skb: Skb, dst: Dst): void {
    const link = this.#host.links.of(skb.ifindex);
    if (link === null || dst.child !== null || dst.type !== ROUTE_TYPE.UNICAST) return;
    const { view } = skb.memory;
    const source = readAddress(view, skb.network + IPV6_SRC, ADDRESS_FAMILY.INET6);
    const destination = readAddress(view, skb.network + IPV6_DST, ADDRESS_FAMILY.INET6);
    const target = targetOf(dst, destination);
    const from = linkLocalOf(link);
    if (target === null || from === null || isMulticast(destination[0]) || !this.#isNeighbour(source, link.device)) return;
    if (!this.#limit.take(this.#peerOf(source), INTERVAL_MS)) return;
    const message = { target, destination, linkAddress: this.#linkAddressOf(target, link), packet: this.#quote(skb) };
    this.#host.sender.send(link, from.address, source, emitRedirect(message));
  }

  /** The host is on the link. */
  #isNeighbour([word0, word1, word2, word3]: AddressWords, device: NetDevice): boolean {
    const { route, current } = this.#host.around;
    const flow = this.#flow;
    beginIcmpFlow(flow, IP_PROTOCOL.ICMPV6, 0, 0);
    flow.dst0 = word0;
    flow.dst1 = word1;
    flow.dst2 = word2;
    flow.dst3 = word3;
    const caller = current.id;
    current.id = route.owner;
    const dst = route.current.lookup(flow);
    current.id = caller;
    return dst.error === 0 && dst.type === ROUTE_TYPE.UNICAST && dst.gatewayFamily === 0 && dst.device === device;
  }

  /** Null: not known here, or none is needed. */
  #linkAddressOf(target: AddressWords, { device }: Link): Uint8Array | null {
    const { neighbours, current } = this.#host.around;
    const caller = current.id;
    current.id = neighbours.owner;
    const neighbour = neighbours.current.find(device, ADDRESS_FAMILY.INET6, ...target);
    current.id = caller;
    if (neighbour === null || device.addressLen === 0) return null;
    const known = neighbour.linkAddress.slice(0, device.addressLen);
    return known.some((byte) => byte !== 0) ? known : null;
  }

  /** As much of it as the message has room for (RFC 4861 §4.6.3). */
  #quote(skb: Skb): Uint8Array {
    const most = IPV6_MIN_MTU - BEFORE_QUOTE_BYTES;
    const reader = this.#reader;
    const packet = new Uint8Array(Math.min(skb.len, most));
    if (reader.open(skb, 0, packet.length)) reader.copyOut(packet);
    return packet;
  }

  #peerOf([word0, word1, word2, word3]: AddressWords): number {
    return mixHash(mixHash(mixHash(mixHash(this.#host.secret | 0, word0), word1), word2), word3);
  }
}

/** Hosts know routers by their link-local addresses; null: that of this one is not known (RFC 4861 §8.2). */
function targetOf(dst: Dst, destination: AddressWords): AddressWords | null {
  if (dst.gatewayFamily === 0) return destination;
  const gateway: AddressWords = [dst.gateway0, dst.gateway1, dst.gateway2, dst.gateway3];
  if (dst.gatewayFamily !== ADDRESS_FAMILY.INET6) return null;
  return isLinkLocal(gateway[0]) || isSame(gateway, ...destination) ? gateway : null;
}
