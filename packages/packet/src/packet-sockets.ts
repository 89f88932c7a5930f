import type {
  Counter,
  DropReason,
  Message,
  NetError,
  Objects,
  OptionLevel,
  Owner,
  Skb,
  SockAddress,
  SocketCalls,
  SockOps,
  Tally,
} from '@softnet/contract';
import { ADDRESS_FAMILY, ERRNO, POLL, SKB_TYPE, SO, SOCK_BUFFER_BYTES, SOCK_FLAG, SOL, SockCommon } from '@softnet/contract';
import { FrameReceiver } from './frame-receiver.ts';
import { FrameSender } from './frame-sender.ts';
import type { LinkEnds } from './link-ends.ts';
import type { LookerOn } from './looker-on.ts';
import type { Memberships } from './memberships.ts';
import type { PacketHost } from './packet-host.ts';
import { PacketOptions } from './packet-options.ts';
import { PacketState, stateOf } from './packet-state.ts';
import type { Wakings } from './wakings.ts';

/** What the sockets of one type have of their module. */
export interface PacketParts {
  readonly host: PacketHost;
  /** Why packets are dropped that wait in a socket when it is closed. What a socket has no room for is no drop: the packet itself goes its way. */
  readonly shut: DropReason;
  readonly wakings: Wakings;
  readonly looker: LookerOn;
  readonly ends: LinkEnds;
  readonly memberships: Memberships;
  /** Closed while packets of theirs were on their way out: they hold the module up until these are sent. */
  readonly lingering: Tally;
  /** Kind `socket`: users' sockets go on when the module leaves, and hold it up. */
  readonly sockets: Objects<SockCommon>;
}

/** All that users and the stack call on packet sockets of one type: stateless but for kept records. Linux's `af_packet.c`. */
export class PacketSockets implements SockOps, SocketCalls {
  readonly name: string = 'packet';
  readonly type: number;
  readonly calls: SocketCalls = this;
  readonly #parts: PacketParts;
  readonly #options: PacketOptions;
  readonly #sender: FrameSender;
  readonly #receiver: FrameReceiver;

  /** @param type of `SOCK_TYPE`: RAW or DGRAM. */
  constructor(type: number, parts: PacketParts, sent: Counter) {
    this.type = type;
    this.#parts = parts;
    this.#options = new PacketOptions(parts.memberships);
    this.#sender = new FrameSender(parts.host, sent);
    this.#receiver = new FrameReceiver(parts.host);
  }

  /** @param ethertype host order; ETHERTYPE.ALL; 0: it sees nothing until bind says one. @throws NetError ESHUTDOWN: the module leaves. */
  open(owner: Owner, ethertype: number): SockCommon {
    const sock = new SockCommon(this);
    sock.family = ADDRESS_FAMILY.PACKET;
    sock.protocol = ethertype & 0xffff;
    sock.localPort = ethertype & 0xffff;
    sock.ext = new PacketState(sock, this.type);
    this.#parts.sockets.hold(sock, owner, 'packet.open');
    this.#parts.looker.add(sock);
    return sock;
  }

  // What the stack calls.

  /** Never: they are in no flow table, and have what taps show. */
  input(_sock: SockCommon, skb: Skb): void {
    skb.memory.pool.drop(skb, this.#parts.shut);
  }

  /** Never: nobody reports errors of frames. */
  error(): void {}

  released(sock: SockCommon, skb: Skb): void {
    const { host, lingering, wakings } = this.#parts;
    host.account.sub(skb.truesize);
    if (skb.type !== SKB_TYPE.OUTGOING) {
      sock.receiveQueuedBytes -= skb.truesize;
      return;
    }
    sock.sendQueuedBytes -= skb.truesize;
    const state = stateOf(sock);
    if (state.closed) {
      if (sock.sendQueuedBytes === 0) lingering.sub();
    } else if (state.blocked && hasRoom(sock)) {
      state.blocked = false;
      wakings.later(state);
    }
  }

  // What users call.

  bind(sock: SockCommon, address: SockAddress): number {
    return this.#parts.ends.bind(sock, address);
  }

  connect(): number {
    return -ERRNO.EOPNOTSUPP;
  }

  listen(): number {
    return -ERRNO.EOPNOTSUPP;
  }

  accept(): null {
    return null;
  }

  send(sock: SockCommon, message: Message): number {
    return this.#sender.send(sock, message);
  }

  receive(sock: SockCommon, message: Message): number {
    return this.#receiver.receive(sock, message);
  }

  shutdown(): number {
    return -ERRNO.EOPNOTSUPP;
  }

  close(sock: SockCommon): void {
    const { looker, memberships, lingering, shut } = this.#parts;
    const state = stateOf(sock);
    if (state.closed) return;
    state.closed = true;
    sock.flags |= SOCK_FLAG.ORPHAN;
    sock.wake = null;
    looker.remove(sock);
    for (let skb = state.take(); skb !== null; skb = state.take()) skb.memory.pool.drop(skb, shut);
    try {
      memberships.dropAll(sock);
    } finally {
      if (sock.sendQueuedBytes > 0) lingering.add();
      if (sock.holdNext !== null) this.#parts.sockets.release(sock);
    }
  }

  /** Force: its user is told why by a notice; `poll` says POLL.ERR. At once, as no poll of a module that is gone runs any more. */
  closeBy(sock: SockCommon, why: NetError): void {
    const { wake } = sock;
    this.close(sock);
    sock.error = -why.errno;
    sock.wake = wake;
    this.#parts.wakings.now(stateOf(sock));
  }

  poll(sock: SockCommon): number {
    const { closed, first } = stateOf(sock);
    let bits = sock.error === 0 ? 0 : POLL.ERR;
    if (closed) return bits | POLL.HUP;
    if (first !== null) bits |= POLL.IN;
    return hasRoom(sock) ? bits | POLL.OUT : bits;
  }

  /** FIONREAD: of the packet that comes next. */
  queuedBytes(sock: SockCommon, sending: boolean): number {
    return sending ? sock.sendQueuedBytes : (stateOf(sock).first?.len ?? 0);
  }

  /** SOL_PACKET and SOL_SOCKET, as in Linux no other level. */
  setOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    if (stateOf(sock).closed) return -ERRNO.EBADF;
    if (level === SOL.PACKET) return this.#options.set(sock, name, value);
    return this.#ofSocketLevel(level, name, (item) => item.set(sock, name, value));
  }

  getOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    if (stateOf(sock).closed) return -ERRNO.EBADF;
    if (level === SOL.PACKET) return this.#options.get(sock, name, value);
    return this.#ofSocketLevel(level, name, (item) => item.get(sock, name, value));
  }

  #ofSocketLevel(level: number, name: number, call: (item: OptionLevel) => number): number {
    // They have no stream to look into, and no ports to share.
    if (level === SOL.SOCKET && (name === SO.PEEK_OFF || name === SO.REUSEPORT)) return -ERRNO.EOPNOTSUPP;
    const { levels, current } = this.#parts.host;
    const index = level === SOL.SOCKET ? levels.items.findLastIndex((item) => item.level === level) : -1;
    if (index < 0) return -ERRNO.ENOPROTOOPT;
    const caller = current.id;
    current.id = levels.owners[index]!;
    try {
      return call(levels.items[index]!);
    } finally {
      current.id = caller;
    }
  }
}

/** Linux's `sock_writeable`: half of it is free, so that who is woken can send more than one. */
function hasRoom({ options, sendQueuedBytes }: SockCommon): boolean {
  return sendQueuedBytes * 2 < (options === null ? SOCK_BUFFER_BYTES : options.sendLimitBytes);
}
