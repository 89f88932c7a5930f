import type {
  Counter,
  Dst,
  ErrorReport,
  Flow,
  Flow as FlowRecord,
  Message,
  NetworkLayer,
  PacketOptions,
  Skb,
  SockCommon,
} from '@softnet/contract';
import {
  ADDRESS_FAMILY,
  ERRNO,
  ERROR_ORIGIN,
  MESSAGE_FLAG,
  POLL,
  SKB_FLAG,
  SKB_TYPE,
  SOCK_BUFFER_BYTES,
  SOCK_FLAG,
  TRANSMIT,
} from '@softnet/contract';
import { copyIn, PAGE_BYTES, push } from '@softnet/skb';
import { MERGE_LIMITS } from '../offload/join.ts';
import { errorOf, QueuedError, queueError } from '../socket-errors.ts';
import { Cork } from './cork.ts';
import type { DatagramEnds } from './datagram-ends.ts';
import { refusalOf } from './datagram-ends.ts';
import type { DatagramHost } from './datagram-host.ts';
import type { DatagramProtocol } from './datagram-protocol.ts';
import type { DatagramState } from './datagram-state.ts';
import { stateOf } from './datagram-state.ts';
import { DatagramWay } from './datagram-way.ts';
import { pathFamily } from './destination.ts';
import { wantsStamp } from './sent-stamps.ts';
import { adoptPacket, copyMessage } from './user-packet.ts';
import { wakeUser } from './wake-user.ts';

/** Of an IPv4 packet, and of an IPv6 payload (RFC 791 §3.1, RFC 8200 §3). */
const MAX_BYTES = 65535;

/** From `send` to the layer: where to, what it may cost, one copy in. Allocates nothing for a datagram once warm, unless it is corked. */
export class DatagramSender {
  readonly #host: DatagramHost;
  readonly #protocol: DatagramProtocol;
  readonly #sent: Counter;
  readonly #ends: DatagramEnds;
  readonly #way: DatagramWay;
  /** Of the packet at hand: the way's. */
  readonly #flow: Flow;
  /** What the control messages of the packet at hand say; null: nothing. */
  #packet: PacketOptions | null = null;
  /** Whose send is in the layer's hands, and what this host itself said of it meanwhile. */
  #sending: SockCommon | null = null;
  #localError = 0;

  constructor(host: DatagramHost, protocol: DatagramProtocol, ends: DatagramEnds, sent: Counter) {
    this.#host = host;
    this.#protocol = protocol;
    this.#sent = sent;
    this.#ends = ends;
    this.#way = new DatagramWay(host, protocol, ends);
    this.#flow = this.#way.flow;
  }

  /** Bytes of payload, or -errno. With MESSAGE_FLAG.SKB, `message.skb` is null when the packet was taken. */
  send(sock: SockCommon, message: Message): number {
    const lenBytes = lengthOf(message);
    const state = stateOf(sock);
    if (state.closed) return -ERRNO.EBADF;
    // Whatever becomes of it, as in Linux: from then on it has a port.
    const bound = sock.localPort === 0 ? this.#ends.bindToAny(sock) : 0;
    if (bound < 0) return bound;
    const refused = this.#refuses(state, message, lenBytes);
    if (refused < 0) return refused;
    if (state.cork !== null) return this.#grow(sock, state, state.cork, message, lenBytes);
    const isWrong = this.#protocol.check(sock, lenBytes, message);
    if (isWrong < 0) return isWrong;
    const dst = this.#way.find(sock, message);
    if (typeof dst === 'number') return dst;
    const layer = this.#way.layer!;
    this.#packet = this.#way.packet;
    const notThere = this.#notThere(dst, sock, message.flags);
    if (notThere < 0) return notThere;
    if (lenBytes > this.#roomBytes(layer) || (this.#bringsHeader(sock) && lenBytes > dst.mtuBytes)) return this.#tooLong(sock, dst);
    const { bursts } = this.#protocol;
    const askedBytes = bursts === undefined || bursts === null ? 0 : bursts.sizeOf(sock, this.#packet);
    const corks = isCorked(state, message.flags);
    const sizeBytes = corks ? 0 : this.#burstOf(askedBytes, sock, dst, layer, lenBytes);
    if (sizeBytes < 0) return sizeBytes;
    if ((message.flags & MESSAGE_FLAG.PROBE) !== 0) return lenBytes;
    const shut = this.#mayNot(sock, state);
    if (shut < 0) return shut;
    const skb =
      (message.flags & MESSAGE_FLAG.SKB) === 0
        ? this.#copy(message, dst, lenBytes)
        : adoptPacket(message, dst.headroomBytes + this.#protocol.headerBytes, dst.tailroomBytes);
    if (skb === null) return -ERRNO.ENOBUFS;
    if (corks) return this.#begin(sock, state, skb, layer, message, askedBytes);
    this.#finish(skb, sock, dst, layer, sizeBytes, message.flags, !message.hasAddress);
    return this.#transmit(skb, sock, layer, lenBytes);
  }

  /** Sends what has grown (UDP_CORK is taken back, or a send without MORE came); 0 or more, or -errno. */
  push(sock: SockCommon): number {
    const state = stateOf(sock);
    const { cork } = state;
    if (cork === null) return 0;
    this.#takeOut(sock, state, cork);
    const { skb, toPeer, flags } = cork;
    const { pool } = skb.memory;
    const flow = this.#flow;
    Object.assign(flow, cork.flow);
    this.#packet = cork.packet;
    const lenBytes = skb.len;
    // It may have waited long: its way is looked up anew, and its layer may have been replaced.
    const dst = this.#host.route.current.lookup(flow);
    const layer = this.#way.layerFor(sock, flow.family) ?? cork.layer;
    const notThere = this.#notThere(dst, sock, flags);
    const sizeBytes = notThere < 0 ? notThere : this.#burstOf(cork.segmentBytes, sock, dst, layer, lenBytes);
    const hasRoom = sizeBytes >= 0 && pool.makeRoom(skb, dst.headroomBytes + this.#protocol.headerBytes, 0);
    if (!hasRoom) {
      pool.release(skb);
      return sizeBytes < 0 ? sizeBytes : -ERRNO.ENOBUFS;
    }
    this.#finish(skb, sock, dst, layer, sizeBytes, flags, toPeer);
    return this.#transmit(skb, sock, layer, lenBytes);
  }

  /** What has grown is forgotten: the socket is closed, or a send into it failed. */
  flush(sock: SockCommon): void {
    const state = stateOf(sock);
    const { cork } = state;
    if (cork === null) return;
    this.#takeOut(sock, state, cork);
    cork.skb.memory.pool.release(cork.skb);
    if (!state.closed && state.blocked) {
      state.blocked = false;
      wakeUser(sock, this.#host.log, sock.wake, POLL.OUT);
    }
  }

  /** An error that this host reports of the packet which is being sent (too big, no neighbour): true, its sender is told. */
  takesError(sock: SockCommon, report: ErrorReport): boolean {
    if (this.#sending !== sock) return false;
    if ((sock.flags & SOCK_FLAG.RECVERR) !== 0 && queueError(sock, aimedAt(errorOf(report), this.#flow, sock))) {
      wakeUser(sock, this.#host.log);
    }
    // Last: who is woken may send too.
    this.#localError = report.errno;
    return true;
  }

  #refuses(state: DatagramState, message: Message, lenBytes: number): number {
    if (lenBytes > MAX_BYTES) return -ERRNO.EMSGSIZE;
    if ((message.flags & MESSAGE_FLAG.OOB) !== 0) return -ERRNO.EOPNOTSUPP;
    if (lenBytes < 0) return -ERRNO.EINVAL;
    if (!isCorked(state, message.flags) && state.cork === null) return 0;
    // A packet of the user's own is one datagram; and so is what is all the user's bytes (ping).
    const isWhole = (message.flags & MESSAGE_FLAG.SKB) !== 0 || this.#protocol.headerBytes === 0;
    return isWhole ? -ERRNO.EOPNOTSUPP : 0;
  }

  /** What was reported, what was shut, and what is queued: asked where memory is, as in Linux. */
  #mayNot(sock: SockCommon, state: DatagramState): number {
    if (sock.error !== 0) {
      const { error } = sock;
      sock.error = 0;
      return -error;
    }
    if ((state.shut & 2) !== 0) return -ERRNO.EPIPE;
    const limitBytes = sock.options === null ? SOCK_BUFFER_BYTES : sock.options.sendLimitBytes;
    if (sock.sendQueuedBytes < limitBytes) return 0;
    state.blocked = true;
    return -ERRNO.EAGAIN;
  }

  /** Of payload, in one datagram. */
  #roomBytes(layer: NetworkLayer): number {
    const { headerBytes } = this.#protocol;
    return (layer.family === ADDRESS_FAMILY.INET ? MAX_BYTES - layer.headerBytes : MAX_BYTES) - headerBytes;
  }

  #bringsHeader(sock: SockCommon): boolean {
    return this.#protocol.hasNetworkHeader?.(sock) === true;
  }

  #tooLong(sock: SockCommon, dst: Dst): number {
    if ((sock.flags & SOCK_FLAG.RECVERR) === 0) return -ERRNO.EMSGSIZE;
    const error = new QueuedError();
    error.errno = ERRNO.EMSGSIZE;
    error.origin = ERROR_ORIGIN.LOCAL;
    error.info = Math.min(dst.mtuBytes, MAX_BYTES);
    if (queueError(sock, aimedAt(error, this.#flow, sock))) wakeUser(sock, this.#host.log);
    return -ERRNO.EMSGSIZE;
  }

  #notThere(dst: Dst, sock: SockCommon, flags: number): number {
    const refusal = refusalOf(dst, this.#flow, sock);
    if (refusal < 0) return refusal;
    const onLinkOnly = (flags & MESSAGE_FLAG.DONTROUTE) !== 0 || (sock.flags & SOCK_FLAG.DONTROUTE) !== 0;
    // As in Linux, IPv6 does not know it.
    return onLinkOnly && dst.gatewayFamily !== 0 && this.#flow.family === ADDRESS_FAMILY.INET ? -ERRNO.ENETUNREACH : 0;
  }

  /**
   * Bytes of each datagram that this one is cut into late; 0: it is sent as it is. By Linux's rules: -EMSGSIZE where one would not fit the way's MTU,
   * -EINVAL for more than {@link MERGE_LIMITS}.segments, or without checksums, -EIO where they would be transformed.
   */
  #burstOf(sizeBytes: number, sock: SockCommon, dst: Dst, layer: NetworkLayer, lenBytes: number): number {
    if (sizeBytes <= 0) return sizeBytes;
    const { headerBytes } = this.#protocol;
    if (layer.headerBytes + headerBytes + Math.min(sizeBytes, lenBytes) > dst.mtuBytes) return -ERRNO.EMSGSIZE;
    if (lenBytes > sizeBytes * MERGE_LIMITS.segments) return -ERRNO.EINVAL;
    if ((sock.flags & SOCK_FLAG.NO_CHECK) !== 0) return -ERRNO.EINVAL;
    if (dst.child !== null) return -ERRNO.EIO;
    return lenBytes > sizeBytes ? sizeBytes : 0;
  }

  /** The first piece of a datagram that grows. */
  #begin(sock: SockCommon, state: DatagramState, skb: Skb, layer: NetworkLayer, message: Message, segmentBytes: number): number {
    const { flags, hasAddress } = message;
    const lenBytes = skb.len;
    state.cork = new Cork(skb, layer, this.#flow, { packet: this.#packet, flags, toPeer: !hasAddress, segmentBytes });
    this.#charge(sock, state.cork);
    return lenBytes;
  }

  /** One more piece: what it says of its destination is not looked at, as in Linux. Where it fails, all that has grown is forgotten. */
  #grow(sock: SockCommon, state: DatagramState, cork: Cork, message: Message, lenBytes: number): number {
    const { skb, layer } = cork;
    // IPv4's destination is not for a datagram of IPv6.
    if (layer.family === ADDRESS_FAMILY.INET6 && message.hasAddress && pathFamily(sock, message.address) !== layer.family)
      return -ERRNO.EINVAL;
    const { data, more } = message;
    let failed = skb.len + lenBytes > this.#roomBytes(layer) ? -ERRNO.EMSGSIZE : this.#mayNot(sock, state);
    if (failed === 0 && data !== null && !copyIn(skb, data)) failed = -ERRNO.ENOBUFS;
    if (more !== null) for (let i = 0; failed === 0 && i < more.length; i++) if (!copyIn(skb, more[i]!)) failed = -ERRNO.ENOBUFS;
    this.#charge(sock, cork);
    if (failed < 0) {
      this.flush(sock);
      return failed;
    }
    if (isCorked(state, message.flags)) return lenBytes;
    const pushed = this.push(sock);
    return pushed < 0 ? pushed : lenBytes;
  }

  #charge(sock: SockCommon, cork: Cork): void {
    const bytes = cork.skb.truesize - cork.chargedBytes;
    cork.chargedBytes += bytes;
    sock.sendQueuedBytes += bytes;
    this.#host.account.add(bytes);
  }

  #takeOut(sock: SockCommon, state: DatagramState, cork: Cork): void {
    state.cork = null;
    sock.sendQueuedBytes -= cork.chargedBytes;
    this.#host.account.sub(cork.chargedBytes);
  }

  /** Null: memory is out. */
  #copy(message: Message, dst: Dst, lenBytes: number): Skb | null {
    const headroomBytes = dst.headroomBytes + this.#protocol.headerBytes;
    const linearBytes = lenBytes + dst.tailroomBytes;
    return copyMessage(this.#host.pool.current, message, headroomBytes, headroomBytes + linearBytes <= PAGE_BYTES ? linearBytes : 0);
  }

  #finish(skb: Skb, sock: SockCommon, dst: Dst, layer: NetworkLayer, sizeBytes: number, flags: number, toPeer: boolean): void {
    if (sizeBytes > 0) {
      skb.gsoSegs = Math.ceil(skb.len / sizeBytes);
      skb.gsoSize = sizeBytes;
      skb.gsoType = this.#protocol.bursts!.gsoType;
    }
    skb.type = SKB_TYPE.OUTGOING;
    skb.dst = dst;
    if (toPeer) skb.hash = sock.hash;
    this.#mark(skb, sock);
    if ((flags & MESSAGE_FLAG.CONFIRM) !== 0) skb.flags |= SKB_FLAG.CONFIRM_NEIGHBOUR;
    if (wantsStamp(sock, this.#packet)) skb.flags |= SKB_FLAG.STAMP;
    skb.transport = push(skb, this.#protocol.headerBytes);
    this.#protocol.write(skb, sock, this.#flow, layer);
    skb.sock = sock;
    sock.sendQueuedBytes += skb.truesize;
    this.#host.account.add(skb.truesize);
  }

  #mark(skb: Skb, { options }: SockCommon): void {
    if (options !== null) {
      skb.mark = options.mark;
      skb.priority = options.priority;
    }
    const packet = this.#packet;
    if (packet === null) return;
    if (packet.hasMark) skb.mark = packet.mark;
    if (packet.priority >= 0) skb.priority = packet.priority;
    if (packet.departUs !== 0) skb.timeUs = packet.departUs;
  }

  /** Here a send may come in between: the packet is freed at once, its socket has room, its user is woken and sends more. */
  #transmit(skb: Skb, sock: SockCommon, layer: NetworkLayer, lenBytes: number): number {
    const { current } = this.#host;
    const caller = current.id;
    const outer = this.#sending;
    this.#sending = sock;
    this.#localError = 0;
    current.id = layer.uses.owner;
    const result = this.#bringsHeader(sock) ? layer.reenter(skb) : layer.send(skb, this.#flow, sock, this.#packet);
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

function isCorked(state: DatagramState, flags: number): boolean {
  return state.corked || (flags & MESSAGE_FLAG.MORE) !== 0;
}

/** An error about a packet of this flow. Of the port Linux knows what the socket is connected to. */
function aimedAt(error: QueuedError, flow: FlowRecord, { remotePort }: SockCommon): QueuedError {
  error.address0 = flow.dst0;
  error.address1 = flow.dst1;
  error.address2 = flow.dst2;
  error.address3 = flow.dst3;
  error.port = remotePort;
  return error;
}

/** Bytes of payload; -1: it says SKB, and has none. */
function lengthOf({ flags, skb, data, more }: Message): number {
  if ((flags & MESSAGE_FLAG.SKB) !== 0) return skb === null ? -1 : skb.len;
  let lenBytes = data === null ? 0 : data.length;
  if (more !== null) for (let i = 0; i < more.length; i++) lenBytes += more[i]!.length;
  return lenBytes;
}
