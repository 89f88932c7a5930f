import type { Counter, Dst, Message, NetworkLayer, Skb, SockCommon } from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ERRNO,
  Flow,
  isFresh,
  MESSAGE_FLAG,
  SKB_FLAG,
  SKB_TYPE,
  SOCK_BUFFER_BYTES,
  SOCK_FLAG,
  TRANSMIT,
} from '@softnet/contract';
import { copyIn, orphan, PAGE_BYTES, push, scrub } from '@softnet/skb';
import { aimAtGroup, groupInterface } from '../multicast/socket-groups.ts';
import { MERGE_LIMITS } from '../offload/join.ts';
import type { DatagramEnds } from './datagram-ends.ts';
import { refusalOf } from './datagram-ends.ts';
import type { DatagramHost } from './datagram-host.ts';
import { errnoOf, layerOf } from './datagram-host.ts';
import type { DatagramProtocol } from './datagram-protocol.ts';
import { isConnected, stateOf } from './datagram-state.ts';
import { aimAtAddress, aimAtPeer, beginFlow, pathFamily, scopeOf, sourceFits } from './destination.ts';

/** Of an IPv4 packet, and of an IPv6 payload (RFC 791 §3.1, RFC 8200 §3). */
const MAX_BYTES = 65535;
/** What is asked for that there is not yet: urgent data never, corking later. */
const UNSUPPORTED = MESSAGE_FLAG.OOB | MESSAGE_FLAG.MORE;

/** From `send` to the layer: where to, what it may cost, one copy in. Allocates nothing for a datagram once warm. */
export class DatagramSender {
  readonly #host: DatagramHost;
  readonly #protocol: DatagramProtocol;
  readonly #ends: DatagramEnds;
  readonly #sent: Counter;
  readonly #flow = new Flow();
  /** Of the packet at hand: set by `#way`. */
  #layer: NetworkLayer | null = null;
  /** Whose send is in the layer's hands, and what this host itself said of it meanwhile. */
  #sending: SockCommon | null = null;
  #localError = 0;

  constructor(host: DatagramHost, protocol: DatagramProtocol, ends: DatagramEnds, sent: Counter) {
    this.#host = host;
    this.#protocol = protocol;
    this.#ends = ends;
    this.#sent = sent;
  }

  /** Bytes of payload, or -errno. With MESSAGE_FLAG.SKB, `message.skb` is null when the packet was taken. */
  send(sock: SockCommon, message: Message): number {
    const lenBytes = lengthOf(message);
    const refused = this.#refuses(sock, message, lenBytes);
    if (refused < 0) return refused;
    const dst = this.#way(sock, message);
    if (typeof dst === 'number') return dst;
    const flow = this.#flow;
    const layer = this.#layer!;
    const notThere = refusalOf(dst, flow, sock);
    if (notThere < 0) return notThere;
    const maxBytes = flow.family === ADDRESS_FAMILY.INET ? MAX_BYTES - layer.headerBytes : MAX_BYTES;
    if (lenBytes + this.#protocol.headerBytes > maxBytes) return -ERRNO.EMSGSIZE;
    const sizeBytes = this.#burstOf(sock, message, dst, layer, lenBytes);
    if (sizeBytes < 0) return sizeBytes;
    const limitBytes = sock.options === null ? SOCK_BUFFER_BYTES : sock.options.sendLimitBytes;
    if (sock.sendQueuedBytes >= limitBytes) {
      stateOf(sock).blocked = true;
      return -ERRNO.EAGAIN;
    }
    const skb = (message.flags & MESSAGE_FLAG.SKB) === 0 ? this.#copy(message, dst, lenBytes) : this.#adopt(message, dst);
    if (skb === null) return -ERRNO.ENOBUFS;
    if (sizeBytes > 0) {
      skb.gsoSize = sizeBytes;
      skb.gsoSegs = Math.ceil(lenBytes / sizeBytes);
      skb.gsoType = this.#protocol.bursts!.gsoType;
    }
    this.#finish(skb, sock, message, dst, layer);
    return this.#transmit(skb, sock, layer, lenBytes);
  }

  /** An error that this host reports of the packet which is being sent (too big, no neighbour): true, its sender is told. */
  takesError(sock: SockCommon, errno: number): boolean {
    if (this.#sending !== sock) return false;
    this.#localError = errno;
    return true;
  }

  #refuses(sock: SockCommon, message: Message, lenBytes: number): number {
    const state = stateOf(sock);
    if (state.closed) return -ERRNO.EBADF;
    if (sock.error !== 0) {
      const { error } = sock;
      sock.error = 0;
      return -error;
    }
    if ((state.shut & 2) !== 0) return -ERRNO.EPIPE;
    if ((message.flags & UNSUPPORTED) !== 0) return -ERRNO.EOPNOTSUPP;
    if (lenBytes < 0) return -ERRNO.EINVAL;
    if (lenBytes > MAX_BYTES) return -ERRNO.EMSGSIZE;
    return this.#protocol.check(sock, lenBytes, message);
  }

  /** Both ends of the packet into the flow, and its dst; or -errno. */
  #way(sock: SockCommon, message: Message): Dst | number {
    if (message.hasAddress) return this.#wayToAddress(sock, message);
    if (!isConnected(sock)) return -ERRNO.EDESTADDRREQ;
    if (this.#protocol.peerPorts && sock.remotePort === 0) return -ERRNO.EINVAL;
    const flow = this.#flow;
    beginFlow(flow, sock, sock.layer!.family, sock.ifindex);
    aimAtPeer(flow, sock);
    aimAtGroup(flow, sock);
    flow.hash = sock.hash;
    this.#layer = sock.layer;
    const use = sock.dst!;
    if (use.holdNext !== null && isFresh(use)) return use.dst!;
    try {
      const dst = this.#ends.routeAgain(sock, flow);
      this.#layer = sock.layer;
      return dst;
    } catch (error) {
      return errnoOf(error);
    }
  }

  /** Also of a connected socket, as in Linux (POSIX would have EISCONN). */
  #wayToAddress(sock: SockCommon, { address }: Message): Dst | number {
    const family = pathFamily(sock, address);
    if (family < 0) return family;
    if (this.#protocol.peerPorts && address.port === 0) return -ERRNO.EINVAL;
    if (this.#protocol.number(family) !== sock.protocol) return -ERRNO.EAFNOSUPPORT;
    if (!sourceFits(sock, family)) return -ERRNO.EINVAL;
    const oif = scopeOf(sock.ifindex, address, family, groupInterface(sock));
    if (oif < 0) return oif;
    const bound = this.#bound(sock);
    if (bound < 0) return bound;
    this.#layer = sock.layer !== null && sock.layer.family === family ? sock.layer : layerOf(this.#host.layers, family);
    if (this.#layer === null) return -ERRNO.ENETUNREACH;
    const flow = this.#flow;
    beginFlow(flow, sock, family, oif);
    aimAtAddress(flow, address, family, this.#protocol.peerPorts);
    aimAtGroup(flow, sock);
    return this.#host.route.current.lookup(flow);
  }

  /** It has a port to send from, and holds its layer. */
  #bound(sock: SockCommon): number {
    if (sock.localPort === 0) return this.#ends.bindToAny(sock);
    if (sock.dst !== null && sock.dst.holdNext === null && !isConnected(sock)) this.#ends.holdAgain(sock);
    return 0;
  }

  /**
   * Bytes of each datagram that this one is cut into late; 0: it is sent as it is. By Linux's rules: -EMSGSIZE where one would not fit the way's MTU,
   * -EINVAL for more than {@link MERGE_LIMITS}.segments, -EIO where they would be transformed.
   */
  #burstOf(sock: SockCommon, message: Message, dst: Dst, layer: NetworkLayer, lenBytes: number): number {
    const { bursts, headerBytes } = this.#protocol;
    const sizeBytes = bursts === undefined || bursts === null ? 0 : bursts.sizeOf(sock, message);
    if (sizeBytes <= 0) return sizeBytes;
    if (layer.headerBytes + headerBytes + Math.min(sizeBytes, lenBytes) > dst.mtuBytes) return -ERRNO.EMSGSIZE;
    if (lenBytes > sizeBytes * MERGE_LIMITS.segments) return -ERRNO.EINVAL;
    if (dst.child !== null) return -ERRNO.EIO;
    return lenBytes > sizeBytes ? sizeBytes : 0;
  }

  /** The copy in. Null: memory is out, which the pool has counted. */
  #copy(message: Message, dst: Dst, lenBytes: number): Skb | null {
    const headroomBytes = dst.headroomBytes + this.#protocol.headerBytes;
    const linearBytes = lenBytes + dst.tailroomBytes;
    const skb = this.#host.pool.current.alloc(headroomBytes, headroomBytes + linearBytes <= PAGE_BYTES ? linearBytes : 0);
    if (skb === null) return null;
    const { data, more } = message;
    let copied = data === null || copyIn(skb, data);
    if (more !== null) for (let i = 0; copied && i < more.length; i++) copied = copyIn(skb, more[i]!);
    if (copied) return skb;
    skb.memory.pool.release(skb);
    return null;
  }

  /** The user's own packet, of which only the payload counts from here on. */
  #adopt(message: Message, dst: Dst): Skb | null {
    const skb = message.skb!;
    orphan(skb);
    // Old headers would be moved along, and are no part of it any more.
    skb.mac = -1;
    skb.network = -1;
    skb.transport = -1;
    const tailroomBytes = skb.fragments === null ? dst.tailroomBytes : 0;
    if (!skb.memory.pool.makeRoom(skb, dst.headroomBytes + this.#protocol.headerBytes, tailroomBytes)) return null;
    scrub(skb);
    message.skb = null;
    return skb;
  }

  #finish(skb: Skb, sock: SockCommon, message: Message, dst: Dst, layer: NetworkLayer): void {
    const { options } = sock;
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    if (!message.hasAddress) skb.hash = sock.hash;
    if (options !== null) {
      skb.mark = options.mark;
      skb.priority = options.priority;
    }
    if ((message.flags & MESSAGE_FLAG.CONFIRM) !== 0) skb.flags |= SKB_FLAG.CONFIRM_NEIGHBOUR;
    skb.transport = push(skb, this.#protocol.headerBytes);
    this.#protocol.write(skb, sock, this.#flow, layer);
    skb.sock = sock;
    sock.sendQueuedBytes += skb.truesize;
    this.#host.account.add(skb.truesize);
  }

  /** Here a send may come in between: the packet is freed at once, its socket has room, its user is woken and sends more. */
  #transmit(skb: Skb, sock: SockCommon, layer: NetworkLayer, lenBytes: number): number {
    const { current } = this.#host;
    const caller = current.id;
    const outer = this.#sending;
    this.#sending = sock;
    this.#localError = 0;
    current.id = layer.uses.owner;
    const result = layer.send(skb, this.#flow, sock);
    current.id = caller;
    this.#sending = outer;
    const errno = this.#localError;
    this.#localError = 0;
    if (errno !== 0) return -errno;
    this.#sent.value++;
    // A queue that drops is the network's matter, unless the user wants to know all (Linux: RECVERR).
    return result === TRANSMIT.DROPPED && (sock.flags & SOCK_FLAG.RECVERR) !== 0 ? -ERRNO.ENOBUFS : lenBytes;
  }
}

/** Bytes of payload; -1: it says SKB, and has none. */
function lengthOf({ flags, skb, data, more }: Message): number {
  if ((flags & MESSAGE_FLAG.SKB) !== 0) return skb === null ? -1 : skb.len;
  let lenBytes = data === null ? 0 : data.length;
  if (more !== null) for (let i = 0; i < more.length; i++) lenBytes += more[i]!.length;
  return lenBytes;
}
