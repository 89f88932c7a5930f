import type { DeferredHolds, Dst, NetworkLayer, SockAddress, SockCommon } from '@softnet/contract';
import { ADDRESS_FAMILY, ADDRESS_TYPE, DstUse, ERRNO, Flow, ROUTE_TYPE, SOCK_FLAG } from '@softnet/contract';
import { groupInterface } from '../multicast/socket-groups.ts';
import type { DatagramHost } from './datagram-host.ts';
import { errnoOf, layerOf, layerOfUse } from './datagram-host.ts';
import type { DatagramProtocol } from './datagram-protocol.ts';
import type { DatagramState } from './datagram-state.ts';
import { isConnected, stateOf } from './datagram-state.ts';
import { aimAtAddress, aimByOptions, beginFlow, isIpv4, isUnspecified, pathFamily, scopeOf, sourceFits } from './destination.ts';
import { clearRemote, clearSource, setLocal, setRemote } from './end-fields.ts';

const { EADDRNOTAVAIL, EAFNOSUPPORT, EALREADY, EBADF, EACCES, EINVAL, ENETUNREACH } = ERRNO;

/** Both ends of datagram sockets: bind, connect, disconnect, and what a socket holds for them. Each call does all or nothing. */
export class DatagramEnds {
  readonly #host: DatagramHost;
  readonly #protocol: DatagramProtocol;
  readonly #flow = new Flow();
  /** Sockets that are bound, and have put off their hold on their layer: how many of each. */
  readonly #bound = new Map<NetworkLayer, BoundSockets>();
  readonly #sockets: () => Iterable<SockCommon>;
  readonly #bindPlace: string;
  readonly #connectPlace: string;

  /** @param sockets all that there are. */
  constructor(host: DatagramHost, protocol: DatagramProtocol, sockets: () => Iterable<SockCommon>) {
    this.#host = host;
    this.#sockets = sockets;
    this.#protocol = protocol;
    this.#bindPlace = `${protocol.name}.bind`;
    this.#connectPlace = `${protocol.name}.connect`;
  }

  /** -EINVAL: it is bound; -EAFNOSUPPORT, -EADDRNOTAVAIL: not ours; -EADDRINUSE; -ESHUTDOWN: the layer leaves. */
  bind(sock: SockCommon, address: SockAddress): number {
    const state = stateOf(sock);
    if (state.closed) return -EBADF;
    if (state.changing) return -EALREADY;
    if (this.#protocol.portless === true ? isConnected(sock) : sock.localPort !== 0) return -EINVAL;
    state.changing = true;
    try {
      return this.#bind(sock, state, address);
    } finally {
      state.changing = false;
    }
  }

  /** AF_UNSPEC disconnects. Where it fails, the socket is as it was, connected or not. */
  connect(sock: SockCommon, address: SockAddress): number {
    const state = stateOf(sock);
    if (state.closed) return -EBADF;
    if (state.changing) return -EALREADY;
    state.changing = true;
    try {
      return address.family === ADDRESS_FAMILY.UNSPEC ? this.#disconnect(sock, state) : this.#connect(sock, state, address);
    } finally {
      state.changing = false;
    }
  }

  /** A port for a socket that sends before it is bound. 0, or -errno. */
  bindToAny(sock: SockCommon): number {
    const layer = layerOf(this.#host.layers, boundFamily(sock));
    return layer === null ? -EAFNOSUPPORT : this.#claim(sock, layer);
  }

  /** A bound socket's hold on its layer, when the last has ended. Where the layer leaves or is gone, it has none. */
  holdAgain(sock: SockCommon): void {
    const layer = layerOf(this.#host.layers, boundFamily(sock));
    if (layer !== null) this.#holdLayer(sock, layer);
  }

  /** Its layer leaves, and there is another: a socket that is bound, and has no route, is the other one's from now on. */
  followLayer(sock: SockCommon): void {
    const use = sock.dst;
    if (use === null || use.dst !== null || use.holdNext === null || sock.layer === null) return;
    const layer = layerOf(this.#host.layers, sock.layer.family);
    if (layer === null || !layer.uses.open || layer.uses === use.holdKind) return;
    if (this.#holdLayer(sock, layer) === 0) this.#giveUp(use);
  }

  /** The dst of a connected socket that is not fresh, or whose hold has ended. The flow's ends are set. @throws NetError ESHUTDOWN. */
  routeAgain(sock: SockCommon, flow: Flow): Dst {
    const { layers, route } = this.#host;
    let use = sock.dst!;
    let dst: Dst;
    if (use.holdNext !== null && use.dst !== null) dst = route.current.validate(use, flow);
    else {
      // Its layer was replaced: the hold is over, or is one without a route.
      this.#giveUp(use);
      use = new DstUse();
      sock.dst = use;
      dst = route.current.attach(use, flow, sock, this.#connectPlace);
    }
    sock.layer = layerOfUse(layers, use, flow.family) ?? sock.layer;
    return dst;
  }

  /** The hold that its layer's replacement has taken over. */
  moved(sock: SockCommon, use: DstUse): void {
    sock.dst = use;
    sock.layer = layerOfUse(this.#host.layers, use, sock.layer?.family ?? sock.family) ?? sock.layer;
  }

  /** Out of the flow table, and off route and layer. Idempotent. */
  leave(sock: SockCommon): void {
    this.#host.demux.current.remove(sock);
    this.#letGo(sock);
  }

  #bind(sock: SockCommon, state: DatagramState, address: SockAddress): number {
    const family = pathFamily(sock, address);
    if (family < 0) return family;
    const layer = layerOf(this.#host.layers, family);
    if (layer === null || this.#protocol.number(family, sock.protocol) !== sock.protocol) return -EAFNOSUPPORT;
    const { address0, address1, address2, address3 } = address;
    const any = isUnspecified(address0, address1, address2, address3);
    // DEVIATION: ::ffff:0.0.0.0 of an IPv6 socket, all of IPv4, is not to be had: an IPv4 socket is that.
    if (any && sock.family !== family) return -EINVAL;
    const ifindex = any ? sock.ifindex : scopeOf(sock.ifindex, address, family);
    if (ifindex < 0) return ifindex;
    const mayBeForeign = (sock.flags & SOCK_FLAG.FREEBIND) !== 0;
    const type = any ? ADDRESS_TYPE.LOCAL : layer.addressType(address0, address1, address2, address3, ifindex);
    if (!isBindable(type, mayBeForeign) || (this.#protocol.bindsToHosts === true && isMany(type))) return -EADDRNOTAVAIL;
    const before = sock.ifindex;
    sock.ifindex = ifindex;
    if (this.#protocol.portless === true) {
      setLocal(sock, any ? 0 : address0, any ? 0 : address1, any ? 0 : address2, any ? 0 : address3);
      state.addressBound = !any;
      return 0;
    }
    if (!any) setLocal(sock, address0, address1, address2, address3);
    sock.localPort = address.port;
    const isLater = address.port === 0 && !any && (sock.flags & SOCK_FLAG.BIND_NO_PORT) !== 0;
    const error = isLater ? 0 : this.#claim(sock, layer);
    if (error < 0) {
      setLocal(sock, 0, 0, 0, 0);
      sock.ifindex = before;
      return error;
    }
    state.addressBound = !any;
    if (address.port !== 0) sock.flags |= SOCK_FLAG.PORT_BOUND;
    return 0;
  }

  /** Its local end, as its fields say; the layer is held, for its packets come by it. */
  #claim(sock: SockCommon, layer: NetworkLayer): number {
    const error = this.#holdLayer(sock, layer);
    const claimed = error < 0 ? error : this.#host.ports.current.bind(sock);
    if (claimed < 0) {
      this.#letGo(sock);
      sock.localPort = 0;
      return claimed;
    }
    sock.flags |= SOCK_FLAG.LISTENING;
    this.#host.demux.current.insert(sock);
    return 0;
  }

  #connect(sock: SockCommon, state: DatagramState, address: SockAddress): number {
    const family = pathFamily(sock, address);
    if (family < 0) return family;
    const layer = layerOf(this.#host.layers, family);
    if (layer === null) return -ENETUNREACH;
    if (this.#protocol.number(family, sock.protocol) !== sock.protocol) return -EAFNOSUPPORT;
    const oif = scopeOf(sock.ifindex === state.peerScope ? 0 : sock.ifindex, address, family, groupInterface(sock));
    if (oif < 0) return oif;
    const flow = this.#flow;
    beginFlow(flow, sock, family, oif);
    if (!state.addressBound) clearSource(flow);
    else if (!sourceFits(sock, family)) return -EINVAL;
    aimAtAddress(flow, address, family, this.#protocol.peerPorts);
    aimByOptions(flow, sock);
    const use = new DstUse();
    const error = this.#attach(sock, use, flow);
    if (error < 0) return error;
    const taken = this.#takeEnds(sock, state, flow, oif);
    if (taken < 0) {
      this.#giveUp(use);
      return taken;
    }
    this.#letGo(sock);
    sock.dst = use;
    sock.layer = layerOfUse(this.#host.layers, use, family) ?? layer;
    return 0;
  }

  /** Looks up where the flow goes, and holds that. Gives it up again where it is no way. */
  #attach(sock: SockCommon, use: DstUse, flow: Flow): number {
    try {
      const dst = this.#host.route.current.attach(use, flow, sock, this.#connectPlace);
      const error = refusalOf(dst, flow, sock);
      if (error < 0) this.#giveUp(use);
      return error;
    } catch (error) {
      if (use.holdNext !== null) use.holdKind!.release(use);
      return errnoOf(error);
    }
  }

  /** The flow's ends are the socket's from now on. A port that it has, it keeps. */
  #takeEnds(sock: SockCommon, state: DatagramState, flow: Flow, oif: number): number {
    const { local0, local1, local2, local3, ifindex } = sock;
    const { demux, ports } = this.#host;
    if (!state.addressBound) setLocal(sock, flow.src0, flow.src1, flow.src2, flow.src3);
    setRemote(sock, flow);
    sock.ifindex = oif;
    if (sock.localPort !== 0) demux.current.insert(sock);
    else {
      const error = ports.current.connect(sock);
      if (error < 0) {
        setLocal(sock, local0, local1, local2, local3);
        clearRemote(sock);
        sock.ifindex = ifindex;
        return error;
      }
    }
    // `oif` is the socket's own interface, or that of its peer's scope.
    if (oif === 0) state.peerScope = 0;
    else if (oif !== ifindex) state.peerScope = oif;
    sock.flags &= ~SOCK_FLAG.LISTENING;
    return 0;
  }

  /** RFC 1122 says nothing of it; as in Linux the port goes where it was not asked for, and so does the address. */
  #disconnect(sock: SockCommon, state: DatagramState): number {
    if (!isConnected(sock)) return 0;
    const { demux } = this.#host;
    const stays = (sock.flags & SOCK_FLAG.PORT_BOUND) !== 0;
    if (!stays) demux.current.remove(sock);
    clearRemote(sock);
    if (!state.addressBound) setLocal(sock, 0, 0, 0, 0);
    if (sock.ifindex === state.peerScope) sock.ifindex = 0;
    state.peerScope = 0;
    this.#letGo(sock);
    if (!stays) {
      sock.localPort = 0;
      return 0;
    }
    sock.flags |= SOCK_FLAG.LISTENING;
    demux.current.insert(sock);
    this.holdAgain(sock);
    return 0;
  }

  /** Put off while the layer stays; refused to who came after its stage 1: then nothing is held. */
  #holdLayer(sock: SockCommon, layer: NetworkLayer): number {
    if (layer.uses.open && layer.uses.defer !== undefined) {
      this.#boundTo(layer).count++;
      sock.dst = null;
      sock.layer = layer;
      return 0;
    }
    return this.#take(sock, layer);
  }

  #boundTo(layer: NetworkLayer): BoundSockets {
    let bound = this.#bound.get(layer);
    if (bound === undefined) {
      bound = new BoundSockets(() => this.#takeAll(layer));
      this.#bound.set(layer, bound);
      layer.uses.defer!(bound);
    }
    return bound;
  }

  /** It matters who holds the layer: each takes the hold that it has put off. */
  #takeAll(layer: NetworkLayer): void {
    this.#bound.delete(layer);
    for (const sock of this.#sockets()) if (sock.dst === null && sock.layer === layer) this.#take(sock, layer);
  }

  #take(sock: SockCommon, layer: NetworkLayer): number {
    const use = new DstUse();
    try {
      layer.uses.derive(use, sock, this.#bindPlace);
    } catch (error) {
      return errnoOf(error);
    }
    sock.dst = use;
    sock.layer = layer;
    return 0;
  }

  /** What it has of its layer and its route. */
  #letGo(sock: SockCommon): void {
    const { dst, layer } = sock;
    sock.dst = null;
    sock.layer = null;
    if (dst !== null) this.#giveUp(dst);
    const bound = dst !== null || layer === null ? undefined : this.#bound.get(layer);
    if (bound === undefined || --bound.count > 0) return;
    this.#bound.delete(layer!);
    layer!.uses.recall!(bound);
  }

  #giveUp(use: DstUse | null): void {
    if (use === null) return;
    if (use.dst !== null) this.#host.route.current.detach(use);
    if (use.holdNext !== null) use.holdKind!.release(use);
  }
}

/** How many sockets of one layer have put off their holds on it. */
class BoundSockets implements DeferredHolds {
  count = 0;
  readonly take: () => void;

  constructor(take: () => void) {
    this.take = take;
  }
}

/** Why a packet of this flow may not go there: 0, or -errno. */
export function refusalOf(dst: Dst, flow: Flow, sock: SockCommon): number {
  if (dst.error !== 0) return -dst.error;
  const broadcast = dst.type === ROUTE_TYPE.BROADCAST;
  if (broadcast && (sock.flags & SOCK_FLAG.BROADCAST) === 0) return -EACCES;
  // Who has no address yet may ask all on the link for one (RFC 1122 §3.2.1.3 a).
  if (!broadcast && isUnspecified(flow.src0, flow.src1, flow.src2, flow.src3)) return -EADDRNOTAVAIL;
  return 0;
}

/** Of the layer that brings packets to its local end. */
function boundFamily(sock: SockCommon): number {
  return isIpv4(sock.local0, sock.local1, sock.local2) ? ADDRESS_FAMILY.INET : sock.family;
}

/** Of a group, or of all on a link. */
function isMany(type: number): boolean {
  return type === ADDRESS_TYPE.MULTICAST || type === ADDRESS_TYPE.BROADCAST;
}

function isBindable(type: number, mayBeForeign: boolean): boolean {
  if (mayBeForeign) return type !== ADDRESS_TYPE.INVALID;
  return type === ADDRESS_TYPE.LOCAL || isMany(type);
}
