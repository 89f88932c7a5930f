import type { Counter, NetDevice, Skb, SockCommon } from '@softnet/contract';
import { ETHERTYPE, SKB_TYPE, SOCK_BUFFER_BYTES, SOCK_TYPE } from '@softnet/contract';
import { trim } from '@softnet/skb';
import { ETHERNET_HEADER_BYTES, ETHERNET_SRC } from '@softnet/wire';
import { linkHead, linkWord } from './link-address.ts';
import type { PacketHost } from './packet-host.ts';
import { stateOf } from './packet-state.ts';
import type { Wakings } from './wakings.ts';

/** From a tap to the queues of the sockets that want the packet: each has a clone. Allocates nothing once warm. Linux's `packet_rcv`. */
export class LookerOn {
  /** Those that are open; replaced whole. */
  #sockets: readonly SockCommon[] = [];
  readonly #host: PacketHost;
  readonly #wakings: Wakings;
  readonly #received: Counter;
  readonly #lost: Counter;

  constructor(host: PacketHost, wakings: Wakings, received: Counter, lost: Counter) {
    this.#host = host;
    this.#wakings = wakings;
    this.#received = received;
    this.#lost = lost;
  }

  get sockets(): readonly SockCommon[] {
    return this.#sockets;
  }

  add(sock: SockCommon): void {
    this.#sockets = [...this.#sockets, sock];
  }

  remove(sock: SockCommon): void {
    this.#sockets = this.#sockets.filter((each) => each !== sock);
  }

  /** What a device has received (`data` = `network`) or is about to send (`data` = `mac`); it is as it was when this returns. */
  look(skb: Skb, device: NetDevice): void {
    const sockets = this.#sockets;
    for (let i = 0; i < sockets.length; i++) if (wants(sockets[i]!, skb, device)) this.#show(sockets[i]!, skb, device);
  }

  /** Stands at the byte that the socket sees first, for the filter and the clone, and goes back. */
  #show(sock: SockCommon, skb: Skb, device: NetDevice): void {
    const network = skb.network >= 0 ? skb.network : skb.mac + device.link.headerBytes;
    const { data } = skb;
    standAt(skb, stateOf(sock).type === SOCK_TYPE.RAW ? skb.mac : Math.min(network, skb.tail));
    // As in Linux, of a packet without a byte nobody is told.
    const keptBytes = skb.len === 0 ? 0 : filtered(sock, skb, device);
    if (keptBytes > 0) this.#keep(sock, skb, device, keptBytes);
    standAt(skb, data);
  }

  #keep(sock: SockCommon, skb: Skb, device: NetDevice, keptBytes: number): void {
    const { account } = this.#host;
    const limitBytes = sock.options === null ? SOCK_BUFFER_BYTES : sock.options.receiveLimitBytes;
    const askedBytes = skb.truesize;
    if (!account.admit(askedBytes, sock.receiveQueuedBytes, limitBytes)) {
      this.#lose(sock);
      return;
    }
    const clone = skb.memory.pool.clone(skb);
    if (clone === null) {
      account.sub(askedBytes);
      this.#lose(sock);
      return;
    }
    const lenBytes = clone.len;
    trim(clone, keptBytes);
    account.sub(askedBytes - clone.truesize);
    this.#note(clone, device, lenBytes);
    clone.sock = sock;
    sock.receiveQueuedBytes += clone.truesize;
    const state = stateOf(sock);
    state.received++;
    this.#received.value++;
    state.append(clone);
    this.#wakings.later(state);
  }

  #lose(sock: SockCommon): void {
    stateOf(sock).lost++;
    if (sock.options !== null) sock.options.overflows++;
    this.#lost.value++;
  }

  /** What its user is told of it, in the control block: the sender's link address, and its length before it was cut. It outlives the batch: nothing else is held. */
  #note(clone: Skb, device: NetDevice, lenBytes: number): void {
    const { bytes } = clone.memory;
    const hasSource = device.link.headerBytes === ETHERNET_HEADER_BYTES;
    clone.cb0 = linkHead(device, clone.type);
    clone.cb1 = hasSource ? linkWord(bytes, clone.mac + ETHERNET_SRC, 0, device.addressLen) : 0;
    clone.cb2 = hasSource ? linkWord(bytes, clone.mac + ETHERNET_SRC, 1, device.addressLen) : 0;
    clone.cb3 = lenBytes;
    // Of what is sent, `timeUs` says when it may leave; and OUTGOING would say that its socket sends it.
    if (clone.type === SKB_TYPE.OUTGOING || clone.timeUs === 0) clone.timeUs = this.#host.clock.nowUs | 0 || 1;
    clone.type = SKB_TYPE.HOST;
    clone.ifindex = device.ifindex;
    clone.dst = null;
    clone.flags = 0;
    if (clone.slots !== null) clone.slots.fill(null);
  }
}

/** So many bytes its program lets in. Of what is sent `skb.ifindex` says where it came in, while a program asks for the device at hand. */
function filtered({ options }: SockCommon, skb: Skb, device: NetDevice): number {
  if (options === null || options.filter === null) return skb.len;
  const { ifindex } = skb;
  skb.ifindex = device.ifindex;
  const keptBytes = options.filter.run(skb);
  skb.ifindex = ifindex;
  return keptBytes;
}

/** Not by `push` and `pull`, as nothing is written there: the head may be shared. */
function standAt(skb: Skb, offset: number): void {
  skb.len += skb.data - offset;
  skb.data = offset;
}

/** By interface and ethertype. Who asks for one ethertype sees only what is received; nobody sees what he sends himself, as in Linux. */
function wants(sock: SockCommon, skb: Skb, device: NetDevice): boolean {
  if (sock.ifindex !== 0 && sock.ifindex !== device.ifindex) return false;
  const isOutgoing = skb.type === SKB_TYPE.OUTGOING;
  if (sock.localPort !== ETHERTYPE.ALL) return !isOutgoing && sock.localPort !== 0 && sock.localPort === skb.protocol;
  return !isOutgoing || (skb.sock !== sock && !stateOf(sock).ignoresOutgoing);
}
