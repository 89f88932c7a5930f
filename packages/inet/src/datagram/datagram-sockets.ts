import type {
  DstUse,
  ErrorReport,
  Message,
  ModuleContext,
  NetError,
  Objects,
  Owner,
  Skb,
  SockAddress,
  SockCommon,
  SocketCalls,
  SocketDemux,
  SockOps,
  Tally,
} from '@softnet/contract';
import {
  ERRNO,
  ERROR_ORIGIN,
  NetworkLayer,
  POLL,
  NetError as Refusal,
  SKB_FLAG,
  SKB_TYPE,
  SOCK_BUFFER_BYTES,
  SOCK_FLAG,
  SOCK_TYPE,
  SockCommon as Sock,
  SocketHolder,
} from '@softnet/contract';
import { formatAddress } from '@softnet/wire';
import { membershipMoved } from '../multicast/socket-groups.ts';
import { errorOf, pollErrors, purgeErrors, queueError, quotedError } from '../socket-errors.ts';
import { DatagramEnds } from './datagram-ends.ts';
import type { DatagramHost } from './datagram-host.ts';
import { hostOf, withoutPorts } from './datagram-host.ts';
import type { DatagramProtocol, DatagramReasons } from './datagram-protocol.ts';
import { DatagramReceiver } from './datagram-receiver.ts';
import { DatagramSender } from './datagram-sender.ts';
import { DatagramState, isConnected, stateOf, takeWaiting } from './datagram-state.ts';
import { tellStamp } from './sent-stamps.ts';
import { wakeUser } from './wake-user.ts';

/**
 * All that a datagram socket is beside its header: what the stack and users call on the sockets of one protocol. Stateless
 * but for kept records; one for a module, which requires DATAGRAM_NEEDS. What its packets take stands in the module's MemoryAccount.
 */
export class DatagramSockets implements SockOps, SocketCalls {
  readonly name: string;
  readonly type: number;
  readonly calls: SocketCalls = this;
  /** Kind `socket`: users' sockets go on when the module leaves, and hold it up. */
  readonly sockets: Objects<SockCommon>;
  readonly #host: DatagramHost;
  readonly #protocol: DatagramProtocol;
  readonly #reasons: DatagramReasons;
  readonly #ends: DatagramEnds;
  readonly #sender: DatagramSender;
  readonly #receiver: DatagramReceiver;
  /** Sockets closed while packets of theirs were on their way out: they hold the module up until these are sent. */
  readonly #lingering: Tally;
  readonly #openPlace: string;

  /** @param table where its sockets stand; null: the flow table, and they have ports. Of `portless` protocols. */
  constructor(ctx: ModuleContext, protocol: DatagramProtocol, reasons: DatagramReasons, table: SocketDemux | null = null) {
    this.name = protocol.name;
    this.type = table === null ? SOCK_TYPE.DGRAM : SOCK_TYPE.RAW;
    this.#openPlace = `${protocol.name}.open`;
    this.#host = table === null ? hostOf(ctx) : withoutPorts(hostOf(ctx), table, ctx.owner);
    this.#protocol = protocol;
    this.#reasons = reasons;
    this.#ends = new DatagramEnds(this.#host, protocol, () => this.sockets);
    this.#sender = new DatagramSender(this.#host, protocol, this.#ends, ctx.counter(`${protocol.name}.out`));
    const more = {
      pressure: ctx.dropReason(
        `${protocol.name}.pressure`,
        'packet memory is low, and its socket has some already: see net.core.skb_pressure',
      ),
      whole: ctx.dropReason(`${protocol.name}.whole`, 'stands for several datagrams, and its network layer cannot cut it'),
      filter: ctx.dropReason(`${protocol.name}.filter`, "its socket's filter does not let it in (SO_ATTACH_FILTER)"),
    };
    this.#receiver = new DatagramReceiver(this.#host, protocol, { ...reasons, ...more }, ctx.counter(`${protocol.name}.in`));
    this.#lingering = ctx.tally(`${protocol.name} socket with packets to be sent`, `${protocol.name}.close`);
    this.sockets = ctx.objects<SockCommon>('socket', {
      drain: 'wait',
      close: (sock, why) => this.#closeBy(sock, why),
      derivedMoved: (sock, before, now) => {
        if (sock.dst === before) this.#ends.moved(sock, now as DstUse);
        else membershipMoved(sock, before, now);
      },
      describe: (sock) => describe(this.name, sock),
    });
    if (table === null) ctx.contribute(SocketHolder, { name: protocol.name, sockets: this.sockets }, 'corridor');
    this.#watchLayers(ctx);
  }

  /** A layer that is replaced by draining is not held up by who only listens. */
  #watchLayers(ctx: ModuleContext): void {
    const source = {
      poll: () => {
        for (const sock of this.sockets) this.#ends.followLayer(sock);
        return 0;
      },
    };
    ctx.contributions(NetworkLayer, ctx.poll(source, `${this.name}.layers`));
  }

  /** @param asked the IP protocol, where sockets differ in it. @throws NetError ESHUTDOWN: the module, or the layer, leaves. */
  open(family: number, owner: Owner, asked = 0): SockCommon {
    const sock = new Sock(this);
    sock.family = family;
    sock.protocol = this.#protocol.number(family, asked);
    sock.ext = new DatagramState();
    this.sockets.hold(sock, owner, this.#openPlace);
    if (this.#protocol.portless !== true) return sock;
    sock.flags |= SOCK_FLAG.PORT_BOUND;
    if (this.#ends.bindToAny(sock) === 0) return sock;
    this.close(sock);
    throw new Refusal('ESHUTDOWN', `${this.name}: the layer of family ${family} is leaving, or gone: load it again`, { syscall: 'socket' });
  }

  // What the stack calls.

  input(sock: SockCommon, skb: Skb): void {
    this.#receiver.input(sock, skb);
  }

  /**
   * Linux's rule: a connected socket hears of what ends flows, and that its packets are too big; one with RECVERR of all, in its error queue too. The next call says it.
   */
  error(sock: SockCommon, skb: Skb | null, report: ErrorReport): void {
    // A redirect is the route's matter.
    if (stateOf(sock).closed || report.errno === 0) return;
    if (report.origin === ERROR_ORIGIN.LOCAL && this.#sender.takesError(sock, report)) return;
    const wantsAll = (sock.flags & SOCK_FLAG.RECVERR) !== 0;
    const isTold = isConnected(sock) && (report.fatal || report.errno === ERRNO.EMSGSIZE);
    if (!isTold && !wantsAll) return;
    if (wantsAll) this.#queueError(sock, skb, report);
    sock.error = report.errno;
    wakeUser(sock, this.#host.log);
  }

  released(sock: SockCommon, skb: Skb): void {
    this.#host.account.sub(skb.truesize);
    if (skb.type !== SKB_TYPE.OUTGOING) {
      sock.receiveQueuedBytes -= skb.truesize;
      return;
    }
    sock.sendQueuedBytes -= skb.truesize;
    const state = stateOf(sock);
    if ((skb.flags & SKB_FLAG.STAMP) !== 0 && !state.closed && tellStamp(sock, skb, this.#host)) wakeUser(sock, this.#host.log);
    if (state.closed) {
      if (sock.sendQueuedBytes === 0) this.#lingering.sub();
    } else if (state.blocked && hasRoom(sock)) {
      state.blocked = false;
      wakeUser(sock, this.#host.log, sock.wake, POLL.OUT);
    }
  }

  // What users call.

  bind(sock: SockCommon, address: SockAddress): number {
    return this.#ends.bind(sock, address);
  }

  /** Orders: calls run one after the other, the last wins; one that comes in the midst of another gets -EALREADY (row I4). */
  connect(sock: SockCommon, address: SockAddress): number {
    return this.#ends.connect(sock, address);
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

  /** -ENOTCONN where there is no peer; as in Linux, it is shut all the same. */
  shutdown(sock: SockCommon, how: number): number {
    const state = stateOf(sock);
    if (state.closed) return -ERRNO.EBADF;
    if ((how & 3) === 0 || (how & ~3) !== 0) return -ERRNO.EINVAL;
    state.shut |= how;
    wakeUser(sock, this.#host.log);
    return isConnected(sock) ? 0 : -ERRNO.ENOTCONN;
  }

  close(sock: SockCommon): void {
    const state = stateOf(sock);
    if (state.closed) return;
    state.closed = true;
    sock.flags |= SOCK_FLAG.ORPHAN;
    sock.wake = null;
    this.#sender.flush(sock);
    purgeErrors(sock);
    for (let skb = state.first; skb !== null; skb = state.first) {
      takeWaiting(state, skb);
      skb.memory.pool.drop(skb, this.#reasons.shut);
    }
    try {
      this.#closeLevels(sock);
    } finally {
      // Whatever a level's code does: nothing of the socket stays behind.
      this.#ends.leave(sock);
      if (sock.sendQueuedBytes > 0) this.#lingering.add();
      if (sock.holdNext !== null) this.sockets.release(sock);
    }
  }

  poll(sock: SockCommon): number {
    const { closed, shut, first } = stateOf(sock);
    let bits = pollErrors(sock);
    if (closed) return bits | POLL.HUP;
    if (first !== null) bits |= POLL.IN;
    if ((shut & 1) !== 0) bits |= POLL.IN | POLL.RDHUP;
    if (shut === 3) bits |= POLL.HUP;
    return hasRoom(sock) ? bits | POLL.OUT : bits;
  }

  /** FIONREAD: of the datagram that comes next; an empty one is as none, as in Linux. */
  queuedBytes(sock: SockCommon, sending: boolean): number {
    if (sending) return sock.sendQueuedBytes;
    return stateOf(sock).first?.len ?? 0;
  }

  setOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    const { items, owners } = this.#host.levels;
    if (stateOf(sock).closed) return -ERRNO.EBADF;
    const own = this.#protocol.setOption?.(sock, level, name, value) ?? null;
    if (own !== null) return own;
    const index = items.findLastIndex((item) => item.level === level);
    if (index < 0) return -ERRNO.ENOPROTOOPT;
    return this.#as(owners[index]!, () => items[index]!.set(sock, name, value));
  }

  getOption(sock: SockCommon, level: number, name: number, value: Uint8Array): number {
    const { items, owners } = this.#host.levels;
    if (stateOf(sock).closed) return -ERRNO.EBADF;
    const own = this.#protocol.getOption?.(sock, level, name, value) ?? null;
    if (own !== null) return own;
    const index = items.findLastIndex((item) => item.level === level);
    if (index < 0) return -ERRNO.ENOPROTOOPT;
    return this.#as(owners[index]!, () => items[index]!.get(sock, name, value));
  }

  /** Sends what has grown while the socket was corked. 0 or more, or -errno. */
  push(sock: SockCommon): number {
    return stateOf(sock).closed ? -ERRNO.EBADF : this.#sender.push(sock);
  }

  #queueError(sock: SockCommon, skb: Skb | null, report: ErrorReport): void {
    const { headerBytes, sentPort } = this.#protocol;
    const error =
      skb === null || skb.transport < 0 || skb.network < 0
        ? errorOf(report)
        : quotedError(skb, report, skb.transport + headerBytes, sentPort?.(skb) ?? 0);
    queueError(sock, error);
  }

  /** Force: its user is told why by the next call, if he still makes one, and by a notice. */
  #closeBy(sock: SockCommon, why: NetError): void {
    const { wake } = sock;
    this.close(sock);
    sock.error = -why.errno;
    wakeUser(sock, this.#host.log, wake);
  }

  #closeLevels(sock: SockCommon): void {
    const { items, owners } = this.#host.levels;
    for (const [i, item] of items.entries()) this.#as(owners[i]!, () => item.closed(sock));
  }

  #as<T>(owner: number, call: () => T): T {
    const { current } = this.#host;
    const caller = current.id;
    current.id = owner;
    try {
      return call();
    } finally {
      current.id = caller;
    }
  }
}

/** Linux's `sock_writeable`: half of it is free, so that who is woken can send more than one. */
function hasRoom({ options, sendQueuedBytes }: SockCommon): boolean {
  return sendQueuedBytes * 2 < (options === null ? SOCK_BUFFER_BYTES : options.sendLimitBytes);
}

/** 'udp 10.0.0.1:7 ← 10.0.0.2:4711' */
function describe(name: string, sock: SockCommon): string {
  const { family, local0, local1, local2, local3, remote0, remote1, remote2, remote3 } = sock;
  const here = formatAddress(family, local0, local1, local2, local3);
  const there = isConnected(sock) ? withPort(formatAddress(family, remote0, remote1, remote2, remote3), sock.remotePort) : '*';
  return `${name} ${withPort(here, sock.localPort)} ← ${there}`;
}

function withPort(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}
