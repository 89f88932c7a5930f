import type { Counter, DropReason, Message, Skb, SkbStep, SockCommon } from '@softnet/contract';
import {
  clearControl,
  ERRNO,
  IPV4_WORD2,
  MESSAGE_FLAG,
  POLL,
  SKB_FLAG,
  SKB_TYPE,
  SOCK_BUFFER_BYTES,
  SOCK_FLAG,
  TRANSMIT,
} from '@softnet/contract';
import { orphan, pull, SkbReader, trim } from '@softnet/skb';
import { ipv4Src, ipv6Src } from '@softnet/wire';
import { layerSegment } from '../offload/layer-segment.ts';
import { Unmerger } from '../offload/unmerger.ts';
import { takeError } from '../socket-errors.ts';
import type { DatagramHost } from './datagram-host.ts';
import type { DatagramProtocol, DatagramReasons } from './datagram-protocol.ts';
import { appendWaiting, nextWaiting, stateOf, takeWaiting } from './datagram-state.ts';
import { needsScope } from './destination.ts';
import { wakeUser } from './wake-user.ts';

/** Also why packets are dropped on their way into a socket. */
interface ReceiverReasons extends DatagramReasons {
  /** Memory is low, and the socket has more than a little already. */
  readonly pressure: DropReason;
  /** It stands for several datagrams, and no layer cuts it. */
  readonly whole: DropReason;
  /** Its socket's filter does not let it in (SO_ATTACH_FILTER). */
  readonly filter: DropReason;
}

/** From the flow table to `receive`: what is right and has room waits in the socket's queue. */
export class DatagramReceiver {
  readonly #host: DatagramHost;
  readonly #protocol: DatagramProtocol;
  readonly #reasons: ReceiverReasons;
  readonly #received: Counter;
  readonly #reader = new SkbReader();
  readonly #unmerger: Unmerger;
  readonly #datagramTo: SkbStep;
  /** Whose the merged packet is that is taken apart. */
  #sock!: SockCommon;
  /** The place that a user took a datagram into last, and a view of it: most take all into one, and that costs no garbage. */
  #place: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#place.buffer);

  constructor(host: DatagramHost, protocol: DatagramProtocol, reasons: ReceiverReasons, received: Counter) {
    this.#host = host;
    this.#protocol = protocol;
    this.#reasons = reasons;
    this.#received = received;
    this.#unmerger = new Unmerger(layerSegment(host.handlers, host.current, reasons.whole));
    this.#datagramTo = (skb) => {
      this.#datagram(this.#sock, skb);
      return TRANSMIT.OK;
    };
  }

  /** Takes a packet of the socket's flow; `data` = `transport`. */
  input(sock: SockCommon, skb: Skb): void {
    const { bursts } = this.#protocol;
    if (skb.gsoSize === 0 || bursts === undefined || bursts === null || bursts.takesWhole(sock)) this.#datagram(sock, skb);
    else this.#each(sock, skb);
  }

  /** Merged on its way, for a socket that wants what was sent. */
  #each(sock: SockCommon, skb: Skb): void {
    const before = this.#sock;
    this.#sock = sock;
    this.#unmerger.eachAbove(skb, this.#datagramTo);
    // A closed socket is not kept by it.
    this.#sock = before;
  }

  #datagram(sock: SockCommon, skb: Skb): void {
    const state = stateOf(sock);
    const { pool } = skb.memory;
    if (state.closed || (state.shut & 1) !== 0) {
      pool.drop(skb, this.#reasons.shut);
      return;
    }
    const { account } = this.#host;
    const limitBytes = sock.options === null ? SOCK_BUFFER_BYTES : sock.options.receiveLimitBytes;
    const heldBytes = sock.receiveQueuedBytes;
    const askedBytes = skb.truesize;
    if (!account.admit(askedBytes, heldBytes, limitBytes)) {
      const { full, pressure } = this.#reasons;
      if (sock.options !== null) sock.options.overflows++;
      pool.drop(skb, heldBytes > 0 && heldBytes + askedBytes > limitBytes ? full : pressure);
      return;
    }
    // Over a loopback its sender pays up to here.
    orphan(skb);
    if (!this.#protocol.read(skb, sock) || !this.#passes(skb, sock)) {
      account.sub(askedBytes);
      return;
    }
    // Padding that was cut off may have had a page.
    account.sub(askedBytes - skb.truesize);
    keepSource(skb);
    // It outlives the batch: neither its route nor what other modules noted on it is held.
    skb.dst = null;
    if (skb.slots !== null) skb.slots.fill(null);
    if (skb.type === SKB_TYPE.OUTGOING) skb.type = SKB_TYPE.HOST;
    skb.sock = sock;
    sock.receiveQueuedBytes += skb.truesize;
    appendWaiting(state, skb);
    this.#received.value++;
    wakeUser(sock, this.#host.log, sock.wake, POLL.IN);
  }

  /** What the socket's filter says of it, from its header on (SO_ATTACH_FILTER): false: it was dropped; else it is cut to so much, the header at least. */
  #passes(skb: Skb, sock: SockCommon): boolean {
    const filter = sock.options === null ? null : sock.options.filter;
    if (filter === null) return true;
    // Of a raw one's packet the network header is the first that it is given.
    const headerBytes = Math.max(0, skb.data - skb.transport);
    // Not by `push`, as nothing is written there: a clone's head is shared.
    skb.data -= headerBytes;
    skb.len += headerBytes;
    const keptBytes = filter.run(skb);
    if (keptBytes === 0) {
      skb.memory.pool.drop(skb, this.#reasons.filter);
      return false;
    }
    trim(skb, Math.max(keptBytes, headerBytes));
    pull(skb, headerBytes);
    return true;
  }

  /** Bytes of payload given, or with MESSAGE_FLAG.TRUNC all that it had; -errno. `message.flags` say what became of it. */
  receive(sock: SockCommon, message: Message): number {
    const { flags } = message;
    const state = stateOf(sock);
    clearControl(message);
    message.hasAddress = false;
    if (state.closed) return -ERRNO.EBADF;
    if ((flags & MESSAGE_FLAG.ERRQUEUE) !== 0) return takeError(sock, message);
    if ((sock.flags & SOCK_FLAG.ANCILLARY) !== 0 && this.#tellAlone(sock, message)) return endOf(message);
    if (sock.error !== 0) {
      const { error } = sock;
      sock.error = 0;
      return -error;
    }
    const peeks = (flags & MESSAGE_FLAG.PEEK) !== 0;
    let skipBytes = sock.options === null ? -1 : sock.options.peekOffsetBytes;
    let skb = state.first;
    // SO_PEEK_OFF counts over all that waits; what is empty is seen once.
    if (peeks && skipBytes >= 0) {
      while (skb !== null && skipBytes >= skb.len && (skb.len > 0 || skipBytes > 0 || (skb.flags & SKB_FLAG.PEEKED) !== 0)) {
        skipBytes -= skb.len;
        skb = nextWaiting(state, skb);
      }
      if (skb !== null) skb.flags |= SKB_FLAG.PEEKED;
    }
    if (skb === null) return (state.shut & 1) === 0 ? -ERRNO.EAGAIN : endOf(message);
    if ((flags & MESSAGE_FLAG.SKB) !== 0) return this.#handOver(sock, message, skb);
    this.#tell(sock, message, skb);
    const fromBytes = peeks && skipBytes > 0 ? skipBytes : 0;
    const lenBytes = skb.len - fromBytes;
    const copiedBytes = this.#copyOut(message, skb, fromBytes);
    message.flags = copiedBytes < lenBytes ? MESSAGE_FLAG.TRUNC : 0;
    if (skipBytes >= 0) movePeek(sock, peeks ? copiedBytes : -skb.len);
    if (!peeks) {
      takeWaiting(state, skb);
      skb.memory.pool.release(skb);
    }
    return (flags & MESSAGE_FLAG.TRUNC) === 0 ? copiedBytes : lenBytes;
  }

  /** The packet itself; to who only peeks, a clone. It is charged to nobody any more. */
  #handOver(sock: SockCommon, message: Message, skb: Skb): number {
    let given: Skb | null = skb;
    if ((message.flags & MESSAGE_FLAG.PEEK) === 0) {
      takeWaiting(stateOf(sock), skb);
      orphan(skb);
    } else given = skb.memory.pool.clone(skb);
    if (given === null) return -ERRNO.ENOBUFS;
    this.#tell(sock, message, given);
    message.flags = MESSAGE_FLAG.SKB;
    message.skb = given;
    return given.len;
  }

  /** From whom it is, and what was asked of it: ancillary data. */
  #tell(sock: SockCommon, message: Message, skb: Skb): void {
    const { address } = message;
    address.family = sock.family;
    address.address0 = skb.cb0;
    address.address1 = skb.cb1;
    address.address2 = skb.cb2;
    address.address3 = skb.cb3;
    address.port = this.#protocol.remotePort(skb);
    address.ifindex = needsScope(sock.family, skb.cb0) ? skb.ifindex : 0;
    message.hasAddress = true;
    if ((sock.flags & SOCK_FLAG.ANCILLARY) === 0) return;
    const { items, owners } = this.#host.levels;
    const { current } = this.#host;
    const caller = current.id;
    for (let i = 0; i < items.length; i++) {
      current.id = owners[i]!;
      items[i]!.received?.(sock, skb, message);
    }
    current.id = caller;
  }

  /** What a level has to say without a packet. False: nothing. */
  #tellAlone(sock: SockCommon, message: Message): boolean {
    const { items, owners } = this.#host.levels;
    const { current } = this.#host;
    for (let i = 0; i < items.length; i++) {
      const level = items[i]!;
      if (level.alone === undefined) continue;
      const caller = current.id;
      current.id = owners[i]!;
      const isTold = level.alone(sock, message);
      current.id = caller;
      if (isTold) return true;
    }
    return false;
  }

  /** The copy out, into one place or many. Returns how many bytes found room. */
  #copyOut({ data, more }: Message, skb: Skb, fromBytes: number): number {
    const reader = this.#reader;
    if (!reader.open(skb, fromBytes, skb.len - fromBytes)) return 0;
    if (data !== null) this.#copyInto(data);
    if (more !== null) for (let i = 0; i < more.length; i++) this.#copyInto(more[i]!);
    return skb.len - fromBytes - reader.remaining;
  }

  #copyInto(place: Uint8Array): void {
    if (place !== this.#place) {
      this.#place = place;
      this.#view = new DataView(place.buffer, place.byteOffset, place.length);
    }
    this.#reader.copyTo(this.#view, 0, Math.min(place.length, this.#reader.remaining));
  }
}

/** Where the next peek begins: further on by what was seen, back by what was taken. */
function movePeek({ options }: SockCommon, bytes: number): void {
  options!.peekOffsetBytes = Math.max(0, options!.peekOffsetBytes + bytes);
}

function endOf(message: Message): number {
  message.flags = 0;
  return 0;
}

/** Who sent it, into the control block, which is this layer's now: the network layer may be gone when the user asks. */
function keepSource(skb: Skb): void {
  const { network, memory } = skb;
  const { view } = memory;
  if (view.getUint8(network) >>> 4 === 4) {
    skb.cb0 = 0;
    skb.cb1 = 0;
    skb.cb2 = IPV4_WORD2;
    skb.cb3 = ipv4Src(view, network);
    return;
  }
  skb.cb0 = ipv6Src(view, network, 0);
  skb.cb1 = ipv6Src(view, network, 1);
  skb.cb2 = ipv6Src(view, network, 2);
  skb.cb3 = ipv6Src(view, network, 3);
}
