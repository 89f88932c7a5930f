import type { Dst, SockAddress, SockCommon } from '@softnet/contract';
import { ADDRESS_TYPE, DstUse, ERRNO, Flow, ROUTE_TYPE, SOCK_FLAG } from '@softnet/contract';
import {
  aimAtAddress,
  aimByOptions,
  beginFlow,
  clearRemote,
  clearSource,
  errnoOf,
  isUnspecified,
  layerOf,
  layerOfUse,
  pathFamily,
  scopeOf,
  setLocal,
  setRemote,
  sourceFits,
} from '@softnet/inet';
import { extraOf } from '../machine/connection.ts';
import { connectionOf } from './connection-of.ts';
import type { TcpHost } from './tcp-host.ts';

const { EADDRNOTAVAIL, EAFNOSUPPORT, EINVAL, ENETUNREACH } = ERRNO;
const CONNECT_PLACE = 'tcp.connect';

/** Both ends of a stream: what bind and connect claim, and what a connection that is over gives back. Each call does all or nothing. */
export class StreamEnds {
  readonly #host: TcpHost;
  readonly #flow = new Flow();

  constructor(host: TcpHost) {
    this.#host = host;
  }

  /** -EINVAL: it is bound; -EAFNOSUPPORT, -EADDRNOTAVAIL: not ours; -EADDRINUSE. Nobody finds it yet. */
  bind(sock: SockCommon, address: SockAddress): number {
    if (sock.localPort !== 0 || hasBoundAddress(sock)) return -EINVAL;
    const family = pathFamily(sock, address);
    if (family < 0) return family;
    const layer = layerOf(this.#host.layers, family);
    if (layer === null) return -EAFNOSUPPORT;
    const { address0, address1, address2, address3 } = address;
    const any = isUnspecified(address0, address1, address2, address3);
    // DEVIATION: ::ffff:0.0.0.0 of an IPv6 socket, all of IPv4, is not to be had: an IPv4 socket is that.
    if (any && sock.family !== family) return -EINVAL;
    const ifindex = any ? sock.ifindex : scopeOf(sock.ifindex, address, family);
    if (ifindex < 0) return ifindex;
    const isForeign = !any && layer.addressType(address0, address1, address2, address3, ifindex) !== ADDRESS_TYPE.LOCAL;
    if (isForeign && (sock.flags & SOCK_FLAG.FREEBIND) === 0) return -EADDRNOTAVAIL;
    return this.#claim(sock, address, any, ifindex);
  }

  /** Linux's `inet_autobind`: a port for who listens without one. */
  bindToAny(sock: SockCommon): number {
    return sock.localPort !== 0 ? 0 : this.#host.ports.current.bind(sock);
  }

  /**
   * A route to there, and the flow: the socket has both ends, and packets find it. -ENETUNREACH and what else the route says, -EADDRNOTAVAIL: no source, no port, or another has the
   * flow; -EADDRINUSE; -ESHUTDOWN: its layer leaves. Where it fails the socket is as it was.
   */
  connect(sock: SockCommon, address: SockAddress): number {
    const family = pathFamily(sock, address);
    if (family < 0) return family;
    const layer = layerOf(this.#host.layers, family);
    if (layer === null) return -ENETUNREACH;
    const oif = scopeOf(sock.ifindex, address, family);
    if (oif < 0) return oif;
    const flow = this.#flow;
    beginFlow(flow, sock, family, oif);
    const isBound = hasBoundAddress(sock);
    if (!isBound) clearSource(flow);
    else if (!sourceFits(sock, family)) return -EINVAL;
    aimAtAddress(flow, address, family, true);
    aimByOptions(flow, sock);
    const use = new DstUse();
    const error = this.attach(sock, use, flow, CONNECT_PLACE);
    if (error < 0) return error;
    const taken = this.#takeEnds(sock, flow, oif, isBound);
    if (taken < 0) {
      this.giveUp(use);
      return taken;
    }
    this.giveUp(sock.dst);
    sock.dst = use;
    sock.layer = layerOfUse(this.#host.layers, use, family) ?? layer;
    return 0;
  }

  /** Looks up where the flow goes, and holds that for the socket. 0, or -errno: then nothing is held. */
  attach(sock: SockCommon, use: DstUse, flow: Flow, place: string): number {
    const { route, current } = this.#host;
    const caller = current.id;
    current.id = route.owner;
    try {
      const error = refusalOf(route.current.attach(use, flow, sock, place), flow);
      if (error < 0) this.giveUp(use);
      return error;
    } catch (error) {
      if (use.holdNext !== null) use.holdKind!.release(use);
      return errnoOf(error);
    } finally {
      current.id = caller;
    }
  }

  /**
   * Out of the flow table, and off route and layer. It has its port still where bind named it and the user has not closed it. Idempotent.
   * @param keepsPort false: what takes its place has the port, or nobody.
   */
  leave(sock: SockCommon, keepsPort: boolean): void {
    this.#host.demux.current.remove(sock);
    this.giveUp(sock.dst);
    sock.dst = null;
    sock.layer = null;
    if (!keepsPort || (sock.flags & SOCK_FLAG.PORT_BOUND) === 0) return;
    clearRemote(sock);
    this.#host.ports.current.bind(sock);
  }

  /** Of a socket that is no connection's any more (Linux's `tcp_disconnect`): what was not bound goes. */
  forget(sock: SockCommon): void {
    clearRemote(sock);
    if (!hasBoundAddress(sock)) setLocal(sock, 0, 0, 0, 0);
    if ((sock.flags & SOCK_FLAG.PORT_BOUND) !== 0) return;
    this.#host.demux.current.remove(sock);
    sock.localPort = 0;
  }

  giveUp(use: DstUse | null): void {
    if (use === null) return;
    if (use.dst !== null) this.#host.route.current.detach(use);
    if (use.holdNext !== null) use.holdKind!.release(use);
  }

  #claim(sock: SockCommon, { address0, address1, address2, address3, port }: SockAddress, any: boolean, ifindex: number): number {
    const before = sock.ifindex;
    sock.ifindex = ifindex;
    if (!any) setLocal(sock, address0, address1, address2, address3);
    sock.localPort = port;
    const isLater = port === 0 && !any && (sock.flags & SOCK_FLAG.BIND_NO_PORT) !== 0;
    const error = isLater ? 0 : this.#host.ports.current.bind(sock);
    if (error < 0) {
      setLocal(sock, 0, 0, 0, 0);
      sock.localPort = 0;
      sock.ifindex = before;
      return error;
    }
    if (!any) extraOf(connectionOf(sock)).hasBoundAddress = true;
    if (port !== 0) sock.flags |= SOCK_FLAG.PORT_BOUND;
    return 0;
  }

  #takeEnds(sock: SockCommon, flow: Flow, oif: number, isBound: boolean): number {
    const { local0, local1, local2, local3, ifindex } = sock;
    if (!isBound) setLocal(sock, flow.src0, flow.src1, flow.src2, flow.src3);
    setRemote(sock, flow);
    sock.ifindex = oif;
    const error = this.#host.ports.current.connect(sock);
    if (error === 0) return 0;
    setLocal(sock, local0, local1, local2, local3);
    clearRemote(sock);
    sock.ifindex = ifindex;
    return error;
  }
}

function hasBoundAddress(sock: SockCommon): boolean {
  return connectionOf(sock).extra?.hasBoundAddress === true;
}

/** Why a connection cannot go there: 0, or -errno. A peer is one host (RFC 9293 §3.9.2.3, MUST-57). */
function refusalOf(dst: Dst, flow: Flow): number {
  if (dst.error !== 0) return -dst.error;
  if (dst.type === ROUTE_TYPE.BROADCAST || dst.type === ROUTE_TYPE.MULTICAST) return -ENETUNREACH;
  return isUnspecified(flow.src0, flow.src1, flow.src2, flow.src3) ? -EADDRNOTAVAIL : 0;
}
