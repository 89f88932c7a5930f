import type { Dst, Message, NetworkLayer, PacketOptions, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_TYPE, ERRNO, Flow, isFresh, SOCK_FLAG } from '@softnet/contract';
import { groupInterface } from '../multicast/socket-groups.ts';
import type { DatagramEnds } from './datagram-ends.ts';
import type { DatagramHost } from './datagram-host.ts';
import { errnoOf, layerOf } from './datagram-host.ts';
import type { DatagramProtocol } from './datagram-protocol.ts';
import { isConnected } from './datagram-state.ts';
import { aimAtAddress, aimAtPeer, aimByOptions, beginFlow, isIpv4, isUnspecified, pathFamily, scopeOf, sourceFits } from './destination.ts';
import { SentControl } from './sent-control.ts';

/** Where a message goes, from where, and by what: as its address, its control messages, and its socket say, in this order. Kept, and filled anew by each. */
export class DatagramWay {
  readonly flow: Flow = new Flow();
  layer: NetworkLayer | null = null;
  /** What its control messages say; null: nothing. */
  packet: PacketOptions | null = null;
  readonly #host: DatagramHost;
  readonly #protocol: DatagramProtocol;
  readonly #ends: DatagramEnds;
  readonly #control: SentControl;

  constructor(host: DatagramHost, protocol: DatagramProtocol, ends: DatagramEnds) {
    this.#host = host;
    this.#protocol = protocol;
    this.#ends = ends;
    this.#control = new SentControl(host);
  }

  /** Both ends of the packet into the flow, and its dst; or -errno. */
  find(sock: SockCommon, message: Message): Dst | number {
    const family = message.hasAddress ? this.#familyTo(sock, message) : this.#familyOfPeer(sock);
    if (family < 0) return family;
    this.packet = null;
    if (message.control !== null) {
      const said = this.#control.read(sock, message.control, family);
      if (said < 0) return said;
      this.packet = this.#control.packet;
    }
    return message.hasAddress ? this.#wayToAddress(sock, message, family) : this.#wayToPeer(sock);
  }

  /** Its own, or the one that a dual-stack socket's other packets go by. */
  layerFor({ layer }: SockCommon, family: number): NetworkLayer | null {
    return layer !== null && layer.family === family ? layer : layerOf(this.#host.layers, family);
  }

  #familyOfPeer(sock: SockCommon): number {
    if (!isConnected(sock)) return -ERRNO.EDESTADDRREQ;
    if (this.#protocol.peerPorts && sock.remotePort === 0) return -ERRNO.EINVAL;
    return sock.layer!.family;
  }

  #familyTo(sock: SockCommon, { address }: Message): number {
    const family = pathFamily(sock, address);
    if (family < 0) return family;
    if (this.#protocol.peerPorts && address.port === 0) return -ERRNO.EINVAL;
    if (this.#protocol.number(family, sock.protocol) !== sock.protocol) return -ERRNO.EAFNOSUPPORT;
    return sourceFits(sock, family) ? family : -ERRNO.EINVAL;
  }

  #wayToPeer(sock: SockCommon): Dst | number {
    const flow = this.flow;
    beginFlow(flow, sock, sock.layer!.family, sock.ifindex);
    aimAtPeer(flow, sock);
    this.layer = sock.layer;
    if (this.packet !== null && goesItsOwnWay(this.packet)) return this.#wayOfItsOwn(sock, this.packet);
    aimByOptions(flow, sock);
    flow.hash = sock.hash;
    if (this.packet !== null && this.packet.flowLabel >= 0) flow.label = this.packet.flowLabel;
    const use = sock.dst!;
    if (use.holdNext !== null && isFresh(use)) return use.dst!;
    try {
      const dst = this.#ends.routeAgain(sock, flow);
      this.layer = sock.layer;
      return dst;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** Also of a connected socket, as in Linux (POSIX would have EISCONN). */
  #wayToAddress(sock: SockCommon, { address }: Message, family: number): Dst | number {
    const own = this.packet === null ? 0 : this.packet.ifindex;
    const oif = scopeOf(sock.ifindex || own, address, family, groupInterface(sock));
    if (oif < 0) return oif;
    if (sock.dst !== null && sock.dst.holdNext === null && !isConnected(sock)) this.#ends.holdAgain(sock);
    this.layer = this.layerFor(sock, family);
    if (this.layer === null) return -ERRNO.ENETUNREACH;
    const flow = this.flow;
    beginFlow(flow, sock, family, oif);
    aimAtAddress(flow, address, family, this.#protocol.peerPorts);
    if (this.packet !== null) return this.#wayOfItsOwn(sock, this.packet);
    aimByOptions(flow, sock);
    return this.#host.route.current.lookup(flow);
  }

  /** Source, interface, mark and label that the packet's own control messages name. -EINVAL, -ENETUNREACH: the source is not to be had. */
  #wayOfItsOwn(sock: SockCommon, packet: PacketOptions): Dst | number {
    const flow = this.flow;
    const { source0, source1, source2, source3, ifindex } = packet;
    if (ifindex !== 0) {
      // As in Linux: over IPv4 it counts for more than the socket's, over IPv6 it must not be another.
      if (flow.family === ADDRESS_FAMILY.INET6 && flow.oif !== 0 && flow.oif !== ifindex) return -ERRNO.EINVAL;
      flow.oif = ifindex;
    }
    if (!isUnspecified(source0, source1, source2, source3)) {
      if (isIpv4(source0, source1, source2) !== (flow.family === ADDRESS_FAMILY.INET)) return -ERRNO.EINVAL;
      const type = this.layer!.addressType(source0, source1, source2, source3, flow.family === ADDRESS_FAMILY.INET ? 0 : ifindex);
      const isTaken = type === ADDRESS_TYPE.LOCAL || (sock.flags & SOCK_FLAG.FREEBIND) !== 0;
      // Linux has a word for each.
      if (!isTaken) return flow.family === ADDRESS_FAMILY.INET ? -ERRNO.ENETUNREACH : -ERRNO.EINVAL;
      flow.src0 = source0;
      flow.src1 = source1;
      flow.src2 = source2;
      flow.src3 = source3;
    }
    if (packet.hasMark) flow.mark = packet.mark;
    if (packet.flowLabel >= 0) flow.label = packet.flowLabel;
    aimByOptions(flow, sock);
    return this.#host.route.current.lookup(flow);
  }
}

/** It cannot go the way of its socket's others. */
function goesItsOwnWay({ ifindex, hasMark, source0, source1, source2, source3 }: PacketOptions): boolean {
  return ifindex !== 0 || hasMark || (source0 | source1 | source2 | source3) !== 0;
}
